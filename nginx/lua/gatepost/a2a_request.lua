-- What a request at an agent must be before anybody asks who sent it, and its body, read strictly. `call` is what is
-- known of it: resource, rpc, path, query, and then entry, operation, path_tenant, body_tenant, id, pushes.

local body = require "gatepost.a2a_body"
local headers = require "gatepost.headers"
local origin = require "gatepost.origin"
local refusal = require "gatepost.a2a_refuse"

local deny = refusal.deny

local _M = {}

-- Whether the page that a request comes from may call, if it comes from one; its scripts may read the answer then.
local function check_page(call, method, sent)
    local rule, text = origin.refusal(sent)
    if rule then
        return deny(call, 403, "gateway", rule, text)
    elseif origin.is_allowed(sent.origin) then
        ngx.var.gatepost_origin = sent.origin
        if method == "OPTIONS" then
            return origin.preflight()
        end
    end
    return true
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

-- Whether page, path and headers of a request are such that it can be looked at.
function _M.is_proper(call, method, sent)
    return check_page(call, method, sent) and check_path(call, method) and check_headers(call, sent)
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
function _M.read(call, sent, method)
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
    local message, reason, partial = (call.rpc and body.rpc or body.rest)(data)
    if not message then
        call.id = partial and partial.id
        return deny(call, 400, "gateway", "body", reason)
    end
    call.id, call.pushes, call.body_tenant = message.id, message.pushes, message.tenant
    call.operation = call.operation or message.method
    return true
end

return _M
