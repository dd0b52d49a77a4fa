-- One request at /a2a/<agent>, from the credential to the agent or, for its cards, to the registry; docs/agents.md
-- tells it in words.

local audit = require "gatepost.audit"
local config = require "gatepost.config"
local credential = require "gatepost.credential"
local headers = require "gatepost.headers"
local origin = require "gatepost.origin"
local policy = require "gatepost.a2a_policy"
local read_body = require "gatepost.a2a_body"
local refuse = require "gatepost.refuse"
local refusal = require "gatepost.a2a_refuse"
local request_id = require "gatepost.request_id"
local response = require "gatepost.response"
local routes = require "gatepost.a2a_routes"
local upstream = require "gatepost.upstream"
local verdict = require "gatepost.verdict"

local _M = {}

local NONE = {}

-- `call` is what is known of the request: resource, rpc, path, query; then entry, operation, tenant, id, pushes.
local function deny(call, status, layer, rule, text, code)
    audit.log(audit.members(call.entry and call.entry.caller, call.resource, call.operation, nil, "deny", rule))
    return refusal.call(call, status, layer, rule, text, code)
end

local function deny_caller(call, why, reason)
    if why == "unavailable" then
        ngx.header["Retry-After"] = 1
        return deny(call, 503, "gateway", why,
            "the gateway cannot check this credential now; it will be able to again shortly", refuse.UNAVAILABLE)
    elseif why == "misses" then
        ngx.header["Retry-After"] = 10
        return deny(call, 429, "gateway", why, "too many bad credentials from this address; wait", refuse.LIMIT)
    elseif why == "origin" then
        return deny(call, 403, "token", why,
            "a session cookie counts only with JSON from this gateway's own pages; send a bearer token")
    end
    refuse.challenge(call.resource, reason)
    return deny(call, 401, "token", reason or "missing",
        reason and refuse.token_text(reason) or "no credential: send Authorization: Bearer with a token")
end

-- Why the kind of a body is refused, or nil. HTTP+JSON has a media type of its own, as JSON as the other.
local function content_error(call, sent)
    local kind = sent["content-type"]
    if kind and not call.rpc then
        kind = kind:gsub("^application/a2a%+json", "application/json")
    end
    return headers.content_error { ["content-type"] = kind, ["content-encoding"] = sent["content-encoding"] }
end

local BODILESS = { CancelTask = true, SubscribeToTask = true }

-- Reads the body into the call; true where it may go on.
local function read(call, sent, method)
    ngx.req.read_body()
    local data = ngx.req.get_body_data()
    local cap = call.entry.max_body
    if not data and ngx.req.get_body_file() then
        return deny(call, 413, "gateway", "body", "the body is larger than the gateway reads")
    elseif not data then
        return method ~= "POST" or BODILESS[call.operation]
            or deny(call, 400, "gateway", "body", "the request has no body")
    elseif method ~= "POST" then
        return deny(call, 400, "gateway", "body", method .. " takes no body")
    end
    local unfit = content_error(call, sent)
    if unfit then
        return deny(call, 415, "gateway", "body", unfit)
    elseif cap and #data > cap then
        return deny(call, 413, "gateway", "body", "the body is larger than the " .. cap
            .. " bytes that this agent takes")
    end
    local message, reason, partial = (call.rpc and read_body.rpc or read_body.rest)(data)
    if not message then
        call.id = partial and partial.id
        return deny(call, 400, "gateway", "body", reason)
    end
    call.id, call.pushes, call.body_tenant = message.id, message.pushes, message.tenant
    call.operation = call.operation or message.method
    return true
end

-- Whether the caller may have what the request asks for.
local function check(call)
    local allowed, status, layer, rule, text = policy.decide(call)
    return allowed or deny(call, status, layer, rule, text)
end

-- One interface of an agent as gatepost.upstream wants a server: all that the agent's part says, and its upstream.
local function server_of(server, interface)
    local part = interface.part
    if not part then
        part = setmetatable({ upstream = interface.upstream, route = false }, { __index = server })
        interface.part = part
    end
    return part
end

local function to_agent(call, ctx)
    upstream.choose({ caller = call.entry.caller, server = server_of(call.entry.server, call.interface) }, ctx)
    if not call.rpc then
        ngx.var.gatepost_target = ctx.route.target .. call.path .. call.query
    end
end

-- The registry answers for the cards, and wants to know who asks.
local function to_registry(call, header, value)
    local known, why, reason = verdict.find("/api", header, value)
    if not known then
        return deny_caller(call, why, reason)
    end
    local var = ngx.var
    var.gatepost_target = "http://gatepost_registry" .. call.resource
        .. (call.operation == routes.CARD and "/.well-known/agent-card.json" or call.rpc and "" or "/extendedAgentCard")
    var.gatepost_host = config.public_origin:match("://(.+)$")
    var.gatepost_identity = known.caller.identity
end

local function allow(call, header, value)
    local line = audit.allowed(call.entry, call.resource, call.operation, "")
    audit.log(line)
    local ctx = { entry = call.entry, resource = call.resource, header = header, credential = value,
        method = call.operation, message = { method = call.action, id = call.id or "null" },
        line = line, sent_at = false, route = false, try = 0, filter = false, kinds = response.A2A_KINDS, plain = true }
    ngx.ctx = ctx
    if call.action == "read" then
        return to_registry(call, header, value)
    end
    return to_agent(call, ctx)
end

-- Whether path and HTTP method name something.
local function check_path(call, method)
    if call.rpc and method ~= "POST" then
        ngx.header["Allow"] = "POST"
        return deny(call, 405, "gateway", "http_method", "JSON-RPC is posted; the agent's card is at "
            .. call.resource .. "/.well-known/agent-card.json")
    elseif not call.rpc and not call.operation then
        return deny(call, 404, "gateway", "path", "HTTP+JSON of A2A 1.0 has no such path for this method")
    end
    return true
end

local function check_headers(call, sent)
    if sent.many then
        return deny(call, 431, "gateway", "header", "the request has too many headers")
    elseif sent.twice then
        return deny(call, 400, "gateway", "header", "the header " .. sent.twice .. " is sent twice")
    end
    return true
end

function _M.access()
    request_id.assign()
    local resource, path, query = routes.split(ngx.var.request_uri)
    if not resource then
        audit.log(audit.members(nil, nil, nil, nil, "deny", "path"))
        return refuse.problem(404, "not-found", "Not found", "An A2A agent is called at /a2a/<slug>.")
    end
    local method = ngx.req.get_method()
    local call = { resource = resource, rpc = path == "", path = path, query = query }
    call.binding = call.rpc and "JSONRPC" or "HTTP+JSON"
    if not call.rpc then
        call.operation, call.path_tenant = routes.rest(method, path)
    end
    local sent = headers.read()
    local rule, text = origin.refusal(sent)
    if rule then
        return deny(call, 403, "gateway", rule, text)
    end
    if not check_path(call, method) or not check_headers(call, sent) then
        return
    end
    local header, value, why = credential.find(sent, true)
    local reason
    if value then
        call.entry, why, reason = verdict.find(resource, header, value)
    end
    if not call.entry then
        return deny_caller(call, why, reason)
    end
    for _, name in ipairs(sent.ours or NONE) do
        ngx.req.clear_header(name)
    end
    if read(call, sent, method) and check(call) then
        return allow(call, header, value)
    end
end

return _M
