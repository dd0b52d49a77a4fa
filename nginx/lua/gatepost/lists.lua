-- Lists in an upstream's answer, cut down to what the caller may use. Bytes that stay are the upstream's own.

local cjson = require "cjson.safe"
local json = require "gatepost.json"

local bytes, first, following, key, skip, space = json.bytes, json.first, json.next, json.key, json.skip, json.space
local sub, concat = string.sub, table.concat

local MAX_NAME = 8192
local TTL_MS = 2000
local READ = "resources/read"

local _M = {}

-- Which list a member of `result` is: the member that names an item, the method whose names count, the blocked kind.
local LISTS = {
    tools = { "name", "tools/list", "tool" },
    prompts = { "name", "prompts/list", "prompt" },
    resources = { "uri", "resources/list", "resource" },
    resourceTemplates = { "uriTemplate", "resources/templates/list", "resource" },
}

-- Methods whose results may carry cache hints (MCP 2026-07-28, caching); all but the last are held back until whole.
_M.CACHEABLE = { ["tools/list"] = true, ["prompts/list"] = true, ["resources/list"] = true,
    ["resources/templates/list"] = true, ["server/discover"] = true, [READ] = true }

local WATCHED = { result = true, cacheScope = true, ttlMs = true }
for name, list in pairs(LISTS) do
    WATCHED[name], WATCHED[list[1]] = true, true
end

-- Whether a key in [from, to) with its quotes, written with escapes, is one of those that are looked for.
local function hides(text, from, to)
    local name = json.string(text, from, to, 256)
    return name and WATCHED[name]
end

-- The members of the object at i as {name → {from, to}}, and the offset behind it; nil where it is not strict JSON.
local function members(text, p, i)
    local found = {}
    local at, behind = first(p, i, json.CLOSE)
    while at do
        local from, to, value = key(p, at)
        if not from then
            local colon = skip(text, at)
            value = colon and not hides(text, at, colon) and space(p, space(p, colon) + 1)
        end
        local stop = value and skip(text, value)
        if not stop then
            return nil
        end
        if from and to - from <= 32 then
            local name = sub(text, from + 1, to)
            if found[name] then
                return nil
            end
            found[name] = { value, stop }
        end
        at, behind = following(p, stop, json.CLOSE)
    end
    if behind then
        return found, behind
    end
    return nil
end

local function allowed(entry, list, text, p, i)
    if p[i] ~= json.OPEN then
        return false
    end
    local names, blocked = entry.rights[list[2]], entry.blocked[list[3]]
    if names and names["*"] and not (blocked and next(blocked)) then
        return true
    end
    local item = members(text, p, i)
    local place = item and item[list[1]]
    local name = place and p[place[1]] == json.QUOTE and json.string(text, place[1], place[2], MAX_NAME)
    return name and names and (names["*"] or names[name]) and not (blocked and blocked[name])
end

-- The array at i with the items that the caller may use.
local function filtered(entry, list, text, p, i)
    local parts = {}
    local at, behind = first(p, i, json.CLOSE_ARRAY)
    while at do
        local stop = skip(text, at)
        if not stop then
            return nil
        end
        if allowed(entry, list, text, p, at) then
            parts[#parts + 1] = sub(text, at + 1, stop)
        end
        at, behind = following(p, stop, json.CLOSE_ARRAY)
    end
    return behind and "[" .. concat(parts, ",") .. "]" or nil
end

local function replacements(entry, text, p, result, cacheable)
    local list = {}
    for name, rule in pairs(LISTS) do
        local place = result[name]
        if place and p[place[1]] == json.OPEN_ARRAY then
            cacheable = true
            local kept = filtered(entry, rule, text, p, place[1])
            if not kept then
                return nil
            end
            list[#list + 1] = { place[1], place[2], kept }
        end
    end
    if cacheable and result.cacheScope then
        list[#list + 1] = { result.cacheScope[1], result.cacheScope[2], '"private"' }
    end
    if cacheable and result.ttlMs then
        local ttl = tonumber(sub(text, result.ttlMs[1] + 1, result.ttlMs[2]))
        list[#list + 1] = { result.ttlMs[1], result.ttlMs[2], tostring(math.min(ttl or 0, TTL_MS)) }
    end
    table.sort(list, function(a, b) return a[1] < b[1] end)
    return list
end

-- One JSON-RPC message as the caller may see it; nil where it holds what cannot be read strictly.
function _M.message(entry, text, cacheable)
    local p = bytes(text)
    local start = space(p, 0)
    if p[start] ~= json.OPEN then
        return nil
    end
    local envelope, behind = members(text, p, start)
    if not envelope or space(p, behind) ~= #text then
        return nil
    end
    local result = envelope.result
    if not result or p[result[1]] ~= json.OPEN then
        return text
    end
    result = members(text, p, result[1])
    local list = result and replacements(entry, text, p, result, cacheable)
    if not list then
        return nil
    end
    local parts, from = {}, 1
    for _, part in ipairs(list) do
        parts[#parts + 1] = sub(text, from, part[1])
        parts[#parts + 1] = part[3]
        from = part[2] + 1
    end
    parts[#parts + 1] = sub(text, from)
    return concat(parts)
end

-- Whether an answer in JSON is looked at: lists always, what was read where hints may stand in it.
function _M.held(ctx)
    return _M.CACHEABLE[ctx.method] and (ctx.method ~= READ or ctx.modern)
end

-- Whether an answer passes as it is where it is too large to hold or cannot be read: it is no list.
function _M.passes_unread(ctx)
    return ctx.method == READ
end

-- The JSON-RPC error in place of an answer that cannot be read strictly; `id` is the request's, raw JSON.
function _M.unreadable(id)
    return '{"jsonrpc":"2.0","id":' .. (id or "null") .. ',"error":' .. cjson.encode {
        code = -31002, message = "the upstream's answer is too large or not strict JSON",
        data = { layer = "upstream", rule = "list" },
    } .. "}"
end

return _M
