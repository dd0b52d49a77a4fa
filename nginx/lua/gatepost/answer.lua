-- The body of an upstream's answer on its way to the client: event streams pass event by event for as long as the
-- caller has the right, lists are held until they are whole.

local held = require "gatepost.held"
local lists = require "gatepost.lists"
local session = require "gatepost.session"
local sse = require "gatepost.sse"
local streams = require "gatepost.streams"
local timeouts = require "gatepost.timeouts"

local sub, concat = string.sub, table.concat
local find = ngx.re.find

-- What holding one more part takes besides its bytes: an upstream may send them one by one.
local EACH_PART = 32

local _M = {}

-- Prepares the filter of an answer, before its headers go out. `kind` is "events" or "json".
function _M.begin(ctx, kind)
    ctx.filter = kind
    ctx.parts, ctx.size, ctx.tail = {}, 0, ""
    ngx.header["Content-Length"] = nil
    if kind == "events" then
        ngx.header["Cache-Control"] = "no-store, no-transform"
        ctx.sse = ctx.method == "GET" and sse.spoken(ctx.entry)
        streams.follow(ctx)
    end
end

local BYTE_ORDER_MARK = "^\239\187\191"

-- The data of an event as the client gets it.
local function filtered_data(ctx, kind, text)
    if ctx.sse then
        if kind == "endpoint" then
            return sse.endpoint(ctx, text)
        end
        local refusal = sse.refusal(ctx, text)
        if refusal then
            return refusal
        end
    end
    if not text:find('"result"', 1, true) and not text:find("\\u", 1, true) then
        return text
    end
    return lists.message(ctx.entry, text, lists.CACHEABLE[ctx.method]) or lists.unreadable(ctx.message.id)
end

-- One event of the stream. An event id is the caller's own to send back, and no one else's. A stream may begin with a
-- byte order mark, which is no part of its first line.
local function filtered(ctx, event)
    local data, others, kind, changed = {}, {}, nil, false
    event = event:gsub(BYTE_ORDER_MARK, "")
    for line in event:gmatch("[^\r\n]+") do
        local name, text = line:match("^(%l*):? ?(.*)$")
        if name == "data" then
            data[#data + 1] = text
        elseif name == "id" and not ctx.modern and text ~= "" then
            others[#others + 1] = "id: " .. session.seal("event", ctx, text) .. "\n"
            changed = true
        else
            kind = name == "event" and text or kind
            others[#others + 1] = line .. "\n"
        end
    end
    local text = concat(data, "\n")
    local kept = filtered_data(ctx, kind, text)
    if not kept then
        ctx.ended = true
        return ""
    elseif kept == text and not changed then
        return event
    elseif kept == text and #data ~= 1 then
        return concat(others) .. (#data > 0 and "data: " .. concat(data, "\ndata: ") .. "\n" or "") .. "\n"
    end
    return concat(others) .. "data: " .. kept:gsub("[\r\n]+", " ") .. "\n\n"
end

-- Two ends of lines, of whichever of the three kinds each is.
local END = [[(?>\r\n|\n|\r)(?>\r\n|\n|\r)]]
local LAST_END = [[^[\s\S]*]] .. END
local AN_ID = [[(?:^|[\r\n])(?:\xEF\xBB\xBF)?id]]

-- Whether an event of these may have to be changed.
local function must_read(text)
    return text:find('"result"', 1, true) or text:find("\\u", 1, true)
        or (text:find("id", 1, true) and find(text, AN_ID, "jo"))
end

-- The events at the start of `pending` as the caller may see them, and what is behind the last. Where nothing in them
-- can change they need not be told apart: an upstream may send a thousand blank lines at once.
local function split(ctx, pending)
    if ctx.plain or (not ctx.sse and not must_read(pending)) then
        local _, to = find(pending, LAST_END, "jo")
        return sub(pending, 1, to), sub(pending, to + 1)
    end
    local out, start = {}, 1
    local place = { pos = 1 }
    local _, to = find(pending, END, "jo", place)
    while to do
        out[#out + 1] = filtered(ctx, sub(pending, start, to))
        start = to + 1
        place.pos = start
        _, to = find(pending, END, "jo", place)
    end
    return concat(out), sub(pending, start)
end

-- The whole events of what has come so far; the rest waits. A stream ends at an event too large to hold.
-- A large event comes in a thousand chunks: they are joined once, and only what is new is searched for its end, with
-- the line ends before it.
local function events(ctx, chunk)
    local out = ""
    local unread = ctx.tail == "" and chunk or ctx.tail .. chunk
    ctx.parts[#ctx.parts + 1] = chunk
    ctx.size = ctx.size + #chunk + EACH_PART
    if find(unread, END, "jo") then
        local pending = concat(ctx.parts)
        held.drop(ctx)
        out, unread = split(ctx, pending)
        ctx.parts[1], ctx.size = unread, #unread
    end
    ctx.tail = sub(unread, -3):match("[\r\n]*$")
    if not held.fits(ctx) then
        held.drop(ctx)
        ctx.ended = true
    end
    return out
end

-- The list, once it is whole, and whether it is the end of the answer: of one too large to hold it is at once.
local function whole(ctx, chunk, last)
    ctx.size = ctx.size + #chunk + EACH_PART
    ctx.parts[#ctx.parts + 1] = chunk
    local fits = held.fits(ctx)
    if fits and not last then
        return nil, false
    end
    local unread = lists.passes_unread(ctx)
    local text = (fits or unread) and concat(ctx.parts)
    local kept = fits and lists.message(ctx.entry, text, true)
    held.drop(ctx)
    if not kept and unread then
        ctx.filter = false
        return text, last
    end
    ctx.ended = not last
    return kept or lists.unreadable(ctx.message.id), true
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
        if ctx.ended then -- the client has its answer: what is left of a list too large would be read for nothing
            return ngx.ERROR
        end
        arg[1], arg[2] = whole(ctx, arg[1], arg[2])
        return nil
    elseif not streams.may_pass(ctx) then
        streams.forget(ctx)
        return ngx.ERROR
    end
    arg[1] = events(ctx, arg[1])
    if ctx.ended then
        streams.forget(ctx)
        return ngx.ERROR
    elseif arg[2] then
        streams.forget(ctx)
    end
    return nil
end

return _M
