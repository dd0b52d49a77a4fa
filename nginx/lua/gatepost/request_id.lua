-- Each request's id, and the id of the gateway's own span in its trace (W3C Trace Context), without asking for
-- randomness at each call: a worker's random half and a number that grows.

local bit = require "bit"

local tohex = bit.tohex

local _M = {}

local HALF = 16
local LAST = 0xffffffff

local trace_half, span_half, number

local function random_hex(count)
    local source = assert(io.open("/dev/urandom", "rb"))
    local bytes = source:read(count)
    source:close()
    return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

-- For init_worker_by_lua: no two workers share their random part.
function _M.seed()
    local random = random_hex(12)
    trace_half, span_half, number = random:sub(1, HALF), random:sub(HALF + 1), 0
end

-- Gives the request its ids; what Lua does not see of NGINX's own answers has $request_id.
function _M.assign()
    if number == LAST then
        _M.seed()
    end
    number = number + 1
    local span = span_half .. tohex(number)
    local var = ngx.var
    var.gatepost_span = span
    var.gatepost_id = trace_half .. span
end

return _M
