-- A leaky bucket in shared memory: so many a minute, some of them at once, counted for all workers.

local buckets = ngx.shared.gatepost_counters
local now = ngx.now

local MINUTE = 60
local SHORTEST = 0.001

local _M = {}

-- How many may come at once: ten seconds' worth, and ten where that is less, so that a small limit is usable at all.
local function burst(rate)
    return math.max(math.ceil(rate / 6), math.min(rate, 10))
end

-- Puts one call in. Nil where it fits; otherwise the seconds until one does. The value is the moment at which the
-- bucket will have run empty, and the key ends then: an empty bucket takes no memory, and one atomic step fills it.
function _M.take(key, rate)
    local each, moment = MINUTE / rate, now()
    local empty = buckets:incr(key, each, moment, math.max(each, SHORTEST))
    if not empty then
        return nil -- a limit is no authorization: without memory for it calls go on
    end
    local over = empty - moment - burst(rate) * each
    if over > SHORTEST then
        buckets:incr(key, -each)
        return over
    end
    buckets:expire(key, math.max(empty - moment, SHORTEST))
    return nil
end

-- Takes one call out again that came to nothing.
function _M.give_back(key, rate)
    buckets:incr(key, -MINUTE / rate)
end

return _M
