-- Refusals: JSON-RPC errors at MCP paths, problem documents (RFC 9457) elsewhere.

local cjson = require "cjson.safe"
local config = require "gatepost.config"
local json = require "gatepost.json"

local _M = {}

-- Codes of the gateway's own lie outside the range that JSON-RPC and MCP keep (-32768 … -32000).
_M.INVALID, _M.METHOD_NOT_FOUND, _M.HEADER_MISMATCH = -32600, -32601, -32020
_M.TOKEN, _M.UPSTREAM, _M.POLICY, _M.UNAVAILABLE, _M.LIMIT = -31001, -31002, -31003, -31004, -31005
_M.SESSION = -31006

local HANDSHAKE = { ["2024-11-05"] = true, ["2025-03-26"] = true, ["2025-06-18"] = true, ["2025-11-25"] = true }

-- Whether a request speaks the stateless protocol: any version but those of the handshake.
function _M.modern(version)
    return version ~= nil and not HANDSHAKE[version]
end

-- NGINX would compare its own answers of 200 with what the client says it holds, and send 412 or 304 in their place.
local CONDITIONS = { "If-Match", "If-None-Match", "If-Unmodified-Since", "If-Modified-Since" }

function _M.unconditional()
    for i = 1, #CONDITIONS do
        ngx.req.clear_header(CONDITIONS[i])
    end
end

local function send(status, content_type, text)
    _M.unconditional()
    ngx.status = status
    ngx.header["Content-Type"] = content_type
    ngx.header["Content-Length"] = #text
    ngx.header["Cache-Control"] = "no-store"
    ngx.print(text)
    return ngx.exit(ngx.HTTP_OK)
end
_M.send = send

-- A JSON-RPC error with the request's own id (raw JSON), named by `layer` (token, policy, upstream, gateway).
function _M.error_text(id, code, layer, rule, text)
    local data = '{"layer":"' .. layer .. '","rule":' .. (rule and json.quote(rule) or "null") .. "}"
    return '{"jsonrpc":"2.0","id":' .. (id or "null") .. ',"error":{"code":' .. code
        .. ',"message":' .. json.quote(text) .. ',"data":' .. data .. "}}"
end

-- The same as an answer.
function _M.rpc(status, id, code, layer, rule, text)
    return send(status, "application/json", _M.error_text(id, code, layer, rule, text))
end

-- A denial by policy: clients of the legacy eras lose their session or hide the reason on anything but 200.
function _M.denied(modern, status, id, code, layer, rule, text)
    return _M.rpc((modern or not id) and status or 200, id, code, layer, rule, text)
end

-- An RFC 9457 problem document.
function _M.problem(status, kind, title, detail)
    return send(status, "application/problem+json", cjson.encode {
        type = "urn:gatepost:problem:" .. kind, title = title, status = status, detail = detail,
    })
end

-- The challenge of RFC 9728, section 5.1; the same whether the resource exists or not.
function _M.challenge(resource, reason)
    local text = 'Bearer resource_metadata="' .. config.public_origin
        .. "/.well-known/oauth-protected-resource" .. resource .. '"'
    if reason then
        text = text .. ', error="invalid_token", error_description="' .. reason .. '"'
    end
    ngx.header["WWW-Authenticate"] = text
end

local REASONS = {
    expired = "the token has expired; create a new one",
    revoked = "the token was revoked; create a new one",
    malformed = "this is no token of this gateway; create one here",
    audience = "the token is for another resource; get one for this one",
    unknown = "the token is not known here; create one here",
}

-- A sentence for auth's reason.
function _M.token_text(reason)
    return REASONS[reason] or REASONS.unknown
end

return _M
