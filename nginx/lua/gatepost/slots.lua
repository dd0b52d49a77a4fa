-- Calls under way, counted in shared memory for all workers. Beside each total every worker keeps its own share under
-- its process id, so that what a killed worker held is given back: ids of workers are the same before and after a
-- reload, process ids are not.

local ffi = require "ffi"

ffi.cdef "int kill(int pid, int sig);"

local slots = ngx.shared.gatepost_slots
local get_pid = ngx.worker.pid

local NO_SUCH_PROCESS = 3
local PERIOD = 5
local KEPT_EMPTY = 60

local _M = {}

local function share_of(key)
    return get_pid() .. ":" .. key
end

-- The total goes down first: a worker that is killed in between leaves one slot too many, never one too few.
function _M.release(key)
    local left = slots:incr(key, -1)
    if left and left <= 0 then
        slots:expire(key, KEPT_EMPTY)
    end
    local share = share_of(key)
    if (slots:incr(share, -1) or 0) <= 0 then
        slots:delete(share)
    end
end

-- Takes one of `limit` slots; false where none is free.
function _M.acquire(key, limit)
    slots:incr(share_of(key), 1, 0)
    local total = slots:incr(key, 1, 0)
    if total == 1 then
        slots:expire(key, 0)
    elseif total and total > limit then
        _M.release(key)
        return false
    end
    return true
end

local function is_gone(pid)
    return ffi.C.kill(pid, 0) ~= 0 and ffi.errno() == NO_SUCH_PROCESS
end

-- Gives back what workers hold that are no more. Two may do this at once: only one of them takes a share to zero.
local function clear_dead(gone)
    for _, share in ipairs(slots:get_keys(0)) do
        local pid, key = share:match("^(%d+):(.+)$")
        local held = pid and gone(tonumber(pid)) and slots:get(share)
        if held and slots:incr(share, -held) == 0 then
            slots:delete(share)
            slots:incr(key, -held)
        end
    end
end

-- For init_worker: a new worker gives back its predecessor's slots at once; an old one of a reload has no successor.
function _M.watch()
    local own = get_pid()
    clear_dead(function(pid) return pid == own or is_gone(pid) end)
    if ngx.worker.id() == 0 then
        ngx.timer.every(PERIOD, function(premature)
            if not premature then
                clear_dead(is_gone)
            end
        end)
    end
end

return _M
