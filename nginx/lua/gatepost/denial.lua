-- How a call at an MCP server is turned away: its line in the audit log, and an answer that names layer and rule.

local audit = require "gatepost.audit"
local policy = require "gatepost.policy"
local refuse = require "gatepost.refuse"
local sse = require "gatepost.sse"
local step_up = require "gatepost.step_up"
local upstream = require "gatepost.upstream"

local _M = {}

function _M.log(caller, resource, message, rule)
    audit.log(audit.members(caller, resource, message and message.method,
        message and (message.name or message.uri), "deny", rule))
end

-- Nobody who is known here: `why` as gatepost.verdict says it, `reason` as auth does.
function _M.caller(resource, why, reason)
    _M.log(nil, resource, nil, why == "token" and reason or why or "missing")
    if why == "unavailable" then
        ngx.header["Retry-After"] = 1
        return refuse.rpc(503, nil, refuse.UNAVAILABLE, "gateway", why,
            "the gateway cannot check this credential now; it will be able to again shortly")
    elseif why == "misses" then
        ngx.header["Retry-After"] = 10
        return refuse.rpc(429, nil, refuse.LIMIT, "gateway", why,
            "too many bad credentials from this address; mend the token and wait")
    elseif why == "origin" then
        return refuse.rpc(403, nil, refuse.TOKEN, "token", why,
            "a session cookie counts only with JSON from this gateway's own pages; send a bearer token")
    end
    refuse.challenge(resource, reason)
    return refuse.rpc(401, nil, refuse.TOKEN, "token", reason or "missing",
        reason and refuse.token_text(reason) or "no credential: send Authorization: Bearer with a token")
end

function _M.method(ctx, text, allow)
    _M.log(ctx.entry.caller, ctx.resource, nil, "http_method")
    ngx.header["Allow"] = allow
    return refuse.rpc(405, nil, refuse.INVALID, "gateway", "http_method", text)
end

function _M.session(ctx, message)
    _M.log(ctx.entry.caller, ctx.resource, message, "session")
    return refuse.rpc(404, message.id, refuse.SESSION, "gateway", "session",
        "this session is not known here, or not yours; initialize a new one")
end

-- A message that was read. In HTTP+SSE its refusal comes on the stream, where a notification has none.
function _M.message(ctx, modern, status, message, code, layer, rule, text)
    _M.log(ctx.entry.caller, ctx.resource, message, rule)
    if ctx.target and not message.id then
        return ngx.exit(202)
    elseif ctx.target and not ctx.entry.server.refusal then
        sse.refuse(ctx, message, code, layer, rule, text)
        return upstream.choose(ctx.entry, ctx) or _M.session(ctx, message)
    end
    return refuse.denied(modern, status, message.id, code, layer, rule, text)
end

-- What the caller's rights do not reach. A client that can ask for a scope that does is told so by 403 in every era.
function _M.policy(ctx, modern, status, message, code, rule, text)
    local scope = step_up.needed(ctx.entry, function(wider) return policy.decide(wider, message, modern) end)
    if scope then
        _M.log(ctx.entry.caller, ctx.resource, message, rule)
        step_up.challenge(ctx.entry, ctx.resource, scope, text)
        return refuse.rpc(403, message.id, code, "policy", rule, text)
    end
    return _M.message(ctx, modern, status, message, code, "policy", rule, text)
end

local UNCALLABLE = {
    disabled = "this server is disabled; an administrator can enable it",
    stdio_only = "this server has no HTTP endpoint: it is listed, not callable",
    unresolved = "this server's host name cannot be used",
}
local UNREACHED = { unresolved = true, token_endpoint = true }

-- A server that takes no calls now.
function _M.server(ctx, modern, message)
    local why, detail = ctx.entry.server.refusal, ctx.entry.server.refusal_detail
    return _M.message(ctx, modern, UNREACHED[why] and 502 or 403, message, refuse.UPSTREAM, "upstream", why,
        type(detail) == "string" and detail or UNCALLABLE[why])
end

return _M
