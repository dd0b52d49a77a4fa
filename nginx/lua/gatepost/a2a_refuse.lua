-- Refusals at an agent, in the error form of the binding that was used: a JSON-RPC error, or google.rpc.Status with an
-- ErrorInfo for HTTP+JSON (A2A 1.0, 9.5 and 11.6).

local audit = require "gatepost.audit"
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

-- `call` is {rpc, id, steps_up}. A client of JSON-RPC reads an error with its id only from an answer of status 200, but
-- one that asks for more scope looks for 403.
local function refused(call, status, layer, rule, text, code)
    if call.rpc then
        return refuse.denied(call.steps_up, status, call.id, code or CODES[layer], layer, rule, text)
    end
    return rest(status, layer, rule, text)
end

-- Refuses `call` and writes its line in the audit log.
function _M.deny(call, status, layer, rule, text, code)
    audit.log(audit.members(call.entry and call.entry.caller, call.resource, call.operation, nil, "deny", rule))
    return refused(call, status, layer, rule, text, code)
end

-- Refuses a caller whom auth does not know, or cannot be asked about.
function _M.deny_caller(call, why, reason)
    if why == "unavailable" then
        ngx.header["Retry-After"] = 1
        return _M.deny(call, 503, "gateway", why,
            "the gateway cannot check this credential now; it will be able to again shortly", refuse.UNAVAILABLE)
    elseif why == "misses" then
        ngx.header["Retry-After"] = 10
        return _M.deny(call, 429, "gateway", why,
            "too many bad credentials from this address; mend the token and wait", refuse.LIMIT)
    elseif why == "origin" then
        return _M.deny(call, 403, "token", why,
            "a session cookie counts only with JSON from this gateway's own pages; send a bearer token")
    end
    refuse.challenge(call.resource, reason)
    return _M.deny(call, 401, "token", reason or "missing",
        reason and refuse.token_text(reason) or "no credential: send Authorization: Bearer with a token")
end

-- For error_page, where ngx.ctx is gone. The cards come from the registry, which is a part of the gateway.
function _M.failed()
    local _, path = routes.split(ngx.var.request_uri)
    local data = path == "" and ngx.req.get_body_data()
    local message = data and body.read(data)
    local call = { rpc = path == "", id = message and message.id }
    local status, rule, text = response.failure()
    if ngx.var.gatepost_target:find("^http://gatepost_registry/") then
        return refused(call, 503, "gateway", "unavailable", "the registry, which serves the cards, does not answer now",
            refuse.UNAVAILABLE)
    end
    return refused(call, status, "upstream", rule, text)
end

return _M
