-- Follows the numbered changes of policy, once a second, and says which verdicts they touch.

local cjson = require "cjson.safe"
local config = require "gatepost.config"
local http = require "gatepost.http"

local marks = ngx.shared.gatepost_marks
local now = ngx.now

-- A verdict lives for 300 s at most, so an older mark has nothing left to mark.
local MARK_LIFE = 600
local PERIOD = 1

local _M = {}

local latest, read_at

-- The number of the newest change known here; nil until auth has answered once: the gateway is closed till then.
-- Shared memory is read once a millisecond, which many calls share.
function _M.current()
    local time = now()
    if not latest or time ~= read_at then
        latest, read_at = marks:get("epoch"), time
    end
    return latest
end

-- Grows when the numbers began anew: a verdict of an older generation says nothing.
function _M.generation()
    return marks:get("generation") or 0
end

-- Whether a verdict made at change number `number` still holds for this resource and principal.
function _M.holds(number, resource, principal)
    return (marks:get("*") or 0) <= number
        and (marks:get(resource) or 0) <= number
        and (marks:get("principal:" .. principal) or 0) <= number
end

local function poll()
    local since = marks:get("epoch")
    local target = "/internal/epoch" .. (since and "?since=" .. since or "")
    local status, body = http.get(config.auth, target, { ["Gatepost-Gateway-Secret"] = config.secret })
    local answer = status == 200 and cjson.decode(body)
    if type(answer) ~= "table" or type(answer.epoch) ~= "number" then
        return nil, status and "status " .. status or body
    end
    if not since or answer.epoch < since then
        -- Another store, such as a backup put back, or no number to compare with: what is kept here may be anything.
        local generation = _M.generation()
        marks:flush_all()
        marks:set("generation", generation + 1)
        ngx.shared.gatepost_callers:flush_all()
        ngx.shared.gatepost_servers:flush_all()
    end
    for _, affected in ipairs(answer.affects or {}) do
        local stored, _, evicted = marks:set(affected, answer.epoch, affected ~= "*" and MARK_LIFE or 0)
        if not stored or evicted then
            marks:set("*", answer.epoch)
        end
    end
    marks:set("epoch", answer.epoch)
    return true
end

-- Starts the timer in one worker. Old workers of a reload read what the new ones write.
function _M.follow()
    if ngx.worker.id() ~= 0 then
        return
    end
    local failing, polling = false, false
    -- One poll at a time: an answer that was overtaken would set the numbers back.
    local function tick(premature)
        if premature or polling then
            return
        end
        polling = true
        local whole, ok, err = pcall(poll)
        polling = false
        if not whole then
            ok, err = nil, ok
        end
        if not ok and not failing then
            ngx.log(ngx.WARN, "auth does not answer the policy poll (", err, "): known verdicts live on")
        elseif ok and failing then
            ngx.log(ngx.NOTICE, "auth answers the policy poll again")
        end
        failing = not ok
    end
    ngx.timer.at(0, tick)
    ngx.timer.every(PERIOD, tick)
end

return _M
