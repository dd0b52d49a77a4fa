-- What this worker holds of answers that are not whole yet: each may be large, all together must not fill its memory,
-- and one server's must leave room for the others'.

local memory = require "gatepost.memory"

local EACH = 16 * 1024 * 1024
local OF_ONE_SERVER = 32 * 1024 * 1024
local ALL = 64 * 1024 * 1024
local STEP = 1024 * 1024
local COLLECT_EVERY_S = 1

local _M = {}

-- A request's context goes away with it; nothing here keeps it.
local holding = setmetatable({}, { __mode = "k" })
local collected_at = 0

local function is_room(resource)
    local all, of_one = 0, 0
    for ctx in pairs(holding) do
        all = all + ctx.size
        if ctx.resource == resource then
            of_one = of_one + ctx.size
        end
    end
    return all <= ALL and of_one <= OF_ONE_SERVER
end

-- Whether `ctx.size` bytes may be held for this request. Small ones are not counted.
function _M.fits(ctx)
    local size = ctx.size
    if size > EACH then
        return false
    elseif size < (ctx.counted or 0) + STEP then
        return true
    end
    ctx.counted = size
    holding[ctx] = true
    memory.tune()
    if is_room(ctx.resource) then
        return true
    elseif ngx.now() - collected_at < COLLECT_EVERY_S then -- it stops all calls for some milliseconds
        return false
    end
    collected_at = ngx.now()
    collectgarbage() -- what broke off is counted until then
    return is_room(ctx.resource)
end

-- What is held for this request is needed no more.
function _M.drop(ctx)
    holding[ctx] = nil
    ctx.parts, ctx.size, ctx.counted = {}, 0, 0
end

return _M
