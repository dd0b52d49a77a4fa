-- SHA-256 and random bytes from the libcrypto that NGINX has loaded.

local ffi = require "ffi"

-- One declaration that exists already would discard a whole block, so it stands alone.
pcall(ffi.cdef, "int RAND_bytes(unsigned char *buf, int num);")
pcall(ffi.cdef, "unsigned char *SHA256(const unsigned char *d, size_t n, unsigned char *md);")

local C = ffi.C
local digest = ffi.new("unsigned char[32]")

local _M = {}

-- The 32 bytes of a text's SHA-256.
function _M.sha256(text)
    C.SHA256(text, #text, digest)
    return ffi.string(digest, 32)
end

-- `count` random bytes in hexadecimal.
function _M.random_hex(count)
    local bytes = ffi.new("unsigned char[?]", count)
    if C.RAND_bytes(bytes, count) ~= 1 then
        error("OpenSSL has no random bytes")
    end
    return (ffi.string(bytes, count):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

return _M
