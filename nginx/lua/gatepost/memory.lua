-- How often LuaJIT collects garbage. Each call leaves a little, a large body much; marking the live heap for every
-- doubling of a small one costs more than the check of a call does.

local SPARE_KB = 32 * 1024
local PERIOD = 1

local _M = {}

-- Lets garbage grow to about 32 MiB a worker before it is collected, whatever the live heap's size.
function _M.tune()
    local pause = 100 + 100 * SPARE_KB / collectgarbage("count")
    collectgarbage("setpause", math.max(110, math.min(1000, pause)))
end

-- For init_worker_by_lua.
function _M.watch()
    _M.tune()
    ngx.timer.every(PERIOD, function(premature)
        if not premature then
            _M.tune()
        end
    end)
end

return _M
