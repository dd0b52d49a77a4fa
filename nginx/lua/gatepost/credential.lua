-- The credential of a request: a bearer token, or the session cookie of the gateway's own pages.

local config = require "gatepost.config"

local _M = {}

-- A browser sends cookies for any page that asks, so a cookie counts only from a page of this origin and, at an MCP
-- server, never from a plain form.
local function same_origin(headers, json_only)
    local method = ngx.req.get_method()
    local origin, site = headers.origin, headers["sec-fetch-site"]
    local ours
    if origin then
        ours = origin == config.public_origin
    else
        ours = site == "same-origin" or (site == "none" and method == "GET")
    end
    local kind = headers["content-type"]
    return ours and (not json_only or method ~= "POST"
        or (kind ~= nil and kind:lower():find("^application/json") ~= nil))
end

-- The value of the session cookie, nil for none. NGINX finds cookies by their name in any case, but a browser may bind
-- the prefix __Host- to this host in this case alone.
function _M.session(cookies)
    for cookie in cookies:gmatch("[^;]+") do
        local name, value = cookie:match("^%s*([^=]*)=(.-)%s*$")
        if name == config.cookie and value ~= "" then
            return value
        end
    end
    return nil
end

-- How auth is given the credential, and the credential; or nil, nil and why not: nil for none, "origin" for a cookie
-- that does not count here.
function _M.find(headers, json_only)
    local authorization = headers.authorization
    if authorization then
        return "Authorization", authorization
    end
    local session = headers.cookie and _M.session(headers.cookie)
    if not session then
        return nil
    elseif not same_origin(headers, json_only) then
        return nil, nil, "origin"
    end
    return "Gatepost-Session", session
end

return _M
