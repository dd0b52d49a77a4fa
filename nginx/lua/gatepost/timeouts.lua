-- How long a call may take: until there is a connection, in silence, and as a whole.

local balancer = require "ngx.balancer"
local json = require "gatepost.json"

local now = ngx.now

-- As in nginx.conf: only others need to be said.
local CONNECT_S, SEND_S, READ_S = 5, 60, 300
local SHORTEST = 0.001
local TOLERANCE = 0.01

-- A stream may be silent for as long as it lives: whether its other end is still there is TCP's to find out.
local STREAMS = { GET = true, ["subscriptions/listen"] = true, SubscribeToTask = true }
local STREAM_READ_S = 86400

local _M = { CONNECT_S = CONNECT_S, READ_S = READ_S }

_M.TEXTS = {
    connect_timeout = "the upstream took no connection within its connect_timeout_s",
    timeout = "the upstream was silent for longer than its timeout_s",
    total_timeout = "the call took longer than the total_timeout_s of its server",
}

-- The timeouts of an upstream's part, in seconds; nil where the configuration's own do.
function _M.of(upstream)
    local total = tonumber(upstream.total_timeout_ms)
    local connect_s, read_s = upstream.connect_timeout_ms / 1000, upstream.read_timeout_ms / 1000
    if not total and connect_s == CONNECT_S and read_s == READ_S then
        return nil
    end
    return { connect_s = connect_s, read_s = read_s, total_s = total and total / 1000 }
end

-- Starts the clock of a call. The variable outlives error_page, as ngx.ctx does not.
function _M.begin(ctx, timeouts)
    if timeouts.total_s and not STREAMS[ctx.method] then
        ctx.deadline = now() + timeouts.total_s
        ngx.var.gatepost_deadline = ctx.deadline
    end
end

-- For balancer_by_lua, before each try.
function _M.apply(ctx, timeouts)
    local is_stream = STREAMS[ctx.method]
    if not timeouts and not is_stream then
        return
    end
    local connect_s, send_s = timeouts and timeouts.connect_s or CONNECT_S, SEND_S
    local read_s = is_stream and STREAM_READ_S or timeouts.read_s
    if ctx.deadline then
        local left = math.max(ctx.deadline - now(), SHORTEST)
        connect_s, send_s, read_s = math.min(connect_s, left), math.min(send_s, left), math.min(read_s, left)
    end
    balancer.set_timeouts(connect_s, send_s, read_s)
end

-- Why an upstream gave no answer, by what NGINX noted of its last try (ngx.status says nothing behind error_page).
function _M.reason()
    local var = ngx.var
    if not (var.upstream_status or ""):find("504$") then
        return "unreachable"
    end
    local deadline = tonumber(var.gatepost_deadline)
    if deadline and now() >= deadline - TOLERANCE then
        return "total_timeout"
    end
    return (var.upstream_connect_time or ""):find("%d$") and "timeout" or "connect_timeout"
end

function _M.passed(ctx)
    return now() > ctx.deadline
end

-- For body_filter_by_lua, when the whole time is used up and the answer goes on: a client of an event stream is told
-- by an event, and only then does the stream break off; what else has begun can only break off.
function _M.cut(ctx)
    local id = ctx.message.id
    if ctx.filter ~= "events" or ctx.ended or not id or id == "null" then
        return ngx.ERROR
    end
    ctx.ended = true
    ngx.arg[1] = 'event: message\ndata: {"jsonrpc":"2.0","id":' .. id .. ',"error":{"code":-31002,"message":'
        .. json.quote(_M.TEXTS.total_timeout) .. ',"data":{"layer":"upstream","rule":"total_timeout"}}}\n\n'
    return nil
end

return _M
