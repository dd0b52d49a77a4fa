-- Calls a minute of one caller at one server, where the server's entry names a limit.

local counters = ngx.shared.gatepost_counters

local WINDOW = 60

local _M = {}

-- Seconds to wait, or nil while the limit holds.
function _M.exceeded(entry, resource, message)
    local limit = entry.server.rate_limit
    if not limit or message.method ~= "tools/call" then
        return nil
    end
    local window = math.floor(ngx.now() / WINDOW)
    local used = counters:incr(resource .. " " .. window .. " " .. entry.caller.principal, 1, 0, 2 * WINDOW)
    if used and used > limit then
        return math.ceil((window + 1) * WINDOW - ngx.now())
    end
    return nil
end

return _M
