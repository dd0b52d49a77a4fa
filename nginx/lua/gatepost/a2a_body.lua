-- The body of an A2A request, read strictly: whose tenant it is for, and whether it names a URL that the agent is to
-- call.

local json = require "gatepost.json"
local rpc = require "gatepost.body"

local bytes, first, following, key, skip, space = json.bytes, json.first, json.next, json.key, json.skip, json.space
local sub = string.sub

local MAX_MEMBERS = 64
local LONGEST = 40
local MAX_TENANT = 128

local _M = {}

-- Readers of protobuf's JSON take task_push_notification_config as well as the camel case, Go's any case.
local function plain(name)
    return (name:lower():gsub("_", ""))
end

-- The members of the object at i as {plain name → offset of the value}; nil and why it is refused. A name that stands
-- there twice, in whatever spelling, is one that two readers may read differently.
local function members(text, p, i, where)
    if p[i] ~= json.OPEN then
        return nil, where .. " must be an object"
    end
    local found, count = {}, 0
    local at, behind = first(p, i, json.CLOSE)
    while at do
        local from, to, value = key(p, at)
        if not from then
            return nil, "a key of " .. where .. " is not plain text"
        elseif count == MAX_MEMBERS then
            return nil, where .. " has more than 64 members"
        end
        count = count + 1
        if to - from <= LONGEST then
            local name = plain(sub(text, from + 1, to))
            if found[name] then
                return nil, where .. " has a key twice"
            end
            found[name] = value
        end
        local reason
        at, reason = skip(text, value)
        if not at then
            return nil, reason
        end
        at, behind = following(p, at, json.CLOSE)
    end
    if not behind then
        return nil, "it is not strict JSON"
    end
    return found, nil, behind
end

local NULL = 0x6e

local function tenant_of(text, p, i)
    if not i or p[i] == NULL then
        return ""
    elseif p[i] ~= json.QUOTE then
        return nil, "tenant must be a string"
    end
    local name = json.string(text, i, skip(text, i), MAX_TENANT)
    return name, not name and "tenant is too long" or nil
end

-- Whether the object of a request names a URL to call: `params`, or the body of HTTP+JSON.
local function pushes(text, p, i)
    if not i or p[i] == NULL then
        return false
    end
    local configuration, reason = members(text, p, i, "configuration")
    if not configuration then
        return nil, reason
    end
    return (configuration.taskpushnotificationconfig or configuration.pushnotificationconfig) ~= nil
end

local function request(text, p, i, where, into)
    local found, reason, behind = members(text, p, i, where)
    if not found then
        return nil, reason
    end
    into.tenant, reason = tenant_of(text, p, found.tenant)
    if not into.tenant then
        return nil, reason
    end
    into.pushes, reason = pushes(text, p, found.configuration)
    if into.pushes == nil then
        return nil, reason
    end
    return behind
end

-- {tenant, pushes} of a body of HTTP+JSON; or nil and why it is refused.
function _M.rest(text)
    local p, into = bytes(text), {}
    local behind, reason = request(text, p, space(p, 0), "the body", into)
    if not behind then
        return nil, reason
    elseif space(p, behind) ~= #text then
        return nil, "text follows the body"
    end
    return into
end

-- {method, id, tenant, pushes} of a JSON-RPC request; or nil, why it is refused, and {id} where it was read.
function _M.rpc(text)
    local message, reason, partial = rpc.read(text)
    if not message then
        return nil, reason, partial
    elseif not message.method or not message.id then
        return nil, "A2A has requests only: give a method and an id", message
    end
    local p = bytes(text)
    local envelope
    envelope, reason = members(text, p, space(p, 0), "the envelope")
    local into = { method = message.method, id = message.id, tenant = "", pushes = false }
    if not envelope then
        return nil, reason, message
    elseif envelope.params then
        local behind
        behind, reason = request(text, p, envelope.params, "params", into)
        if not behind then
            return nil, reason, message
        end
    end
    return into
end

return _M
