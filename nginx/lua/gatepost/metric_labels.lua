-- What a call is counted as: labels from the audit text of its line. They are bounded and never hold what a refused
-- caller made up.

local cjson = require "cjson.safe"
local routes = require "gatepost.a2a_routes"

local shared = ngx.shared.gatepost_metrics
local servers = ngx.shared.gatepost_servers

local TOOLS = 100
local LONGEST_NAME = 128

local _M = {}

local METHODS = {}
for _, name in ipairs {
    "initialize", "ping", "server/discover", "tools/list", "tools/call", "prompts/list", "prompts/get",
    "resources/list", "resources/templates/list", "resources/read", "resources/subscribe", "resources/unsubscribe",
    "completion/complete", "logging/setLevel", "subscriptions/listen", "notifications/initialized",
    "notifications/cancelled", "notifications/progress", "notifications/roots/list_changed", "tasks/get",
    "tasks/list", "tasks/result", "tasks/update", "tasks/cancel", "response", "GET", "DELETE"
} do
    METHODS[name] = name
end
for operation in pairs(routes.ACTIONS) do
    METHODS[operation] = operation
end

-- A label's text as the exposition format has it.
local function quote(value)
    return '"' .. value:gsub('[\\"\n]', { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }) .. '"'
end

-- The server's label: its slug where a verdict knows it, so that nobody can make labels by calling names.
local function known_server(name)
    local resource = name and (name:sub(1, 1) == "/" and name or "/mcp/" .. name)
    return resource and servers:get(resource) and name or ""
end

-- The first tools that were allowed at a server have labels of their own, the same in all workers.
local function known_tool(server, tool, allowed)
    local mark = "tool\n" .. server .. "\n" .. tool
    if #tool <= LONGEST_NAME and (shared:get(mark) or (allowed
        and (shared:incr("tools\n" .. server, 1, 0) or TOOLS) <= TOOLS and shared:set(mark, true))) then
        return tool
    end
    return "other"
end

-- The labels of the server, those of the call, whether it was allowed, and its method.
function _M.of(text)
    local call = cjson.decode("{" .. text .. "}") or {}
    local function of(name)
        return call[name] ~= cjson.null and call[name] or nil
    end
    local allowed = call.decision == "allow"
    local name, method, tool = known_server(of("server")), of("method"), of("tool")
    local server = "server=" .. quote(name)
    return server, server .. ',method="' .. (method and (METHODS[method] or "other") or "")
        .. '",tool=' .. quote(method == "tools/call" and tool and known_tool(name, tool, allowed) or "")
        .. ',decision="' .. (allowed and "allow" or "deny")
        .. '",rule="' .. (of("rule") or "") .. '"', allowed, method
end

return _M
