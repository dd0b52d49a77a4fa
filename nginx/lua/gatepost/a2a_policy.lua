-- Whether a caller may do at an agent what a request asks for. Unknown methods are denied.

local routes = require "gatepost.a2a_routes"

local _M = {}

local UNCALLABLE = {
    disabled = "this agent is disabled; an administrator can enable it",
    no_interface = "this agent has no interface that the gateway carries",
    unresolved = "this agent's host name cannot be used",
}

-- Whether each place that can name a tenant names the interface's own, or none. Some agents read it from the query.
local function keeps_tenant(call, tenant)
    local arguments, truncated = ngx.decode_args(call.query:sub(2), 100)
    if truncated then
        return false
    end
    for name, value in pairs(arguments) do
        if name:lower() == "tenant" and value ~= "" and value ~= tenant then
            return false
        end
    end
    for _, named in ipairs { call.path_tenant or "", call.body_tenant or "" } do
        if named ~= "" and named ~= tenant then
            return false
        end
    end
    return true
end

local function refused(server)
    local why = server.refusal
    local detail = server.refusal_detail
    local status = (why == "unresolved" or why == "token_endpoint") and 502 or 403
    return nil, status, "upstream", why,
        type(detail) == "string" and detail or UNCALLABLE[why]
end

-- An invocation, which goes to the agent: sets call.interface.
local function invocation(call)
    local server = call.entry.server
    if server.refusal then
        return refused(server)
    end
    local interface = server.interfaces[call.binding]
    if not interface then
        return nil, 403, "upstream", "binding", "this agent has no " .. call.binding .. " interface"
    elseif (call.pushes or call.operation == routes.CREATE_PUSH) and not server.push_notifications then
        return nil, 403, "policy", "push_notifications", "the agent would call a URL of the caller's choice, "
            .. "which this agent's entry does not allow; subscribe to the task instead"
    elseif not keeps_tenant(call, interface.tenant) then
        return nil, 403, "policy", "tenant", "the agent's card names another tenant than this request"
    end
    call.interface = interface
    return true
end

-- Decides on `call` = {entry, operation, binding, rpc, query, path_tenant, body_tenant, pushes} and sets its `action`
-- and, where it is for the agent, its `interface`. Returns true; or nil, a status, the layer, the rule and a sentence.
function _M.decide(call)
    local operation = call.operation
    local action = routes.ACTIONS[operation]
    if not call.entry.any then
        return nil, 403, "policy", "agent", "no scope of yours reaches this agent, or it does not exist"
    elseif not action or (call.rpc and operation == routes.CARD) then
        return nil, 403, "policy", "method", "A2A 1.0 has no method " .. operation:sub(1, 64)
    elseif not call.entry.rights[action] then
        return nil, 403, "policy", action,
            "no scope of yours allows " .. action .. " of this agent; a scope that names it would help"
    end
    call.action = action
    if action == "read" then
        return true
    end
    return invocation(call)
end

return _M
