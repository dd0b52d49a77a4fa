-- One request at /a2a/<agent>, from the credential to the agent or, for its cards, to the registry; docs/agents.md
-- tells it in words.

local audit = require "gatepost.audit"
local config = require "gatepost.config"
local credential = require "gatepost.credential"
local headers = require "gatepost.headers"
local limits = require "gatepost.limits"
local policy = require "gatepost.a2a_policy"
local refuse = require "gatepost.refuse"
local refusal = require "gatepost.a2a_refuse"
local request = require "gatepost.a2a_request"
local request_id = require "gatepost.request_id"
local response = require "gatepost.response"
local routes = require "gatepost.a2a_routes"
local step_up = require "gatepost.step_up"
local upstream = require "gatepost.upstream"
local verdict = require "gatepost.verdict"

local deny = refusal.deny

local _M = {}

local NONE = {}

-- Whether the caller may have what the request asks for, now.
local function check(call)
    local allowed, status, layer, rule, text = policy.decide(call)
    if not allowed then
        local scope = step_up.needed(call.entry, function(wider)
            return policy.decide(setmetatable({ entry = wider }, { __index = call }))
        end)
        if scope then
            step_up.challenge(call.entry, call.resource, scope, text)
            call.steps_up = true
        end
        return deny(call, status, layer, rule, text)
    elseif call.interface then
        local limit, wait, why = limits.exceeded(call.entry, call.resource, { method = call.operation })
        if limit then
            ngx.header["Retry-After"] = wait
            return deny(call, 429, "policy", limit, why, refuse.LIMIT)
        end
    end
    return true
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
local function to_registry(call)
    local var = ngx.var
    var.gatepost_target = "http://gatepost_registry" .. call.resource
        .. (call.operation == routes.CARD and "/.well-known/agent-card.json" or call.rpc and "" or "/extendedAgentCard")
    var.gatepost_host = config.public_origin:match("://(.+)$")
    var.gatepost_identity = call.entry.caller.identity
end

local function allow(call, header, value)
    local line = audit.allowed(call.entry, call.resource, call.operation, "")
    audit.log(line)
    local ctx = { entry = call.entry, resource = call.resource, header = header, credential = value,
        method = call.operation, message = { method = call.action, id = call.id or "null" }, line = line,
        sent_at = false, route = false, try = 0, filter = false, deadline = false, pin = false, target = false,
        modern = true, kinds = response.A2A_KINDS, plain = true }
    ngx.ctx = ctx
    if call.action == "read" then
        return to_registry(call)
    end
    return to_agent(call, ctx)
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
    if not request.is_proper(call, method, sent) then
        return
    end
    local header, value, why = credential.find(sent, true)
    local reason
    if value then
        call.entry, why, reason = verdict.find(resource, header, value)
    end
    if not call.entry then
        return refusal.deny_caller(call, why, reason)
    end
    for _, name in ipairs(sent.ours or NONE) do
        ngx.req.clear_header(name)
    end
    if request.read(call, sent, method) and check(call) then
        return allow(call, header, value)
    end
end

return _M
