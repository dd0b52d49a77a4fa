-- Open event streams of this worker: each lives as long as its caller's right to it.

local epoch = require "gatepost.epoch"
local verdict = require "gatepost.verdict"

local PERIOD = 0.25
local EARLY = 5

local _M = {}

-- A stream's context goes away with its request; nothing here keeps it.
local open = setmetatable({}, { __mode = "k" })

-- Follows the stream of a request: {entry, resource, header, credential} → `ended` once the right is gone.
function _M.follow(ctx)
    open[ctx] = true
end

-- Whether one more event may pass.
function _M.may_pass(ctx)
    return not ctx.ended and ctx.entry.expires_at > ngx.now()
end

-- A right that is only out of date is asked for anew; a stream whose caller lost it, or whose verdict ran out
-- while auth is away, ends.
local function renew(ctx)
    local entry, why = verdict.find(ctx.resource, ctx.header, ctx.credential)
    if entry and entry.any then
        ctx.entry = entry
    elseif entry or why == "token" then
        ctx.ended = true
    end
end

local function sweep(premature)
    local current = epoch.current()
    if premature or not current then
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
    for _, ctx in ipairs(due) do
        renew(ctx)
    end
end

function _M.watch()
    ngx.timer.every(PERIOD, sweep)
end

return _M
