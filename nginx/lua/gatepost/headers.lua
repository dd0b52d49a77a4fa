-- The request's headers that decide, read in one pass without a table of all; and whether they agree with the body:
-- Mcp-Method and Mcp-Name may only repeat what it says (MCP 2026-07-28, transports), and it must be plain JSON.

local base = require "resty.core.base"
local ffi = require "ffi"
local new_table = require "table.new"
require "resty.core.request"

local C = ffi.C
local text_of = ffi.string
local elements = ffi.typeof("ngx_http_lua_ffi_table_elt_t *")
local element_size = ffi.sizeof("ngx_http_lua_ffi_table_elt_t")
local truncated = ffi.new("int[1]")

local MOST = 100

local _M = {}

-- What is read here, and what must not reach an upstream, which might take it for the word of its own proxy, or for
-- another method or path.
local READ, OURS, BOTH = 1, 2, 3
local MEANING = { authorization = READ, ["content-type"] = READ, ["content-encoding"] = READ, cookie = BOTH,
    host = READ, origin = BOTH, ["sec-fetch-site"] = BOTH, ["mcp-protocol-version"] = READ, ["mcp-method"] = READ,
    ["mcp-name"] = READ, ["mcp-session-id"] = READ, ["last-event-id"] = READ, ["proxy-authorization"] = OURS,
    ["proxy-connection"] = OURS, referer = OURS, forwarded = OURS, via = OURS, ["x-original-url"] = OURS,
    ["x-rewrite-url"] = OURS, ["x-real-ip"] = OURS, ["x-http-method"] = OURS, ["x-http-method-override"] = OURS,
    ["x-method-override"] = OURS, ["sec-fetch-mode"] = OURS, ["sec-fetch-dest"] = OURS, ["sec-fetch-user"] = OURS }

-- The same by the length of the lower-case name, since most headers differ in that from all of these.
local NAMES = {}
for name, meaning in pairs(MEANING) do
    NAMES[#name] = NAMES[#name] or {}
    NAMES[#name][name] = meaning
end

local X, G = 0x78, 0x67
local function is_ours(name)
    return name:sub(1, 12) == "x-forwarded-" or name:sub(1, 9) == "gatepost-"
end

-- {name → value} of those headers; `twice` names one that was sent more than once, `many` says that more were sent
-- than are read: what stands behind them would go on unseen. `ours` lists the names that must not go on.
function _M.read()
    local request = base.get_request()
    local found = new_table(0, 8)
    local count = C.ngx_http_lua_ffi_req_get_headers_count(request, MOST, truncated)
    if count <= 0 then
        return found
    end
    found.many = truncated[0] ~= 0
    local list = ffi.cast(elements, base.get_string_buf(count * element_size))
    if C.ngx_http_lua_ffi_req_get_headers(request, list, count, 0) ~= 0 then
        return found
    end
    for i = 0, count - 1 do
        local key = list[i].key
        local letter = key.len > 9 and key.data[0]
        local names, meaning, name = NAMES[tonumber(key.len)], nil, nil
        if names then
            name = text_of(key.data, key.len)
            meaning = names[name]
        end
        if not meaning and (letter == X or letter == G) and is_ours(text_of(key.data, key.len)) then
            name, meaning = text_of(key.data, key.len), OURS
        end
        if meaning == READ or meaning == BOTH then
            if found[name] then
                found.twice = name
            end
            found[name] = text_of(list[i].value.data, list[i].value.len)
        end
        if meaning == OURS or meaning == BOTH then
            found.ours = found.ours or {}
            table.insert(found.ours, name)
        end
    end
    return found
end

local PLAIN_JSON = { ["application/json"] = true, ["application/json; charset=utf-8"] = true }

-- Why the body's kind is refused, or nil.
function _M.content_error(headers)
    local kind = headers["content-type"]
    if not kind or not PLAIN_JSON[kind] then
        local charset = kind and kind:lower():match('^application/json%s*;%s*charset="?([%w-]+)"?%s*$')
        if charset ~= "utf-8" and not (kind and kind:lower():match("^application/json%s*$")) then
            return "Content-Type must be application/json in UTF-8"
        end
    end
    local encoding = headers["content-encoding"]
    if encoding and encoding ~= "identity" then
        return "the body must not be encoded (" .. encoding:sub(1, 32) .. ")"
    end
    return nil
end

-- Values that are not plain ASCII travel as =?base64?…?=.
local function decoded(value)
    local inner = value:sub(1, 9) == "=?base64?" and value:match("^=%?base64%?(.*)%?=$")
    if inner then
        return ngx.decode_base64(inner)
    end
    return value
end

local function named(message)
    local method = message.method
    if method == "tools/call" or method == "prompts/get" then
        return message.name
    elseif method == "tasks/get" or method == "tasks/update" or method == "tasks/cancel" then
        return message.taskId
    end
    return message.uri
end

-- Why the headers do not agree with the message, or nil where they do or were not sent.
function _M.mismatch(headers, message)
    if headers.twice then
        return "the header " .. headers.twice .. " is sent twice"
    end
    local method, name = headers["mcp-method"], headers["mcp-name"]
    if method and method ~= message.method then
        return "Mcp-Method is not the body's method: send the same, or leave it out"
    elseif name and (decoded(name) or false) ~= named(message) then
        return "Mcp-Name is not what the body names: send the same, or leave it out"
    end
    return nil
end

return _M
