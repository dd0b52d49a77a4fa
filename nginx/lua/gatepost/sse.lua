-- The HTTP+SSE transport of 2024-11-05: a GET opens a stream, its first event names the endpoint for POSTs, and answers
-- come on the stream. What a POST needs to reach the same upstream is sealed into the endpoint that the client is told.

local refuse = require "gatepost.refuse"
local session = require "gatepost.session"

local _M = {}

local REFUSAL = "gatepost:"
-- A refusal repeats the name that the caller chose, and what is sealed must not be as long as that may be.
local MOST_TEXT = 1024

function _M.spoken(entry)
    local to = entry.server and entry.server.upstream
    return to and to.transport == "sse"
end

-- Opens what a POST carries. False where it is not this caller's; nil where it carries nothing.
function _M.restore(ctx)
    local sealed = ngx.var.arg_sessionId
    if not sealed then
        return nil
    end
    local address, target = session.open("endpoint", ctx, sealed)
    if not address then
        return false
    end
    ctx.pin, ctx.target = address, target
    return true
end

-- The path that a URI reference of the upstream leads to (RFC 3986, 5.2.2); nil where it leaves the upstream's origin.
local function target_of(upstream, reference)
    if not reference:find("^[!-~]+$") then
        return nil
    end
    local origin, rest = reference:match("^(%a[%w+.-]*://[^/?#]*)(.*)$")
    if origin then
        if origin:lower() ~= (upstream.scheme .. "://" .. upstream.host):lower() then
            return nil
        end
        reference = rest:sub(1, 1) == "/" and rest or "/" .. rest
    elseif reference:sub(1, 2) == "//" then
        return nil
    end
    reference = reference:match("^[^#]*")
    local path = upstream.target:match("^[^?]*")
    if reference:sub(1, 1) == "?" then
        return path .. reference
    elseif reference:sub(1, 1) ~= "/" then
        return path:match("^(.*/)") .. reference
    end
    return reference
end

-- The endpoint as the client is told it; nil for one that is refused.
function _M.endpoint(ctx, reference)
    local target = target_of(ctx.entry.server.upstream, reference)
    if not target then
        ngx.log(ngx.ERR, ctx.resource, " names an endpoint outside its own origin: the stream ends")
        return nil
    end
    return ctx.resource .. "?sessionId=" .. session.seal("endpoint", ctx, target)
end

-- A refusal must come on the stream, which may be open at another gateway: an HTTP error ends the session of several
-- clients, and none reads the POST's body. So the upstream is asked, under an id that holds the refusal, for a method
-- that no server has, and its error is replaced on the way back.
function _M.refuse(ctx, message, code, layer, rule, text)
    if #text > MOST_TEXT then
        text = text:sub(1, MOST_TEXT):gsub("[\192-\255][\128-\191]*$", "") .. "…"
    end
    local sealed = session.seal("refusal", ctx, refuse.error_text(message.id, code, layer, rule, text))
    ngx.req.set_body_data('{"jsonrpc":"2.0","id":"' .. REFUSAL .. sealed .. '","method":"gatepost/refused"}')
end

-- The refusal that an event's data brings back, or nil.
function _M.refusal(ctx, data)
    local sealed = data:match('"' .. REFUSAL .. '([%w_-]+)"')
    local _, text = nil, nil
    if sealed then
        _, text = session.open("refusal", ctx, sealed)
    end
    return text
end

return _M
