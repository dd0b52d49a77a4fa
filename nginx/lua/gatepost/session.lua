-- What an upstream gives out to be sent back to it (a session id, an event id, the endpoint of HTTP+SSE), sealed for
-- the caller who got it: any gateway can open it, another caller cannot, and it leads to the address that gave it.

local config = require "gatepost.config"
local crypto = require "gatepost.crypto"

local _M = {}

local key

local function about(kind, ctx)
    local principal = ctx.entry.caller.principal
    return kind .. #principal .. ":" .. principal .. ctx.resource
end

local function sealing_key()
    key = key or crypto.sha256("gatepost session\n" .. config.secret)
    return key
end

-- The address of the upstream that answers, the last one where several were tried.
local function address_of(ctx)
    return ctx.address or ctx.pin or ngx.var.upstream_addr:match("([^%s,]+)$")
end

-- Seals a value of one kind ("session", "event", "endpoint") that comes from this request's upstream.
function _M.seal(kind, ctx, value)
    return crypto.seal(sealing_key(), address_of(ctx) .. "\n" .. value, about(kind, ctx))
end

-- The address and the value that were sealed for this caller at this resource; nil for anything else.
function _M.open(kind, ctx, sealed)
    local text = crypto.open(sealing_key(), sealed, about(kind, ctx))
    if not text then
        return nil
    end
    return text:match("^([^\n]+)\n(.*)$")
end

local function restore(ctx, kind, header, sealed)
    if ctx.modern then
        ngx.req.clear_header(header)
        return true
    end
    local address, value = _M.open(kind, ctx, sealed)
    if not address then
        return false
    end
    ngx.req.set_header(header, value)
    ctx.pin = address
    return true
end

-- Puts the upstream's own ids in place of those that the request carries. False where one is not this caller's, or the
-- secret it was sealed with is gone. The stateless protocol knows none of them (MCP 2026-07-28, transports).
function _M.restore(ctx, sent)
    local id, event = sent["mcp-session-id"], sent["last-event-id"]
    return (not event or restore(ctx, "event", "Last-Event-ID", event))
        and (not id or restore(ctx, "session", "Mcp-Session-Id", id))
end

return _M
