-- The body of an upstream's answer on its way to the client: event streams pass event by event for as long as the
-- caller has the right, lists are held until they are whole.

local lists = require "gatepost.lists"
local streams = require "gatepost.streams"
local timeouts = require "gatepost.timeouts"

local sub, concat = string.sub, table.concat
local find = ngx.re.find

local MAX_BYTES = 16 * 1024 * 1024

local _M = {}

-- Prepares the filter of an answer, before its headers go out. `kind` is "events" or "json".
function _M.begin(ctx, kind)
    ctx.filter = kind
    ctx.parts, ctx.size, ctx.tail = {}, 0, ""
    ngx.header["Content-Length"] = nil
    if kind == "events" then
        ngx.header["Cache-Control"] = "no-store, no-transform"
        streams.follow(ctx)
    end
end

local BYTE_ORDER_MARK = "^\239\187\191"

-- One event of the stream. Its data is read only where it can be the answer to a list. A stream may begin with a
-- byte order mark, which is no part of its first line.
local function filtered(ctx, event)
    local data, others = {}, {}
    event = event:gsub(BYTE_ORDER_MARK, "")
    for line in event:gmatch("[^\r\n]+") do
        local text = line:match("^data:? ?(.*)$")
        if text then
            data[#data + 1] = text
        else
            others[#others + 1] = line .. "\n"
        end
    end
    local text = concat(data, "\n")
    if not text:find('"result"', 1, true) and not text:find("\\u", 1, true) then
        return event
    end
    local kept = lists.message(ctx.entry, text, lists.METHODS[ctx.method])
    if kept == text then
        return event
    end
    return concat(others) .. "data: " .. (kept or lists.unreadable(ctx.message.id)):gsub("[\r\n]+", " ") .. "\n\n"
end

local END = [[\r?\n\r?\n|\r\r]]
local LONGEST_END = 4

-- The whole events of what has come so far; the rest waits. A stream ends at an event too large to hold.
-- A large event comes in a thousand chunks: they are joined once, and only what is new is searched for its end.
local function events(ctx, chunk)
    local parts, out = ctx.parts, {}
    local unread = ctx.tail .. chunk
    parts[#parts + 1] = chunk
    ctx.size = ctx.size + #chunk
    if find(unread, END, "jo") then
        local pending = concat(parts)
        local _, to = find(pending, END, "jo")
        while to do
            out[#out + 1] = filtered(ctx, sub(pending, 1, to))
            pending = sub(pending, to + 1)
            _, to = find(pending, END, "jo")
        end
        ctx.parts, ctx.size, unread = { pending }, #pending, pending
    end
    ctx.tail = sub(unread, 1 - LONGEST_END)
    ctx.ended = ctx.ended or ctx.size > MAX_BYTES
    return concat(out)
end

local function whole(ctx, chunk, last)
    ctx.size = ctx.size + #chunk
    if ctx.size <= MAX_BYTES then
        ctx.parts[#ctx.parts + 1] = chunk
    end
    if not last then
        return nil
    end
    local text = ctx.size <= MAX_BYTES
        and lists.message(ctx.entry, concat(ctx.parts), lists.METHODS[ctx.method])
    return text or lists.unreadable(ctx.message.id)
end

-- For body_filter_by_lua. After a revocation no further event passes: the stream breaks off, at both sides. A proper
-- end would leave the client's connection open for a next request that waits until the upstream has finished.
function _M.body_filter()
    local ctx = ngx.ctx
    local kind, arg = ctx.filter, ngx.arg
    if ctx.deadline and not arg[2] and timeouts.passed(ctx) then
        return timeouts.cut(ctx)
    elseif not kind then
        return nil
    end
    if kind == "json" then
        arg[1] = whole(ctx, arg[1], arg[2])
        return nil
    elseif not streams.may_pass(ctx) then
        streams.forget(ctx)
        return ngx.ERROR
    end
    arg[1] = events(ctx, arg[1])
    if arg[2] then
        streams.forget(ctx)
    end
    return nil
end

return _M
