-- More scope for a client that can ask for it: only where one more scope of the same person would allow what was denied
-- (RFC 6750, 3.1: insufficient_scope; MCP 2026-07-28, authorization). Worked out for denials alone.

local config = require "gatepost.config"

local _M = {}

local LONGEST = 200

-- An entry whose caller has these rights too.
local function widened(entry, lists)
    local rights = {}
    for method, names in pairs(entry.rights) do
        rights[method] = names
    end
    for method, names in pairs(lists) do
        local set = {}
        for name in pairs(rights[method] or {}) do
            set[name] = true
        end
        for _, name in ipairs(names) do
            set[name] = true
        end
        rights[method] = set
    end
    return setmetatable({ rights = rights, any = next(rights) ~= nil }, { __index = entry })
end

-- The scope that would help, or nil; `allowed` says whether an entry allows what this one does not.
function _M.needed(entry, allowed)
    local server = entry.server
    for _, wider in ipairs(server and not server.refusal and entry.caller.wider or {}) do
        if allowed(widened(entry, wider.rights)) then
            return wider.scope
        end
    end
    return nil
end

-- Tells the client to ask for the scopes that it has and this one. Some clients stop reading at the description.
function _M.challenge(entry, resource, scope, text)
    local scopes = { unpack(entry.caller.scopes) }
    scopes[#scopes + 1] = scope
    ngx.header["WWW-Authenticate"] = 'Bearer error="insufficient_scope", scope="' .. table.concat(scopes, " ")
        .. '", resource_metadata="' .. config.public_origin .. "/.well-known/oauth-protected-resource" .. resource
        .. '", error_description="' .. text:sub(1, LONGEST):gsub('["\\]', "'"):gsub("[^ -~]", "?") .. '"'
end

return _M
