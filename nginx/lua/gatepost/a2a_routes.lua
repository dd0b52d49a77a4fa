-- What a request to /a2a/<agent> asks for, by the methods of JSON-RPC (A2A 1.0, 9.4) and the paths of HTTP+JSON (11.3).
-- Whatever is not named here is denied.

local _M = {}

_M.CARD, _M.EXTENDED, _M.CREATE_PUSH = "GetAgentCard", "GetExtendedAgentCard", "CreateTaskPushNotificationConfig"

-- Operation → the action that a scope must allow.
_M.ACTIONS = { [_M.CARD] = "read", [_M.EXTENDED] = "read", [_M.CREATE_PUSH] = "invoke" }
for _, name in ipairs { "SendMessage", "SendStreamingMessage", "GetTask", "ListTasks", "CancelTask", "SubscribeToTask",
    "GetTaskPushNotificationConfig", "ListTaskPushNotificationConfigs", "DeleteTaskPushNotificationConfig" } do
    _M.ACTIONS[name] = "invoke"
end

local CARD_PATH = "/.well-known/agent-card.json"
local EXACT = {
    ["POST /message:send"] = "SendMessage",
    ["POST /message:stream"] = "SendStreamingMessage",
    ["GET /tasks"] = "ListTasks",
    ["GET /extendedAgentCard"] = _M.EXTENDED,
}

-- A segment that names something: no escapes, so that no two readers see two paths.
local ID = "([A-Za-z0-9._~=+@-]+)"
local CONFIGS = "/pushNotificationConfigs"
local PATTERNS = {
    { "^GET /tasks/" .. ID .. "$", "GetTask" },
    { "^POST /tasks/" .. ID .. ":cancel$", "CancelTask" },
    { "^GET /tasks/" .. ID .. ":subscribe$", "SubscribeToTask" },
    { "^POST /tasks/" .. ID .. ":subscribe$", "SubscribeToTask" },
    { "^POST /tasks/" .. ID .. CONFIGS .. "$", _M.CREATE_PUSH },
    { "^GET /tasks/" .. ID .. CONFIGS .. "$", "ListTaskPushNotificationConfigs" },
    { "^GET /tasks/" .. ID .. CONFIGS .. "/" .. ID .. "$", "GetTaskPushNotificationConfig" },
    { "^DELETE /tasks/" .. ID .. CONFIGS .. "/" .. ID .. "$", "DeleteTaskPushNotificationConfig" },
}

-- The agent's resource, the path behind it ("" for JSON-RPC) and the query with its question mark; nil for others.
function _M.split(uri)
    local path, query = uri:match("^([^?]*)(.*)$")
    local resource, slug, behind = path:match("^(/a2a/([a-z0-9][a-z0-9-]*))(.*)$")
    if not resource or #slug > 63 or (behind ~= "" and behind:sub(1, 1) ~= "/") then
        return nil
    end
    return resource, behind, query
end

local function dots(segment)
    return segment == "." or segment == ".."
end

local function operation(line)
    local exact = EXACT[line]
    if exact then
        return exact
    end
    for _, route in ipairs(PATTERNS) do
        local id, other = line:match(route[1])
        if id and not dots(id) and not (other and dots(other)) then
            return route[2]
        end
    end
    return nil
end

-- The operation of HTTP+JSON at the path behind an agent's address, and the tenant before it; nil for none.
function _M.rest(method, path)
    if path == CARD_PATH then
        return method == "GET" and _M.CARD or nil
    end
    local found = operation(method .. " " .. path)
    if found then
        return found, nil
    end
    local tenant, behind = path:match("^/([A-Za-z0-9._~-]+)(/.*)$")
    if tenant and not dots(tenant) then
        return operation(method .. " " .. behind), tenant
    end
    return nil
end

return _M
