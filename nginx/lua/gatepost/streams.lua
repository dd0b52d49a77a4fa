-- Open event streams of this worker: each lives as long as its caller's right to it.

local epoch = require "gatepost.epoch"
local policy = require "gatepost.policy"
local verdict = require "gatepost.verdict"

local PERIOD = 0.25
local EARLY = 5
local AT_ONCE = 32
local GRACE = 1

local _M = {}

-- A stream's context goes away with its request; nothing here keeps it.
local open = setmetatable({}, { __mode = "k" })

-- Follows the stream of a request: {entry, resource, header, credential, message} → `ended` once the right is gone.
function _M.follow(ctx)
    open[ctx] = true
end

function _M.forget(ctx)
    open[ctx] = nil
end

-- How many are open in this worker.
function _M.count()
    local count = 0
    for ctx in pairs(open) do
        count = count + (ctx.ended and 0 or 1)
    end
    return count
end

-- Whether one more event may pass. A right that has just run out is asked for anew by the next sweep: until then the
-- stream goes on, or every busy one would end with its verdict. An old worker of a reload has no timers that renew
-- a right: there a stream ends with the first change that touches it.
function _M.may_pass(ctx)
    if ctx.ended or ctx.entry.expires_at + GRACE <= ngx.now() then
        return false
    end
    return not ngx.worker.exiting() or verdict.holds(ctx.entry, ctx.resource, epoch.current() or -1)
end

-- A right that is only out of date is asked for anew; a stream whose caller lost the right to what it carries, whose
-- server was disabled, or whose verdict ran out while auth is away, ends. A name that does not resolve just now, or
-- a token that cannot be had, ends nothing: the stream has its connection.
local function renew(ctx)
    local entry, why = verdict.find(ctx.resource, ctx.header, ctx.credential)
    if not entry then
        ctx.ended = why == "token"
        return
    end
    local refusal = entry.server and entry.server.refusal
    if not policy.decide(entry, ctx.message) or refusal == "disabled" or refusal == "stdio_only" then
        ctx.ended = true
    elseif not refusal then
        ctx.entry = entry
    end
end

local function sweep()
    local current = epoch.current()
    if not current then
        return
    end
    local due = {}
    for ctx in pairs(open) do
        if ctx.ended then
            open[ctx] = nil
        elseif not verdict.holds(ctx.entry, ctx.resource, current) or ctx.entry.expires_at < ngx.now() + EARLY then
            due[#due + 1] = ctx
        end
    end
    for start = 1, #due, AT_ONCE do
        local threads = {}
        for i = start, math.min(start + AT_ONCE - 1, #due) do
            threads[#threads + 1] = ngx.thread.spawn(renew, due[i])
        end
        for _, thread in ipairs(threads) do
            ngx.thread.wait(thread)
        end
    end
end

-- One sweep at a time: where auth is slow, each next one would ask the same and hold a timer for it.
function _M.watch()
    local sweeping = false
    ngx.timer.every(PERIOD, function(premature)
        if premature or sweeping then
            return
        end
        sweeping = true
        local ok, err = pcall(sweep)
        sweeping = false
        if not ok then
            ngx.log(ngx.ERR, "open streams could not be looked after: ", err)
        end
    end)
end

return _M
