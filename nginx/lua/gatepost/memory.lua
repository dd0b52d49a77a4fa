-- How often LuaJIT collects garbage, and what is kept of freed memory. Each call leaves a little, a large body
-- much; marking the live heap for every doubling of a small one costs more than the check of a call does.

local ffi = require "ffi"

pcall(ffi.cdef, "int mallopt(int param, int value);")

-- glibc's names of what it keeps: of the heap's end, and how large a block is still taken from the heap (mallopt(3)).
local TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
local KEPT, FROM_HEAP = 64 * 1024 * 1024, 16 * 1024 * 1024

local SPARE_KB = 32 * 1024
local PERIOD = 1

local _M = {}

-- Lets garbage grow to about 32 MiB a worker before it is collected, whatever the live heap's size.
function _M.tune()
    local pause = 100 + 100 * SPARE_KB / collectgarbage("count")
    collectgarbage("setpause", math.max(110, math.min(1000, pause)))
end

-- For init_by_lua, before the workers are made. By itself glibc gives 128 KiB at the heap's end back at once: the
-- buffers of one request, which the next one takes anew, page by page. Other C libraries have no such call.
function _M.settle()
    pcall(function()
        ffi.C.mallopt(TRIM_THRESHOLD, KEPT)
        ffi.C.mallopt(MMAP_THRESHOLD, FROM_HEAP)
    end)
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
