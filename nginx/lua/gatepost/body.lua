-- The JSON-RPC envelope of a request body, read strictly: what no two parsers can read differently.

local common = require "gatepost.common"
local json = require "gatepost.json"
local params = require "gatepost.params"

local bytes, first, following, key, skip, space = json.bytes, json.first, json.next, json.key, json.skip, json.space
local skip_string, text_of = json.skip_string, json.string
local sub = string.sub

local MAX_METHOD = 128
local MAX_ID = 1024

local _M = {}

local ENVELOPE = { jsonrpc = true, id = true, method = true, params = true, result = true, error = true }

local function read_value(body, p, i, name, envelope)
    if name == "params" then
        return params.read(body, p, i, envelope)
    end
    local behind, reason
    if p[i] == json.QUOTE then
        behind, reason = skip_string(body, p, i)
    else
        behind, reason = skip(body, i)
    end
    if not behind then
        return nil, reason
    end
    if name == "method" then
        if p[i] ~= json.QUOTE then
            return nil, "method must be a string"
        end
        envelope.method = text_of(body, i, behind, MAX_METHOD)
        if not envelope.method then
            return nil, "method is too long"
        end
    elseif name == "id" then
        local b = p[i]
        if not (b == json.QUOTE or b == 0x2d or (b >= 0x30 and b <= 0x39)) or behind - i > MAX_ID then
            return nil, "id must be a string or a number"
        end
        envelope.id = sub(body, i + 1, behind)
    elseif name == "jsonrpc" then
        if behind - i ~= 5 or sub(body, i + 1, behind) ~= '"2.0"' then
            return nil, 'jsonrpc must be "2.0"'
        end
    end
    return behind
end

-- One JSON-RPC message. Returns {method, id (raw JSON), name, uri, taskId, ref, notifications} or
-- {response = true, id}; or nil and why it is refused. A request's id is kept for the refusal where it was read.
function _M.general(body)
    local p, length = bytes(body), #body
    local start = space(p, 0)
    local envelope = {}
    if p[start] == json.OPEN_ARRAY then
        return nil, "a batch is not accepted: send one message a request", envelope
    elseif p[start] ~= json.OPEN then
        return nil, "the body is not one JSON object in UTF-8", envelope
    end
    local seen = {}
    local at, behind = first(p, start, json.CLOSE)
    while at do
        local from, to, value = key(p, at)
        local name = from and to - from <= 8 and sub(body, from + 1, to)
        if not name or not ENVELOPE[name] then
            return nil, "the envelope has a member that JSON-RPC does not know", envelope
        elseif seen[name] then
            return nil, "the envelope has a key twice: " .. name, envelope
        end
        seen[name] = true
        local reason
        at, reason = read_value(body, p, value, name, envelope)
        if not at then
            return nil, reason, envelope
        end
        at, behind = following(p, at, json.CLOSE)
    end
    if not behind then
        return nil, "it is not strict JSON", envelope
    elseif space(p, behind) ~= length then
        return nil, "text follows the message", envelope
    elseif not seen.jsonrpc then
        return nil, 'jsonrpc must be "2.0"', envelope
    end
    local answers = seen.result or seen.error
    if (seen.method and answers) or (seen.result and seen.error) or (answers and not seen.id) then
        return nil, "the envelope mixes a request and a response", envelope
    elseif answers then
        envelope.response = true
    elseif not seen.method then
        return nil, "method is missing", envelope
    end
    return envelope
end

-- The same, by the reader that is quicker with what nearly every client sends.
function _M.read(body)
    local usual = common.read(body)
    if usual then
        return usual
    end
    return _M.general(body)
end

return _M
