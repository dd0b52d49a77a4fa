-- The gateway's own certificate, from its files as they are now: new connections get a renewed one without a reload.

local ffi = require "ffi"
local crypto = require "gatepost.crypto"
local ssl = require "ngx.ssl"

pcall(ffi.cdef, "void *OPENSSL_sk_value(const void *stack, int place);")
pcall(ffi.cdef, "int X509_check_private_key(const void *certificate, const void *key);")
pcall(ffi.cdef, "void ERR_clear_error(void);")

local C = ffi.C

local PERIOD = 1

local _M = {}

-- What the files held when they were last looked at, and the last good pair of them; none until one was read.
local seen, current

local function read(path)
    local file, err = io.open(path, "rb")
    if not file then
        return nil, err
    end
    local text = file:read("*a")
    file:close()
    return text or "", nil
end

local function pair_of(certificate, key)
    local chain, err = ssl.parse_pem_cert(certificate)
    if not chain then
        return nil, "the certificate cannot be read: " .. err
    end
    local private
    private, err = ssl.parse_pem_priv_key(key)
    if not private then
        return nil, "the key cannot be read: " .. err
    end
    local matches = C.X509_check_private_key(C.OPENSSL_sk_value(chain, 0), private) == 1
    C.ERR_clear_error()
    if not matches then
        return nil, "the key is not that of the certificate"
    end
    return { chain = chain, key = private }
end

-- One worker speaks for all: they see the same files.
local function say(level, ...)
    if ngx.worker.id() == 0 then
        ngx.log(level, ...)
    end
end

local function look(certificate_file, key_file)
    local certificate, key, err, pair
    certificate, err = read(certificate_file)
    if certificate then
        key, err = read(key_file)
    end
    local now = err or crypto.sha256(certificate .. "\n" .. key)
    if now == seen then
        return
    end
    seen = now
    if not err then
        pair, err = pair_of(certificate, key)
    end
    if pair then
        say(current and ngx.WARN or ngx.INFO, "the certificate of ", certificate_file, " is in use for new connections")
        current = pair
    else
        say(ngx.ERR, "the certificate of ", certificate_file, " is not taken, the one before stays: ", err)
    end
end

-- For init_worker_by_lua: looks at the files now and once a second.
function _M.follow(certificate_file, key_file)
    look(certificate_file, key_file)
    ngx.timer.every(PERIOD, function(premature)
        if not premature then
            look(certificate_file, key_file)
        end
    end)
end

-- For ssl_certificate_by_lua. Without a pair of our own NGINX serves the one that it read at its start.
function _M.serve()
    if not current then
        return
    end
    ssl.clear_certs()
    local ok, err = ssl.set_cert(current.chain)
    if ok then
        ok, err = ssl.set_priv_key(current.key)
    end
    if not ok then
        ngx.log(ngx.ERR, "the certificate cannot be used: ", err)
    end
end

return _M
