-- SHA-256 from the libcrypto that NGINX has loaded.

local ffi = require "ffi"

-- One declaration that exists already would discard a whole block, so it stands alone.
pcall(ffi.cdef, "unsigned char *SHA256(const unsigned char *d, size_t n, unsigned char *md);")

local C = ffi.C
local digest = ffi.new("unsigned char[32]")

local _M = {}

-- The 32 bytes of a text's SHA-256.
function _M.sha256(text)
    C.SHA256(text, #text, digest)
    return ffi.string(digest, 32)
end

return _M
