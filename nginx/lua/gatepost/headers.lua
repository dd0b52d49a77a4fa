-- The request's headers against its body: Mcp-Method and Mcp-Name may only repeat what the body says
-- (MCP 2026-07-28, transports), and the body must be plain JSON.

local get_headers = ngx.req.get_headers

local _M = {}

local PLAIN_JSON = { ["application/json"] = true, ["application/json; charset=utf-8"] = true }

-- Why the body's kind is refused, or nil.
function _M.content_error()
    local kind = ngx.var.content_type
    if not kind or not PLAIN_JSON[kind] then
        local charset = kind and kind:lower():match('^application/json%s*;%s*charset="?([%w-]+)"?%s*$')
        if charset ~= "utf-8" and not (kind and kind:lower():match("^application/json%s*$")) then
            return "Content-Type must be application/json in UTF-8"
        end
    end
    local encoding = ngx.var.http_content_encoding
    if encoding and encoding ~= "identity" then
        return "the body must not be encoded (" .. encoding:sub(1, 32) .. ")"
    end
    return nil
end

-- Values that are not plain ASCII travel as =?base64?…?=.
local function decoded(value)
    local inner = value:match("^=%?base64%?(.*)%?=$")
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
function _M.mismatch(message)
    local var = ngx.var
    if not (var.http_mcp_method or var.http_mcp_name) then
        return nil
    end
    local sent = get_headers(100)
    local method, name, version = sent["mcp-method"], sent["mcp-name"], sent["mcp-protocol-version"]
    if type(method) == "table" or type(name) == "table" or type(version) == "table" then
        return "an Mcp header is sent twice"
    elseif method and method ~= message.method then
        return "Mcp-Method is not the body's method"
    elseif name and decoded(name) ~= named(message) then
        return "Mcp-Name is not what the body names"
    end
    return nil
end

return _M
