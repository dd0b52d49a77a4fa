-- What is left to do once a request is over, in each location.

local limits = require "gatepost.limits"
local metrics = require "gatepost.metrics"
local streams = require "gatepost.streams"

local _M = {}

-- For log_by_lua.
function _M.log()
    local ctx = ngx.ctx
    if ctx.filter == "events" then
        streams.forget(ctx)
    end
    -- Behind error_page the context is gone, and only the variable tells of slots.
    if not ctx.line or ctx.entry.server.limits then
        limits.release()
    end
    metrics.count(ctx)
end

return _M
