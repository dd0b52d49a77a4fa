-- What the rendered configuration tells the modules, set once in the master process.

local _M = {}

local function read_secret(path)
    local file, err = io.open(path, "r")
    if not file then
        error("the gateway's secret cannot be read: " .. err)
    end
    local secret = file:read("*l")
    file:close()
    if not secret or secret == "" then
        error("the gateway's secret is empty: " .. path)
    end
    return secret
end

-- values: auth (host, port), registry (host, port), public_origin, public_host (with its port), public_port, loopback,
-- allowed_origins (a set), cookie, secret_file.
function _M.setup(values)
    for name, value in pairs(values) do
        _M[name] = value
    end
    _M.secret = read_secret(values.secret_file)
end

return _M
