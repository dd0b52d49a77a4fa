-- The members of `params` that decide, read strictly: every key spelled so that no parser takes it for another.

local bit = require "bit"
local ffi = require "ffi"
local json = require "gatepost.json"

local first, following, key, skip = json.first, json.next, json.key, json.skip
local skip_string, text_of = json.skip_string, json.string
local bor = bit.bor

local MAX_MEMBERS = 64
local MAX_NAME = 8192
-- Each is interned, and a client can choose texts that share one chain of LuaJIT's string table.
local MAX_URIS = 256

local _M = {}

-- What is read of an object, by the length of the key; `arguments` and `_meta` for their spelling only.
local function members(...)
    local by_length = {}
    for _, name in ipairs({ ... }) do
        by_length[#name] = by_length[#name] or {}
        table.insert(by_length[#name], name)
    end
    return by_length
end
local PARAMS = members("name", "uri", "ref", "taskId", "notifications", "arguments", "_meta")
local REFERENCE = members("name", "uri", "type")
local NOTIFICATIONS = members("resourceSubscriptions")

-- Go's decoder folds the case of keys, so a key that differs from a known one by case alone is refused.
local function same_folded(a, b, length)
    for k = 0, length - 1 do
        local x, y = a[k], b[k]
        if x ~= y then
            local folded = bor(x, 0x20)
            if folded ~= bor(y, 0x20) or folded < 0x61 or folded > 0x7a then
                return false
            end
        end
    end
    return true
end

local function same(a, b, length)
    for k = 0, length - 1 do
        if a[k] ~= b[k] then
            return false
        end
    end
    return true
end

-- The known member that the key at `p` spells; nil for another key, false for a wrong spelling of a known one.
local function known_member(p, length, known)
    local candidates = known[length]
    if candidates then
        for i = 1, #candidates do
            local bytes = json.bytes(candidates[i])
            if same(p, bytes, length) then
                return candidates[i]
            elseif same_folded(p, bytes, length) then
                return false
            end
        end
    end
    return nil
end

local function string_value(body, p, i, what)
    if p[i] ~= json.QUOTE then
        return nil, what .. " must be a string"
    end
    local behind, reason = skip_string(body, p, i)
    if not behind then
        return nil, reason
    end
    local value = text_of(body, i, behind, MAX_NAME)
    if not value then
        return nil, what .. " is too long"
    end
    return behind, value
end

local function strings(body, p, i, list)
    if p[i] ~= json.OPEN_ARRAY then
        return nil, "resourceSubscriptions must be an array"
    end
    local at, behind = first(p, i, json.CLOSE_ARRAY)
    while at do
        local value
        at, value = string_value(body, p, at, "a resource URI")
        if not at then
            return nil, value
        end
        if #list == MAX_URIS then
            return nil, "resourceSubscriptions has more than 256 URIs"
        end
        list[#list + 1] = value
        at, behind = following(p, at, json.CLOSE_ARRAY)
    end
    return behind, not behind and "it is not strict JSON" or nil
end

local read_object

-- Reads one value; the offset behind it, or nil and why it is refused.
local function read_value(body, p, i, name, into)
    if name == "name" or name == "uri" or name == "taskId" then
        local behind, value = string_value(body, p, i, name)
        if not behind then
            return nil, value
        end
        into[name] = value
        return behind
    elseif name == "ref" or name == "notifications" then
        if p[i] ~= json.OPEN then
            return nil, name .. " must be an object"
        end
        into[name] = {}
        return read_object(body, p, i, into[name], name, name == "ref" and REFERENCE or NOTIFICATIONS)
    elseif name == "resourceSubscriptions" then
        into.uris = {}
        return strings(body, p, i, into.uris)
    elseif name == "arguments" then
        return json.skip_shallow(body, p, i)
    end
    return skip(body, i)
end

-- Where the keys of one object began and how long they were, to find one that comes twice; one table a level.
local seen = {
    params = { ffi.new("int32_t[?]", MAX_MEMBERS), ffi.new("int32_t[?]", MAX_MEMBERS) },
    ref = { ffi.new("int32_t[?]", MAX_MEMBERS), ffi.new("int32_t[?]", MAX_MEMBERS) },
    notifications = { ffi.new("int32_t[?]", MAX_MEMBERS), ffi.new("int32_t[?]", MAX_MEMBERS) },
}

local function repeated(p, from, length, starts, lengths, count)
    for k = 0, count - 1 do
        if lengths[k] == length and same_folded(p + starts[k], p + from, length) then
            return true
        end
    end
    return false
end

function read_object(body, p, i, into, where, known)
    local starts, lengths = seen[where][1], seen[where][2]
    local count = 0
    local at, behind = first(p, i, json.CLOSE)
    while at do
        local from, to, value = key(p, at)
        if not from then
            return nil, "a key of " .. where .. " is not plain text"
        elseif count == MAX_MEMBERS then
            return nil, where .. " has more than 64 members"
        elseif repeated(p, from, to - from, starts, lengths, count) then
            return nil, where .. " has a key twice"
        end
        starts[count], lengths[count] = from, to - from
        count = count + 1
        local name = known_member(p + from, to - from, known)
        if name == false then
            return nil, where .. " spells a key in a way that some parsers take for another"
        end
        local reason
        at, reason = read_value(body, p, value, name, into)
        if not at then
            return nil, reason
        end
        at, behind = following(p, at, json.CLOSE)
    end
    return behind, not behind and "it is not strict JSON" or nil
end

-- Reads the object at offset i into `into` (name, uri, taskId, ref, notifications.uris).
-- Returns the offset behind it, or nil and why the body is refused.
function _M.read(body, p, i, into)
    if p[i] ~= json.OPEN then
        return nil, "params must be an object"
    end
    return read_object(body, p, i, into, "params", PARAMS)
end

return _M
