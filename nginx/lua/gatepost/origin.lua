-- Whose pages may call: MCP's rule about Origin, and Host against DNS rebinding where the gateway is on loopback.

local config = require "gatepost.config"
local refuse = require "gatepost.refuse"

local _M = {}

local PORTS = { http = "80", https = "443" }

-- Host and port of an authority, in lower case; the port is "" where none is written.
local function split(authority)
    local lower = authority:lower()
    local host, port = lower:match("^(%[[^%]]*%]):?(%d*)$")
    if not host then
        host, port = lower:match("^([^:]*):?(%d*)$")
    end
    return host, port
end

local function is_loopback(host)
    return host == "localhost" or host == "[::1]" or host:sub(-10) == ".localhost"
        or host:find("^127%.%d+%.%d+%.%d+$") ~= nil
end

-- A page of this machine at the gateway's port is a page of the gateway under another of its names.
local function is_own(origin)
    local scheme, authority = origin:match("^(https?)://(.*)$")
    local host, port = split(authority or "")
    return host ~= nil and is_loopback(host) and (port ~= "" and port or PORTS[scheme]) == config.public_port
end

-- A name that resolves to loopback may be anybody's: its pages would be of the same origin as the gateway.
local function foreign_host(host)
    if not config.loopback or not host or host == config.public_host then
        return false
    end
    local name = split(host)
    return not (name and is_loopback(name))
end

-- The rule that refuses a request with these headers ({origin, host}) and a sentence; nil where none does.
function _M.refusal(sent)
    if foreign_host(sent.host) then
        return "host", "this gateway is not called by that host name; call it at " .. config.public_origin
    end
    local origin = sent.origin
    if not origin or origin == config.public_origin or config.allowed_origins[origin]
        or (config.loopback and is_own(origin)) then
        return nil
    end
    return "origin", "pages of this origin may not call; an administrator can name it in GATEPOST_ALLOWED_ORIGINS"
end

-- Whether scripts of that origin may read the answers (CORS); they call with tokens, never with cookies.
function _M.is_allowed(origin)
    return origin ~= nil and config.allowed_origins[origin] == true
end

-- The answer to a browser that asks whether a page of an allowed origin may call.
function _M.preflight()
    local header = ngx.header
    header["Access-Control-Allow-Methods"] = "POST, GET, DELETE"
    header["Access-Control-Allow-Headers"] = "Authorization, *"
    header["Access-Control-Max-Age"] = 600
    return ngx.exit(204)
end

-- For access_by_lua of what is not MCP: whether the request was refused.
function _M.page()
    if not foreign_host(ngx.var.http_host) then
        return false
    end
    refuse.problem(403, "foreign-host", "This gateway is not called by that host name",
        "Call it at " .. config.public_origin .. ".")
    return true
end

return _M
