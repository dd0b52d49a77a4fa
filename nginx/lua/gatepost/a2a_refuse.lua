-- Refusals at an agent, in the error form of the binding that was used: a JSON-RPC error, or google.rpc.Status with an
-- ErrorInfo for HTTP+JSON (A2A 1.0, 9.5 and 11.6).

local body = require "gatepost.body"
local json = require "gatepost.json"
local refuse = require "gatepost.refuse"
local response = require "gatepost.response"
local routes = require "gatepost.a2a_routes"

local _M = {}

local STATUS = {
    [400] = "INVALID_ARGUMENT", [401] = "UNAUTHENTICATED", [403] = "PERMISSION_DENIED", [404] = "NOT_FOUND",
    [413] = "OUT_OF_RANGE", [415] = "INVALID_ARGUMENT", [429] = "RESOURCE_EXHAUSTED", [431] = "OUT_OF_RANGE",
    [502] = "UNAVAILABLE", [503] = "UNAVAILABLE", [504] = "DEADLINE_EXCEEDED",
}

local CODES = { token = refuse.TOKEN, policy = refuse.POLICY, upstream = refuse.UPSTREAM, gateway = refuse.INVALID }

local function rest(status, layer, rule, text)
    local info = '{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":' .. json.quote(rule:upper())
        .. ',"domain":"gatepost.dev","metadata":{"layer":"' .. layer .. '","rule":' .. json.quote(rule)
        .. "}}"
    return refuse.send(status, "application/json", '{"error":{"code":' .. status .. ',"status":"' .. STATUS[status]
        .. '","message":' .. json.quote(text) .. ',"details":[' .. info .. "]}}")
end

-- Refuses `call` = {rpc, id}. A client of JSON-RPC reads an error with its id only from an answer of status 200.
function _M.call(call, status, layer, rule, text, code)
    if call.rpc then
        return refuse.denied(false, status, call.id, code or CODES[layer], layer, rule, text)
    end
    return rest(status, layer, rule, text)
end

-- For error_page, where ngx.ctx is gone. The cards come from the registry, which is a part of the gateway.
function _M.failed()
    local _, path = routes.split(ngx.var.request_uri)
    local data = path == "" and ngx.req.get_body_data()
    local message = data and body.read(data)
    local call = { rpc = path == "", id = message and message.id }
    local status, rule, text = response.failure()
    if ngx.var.gatepost_target:find("^http://gatepost_registry/") then
        return _M.call(call, 503, "gateway", "unavailable", "the registry, which serves the cards, does not answer now",
            refuse.UNAVAILABLE)
    end
    return _M.call(call, status, "upstream", rule, text)
end

return _M
