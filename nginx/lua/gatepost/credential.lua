-- The credential of a request: a bearer token, or the session cookie of the gateway's own pages.

local config = require "gatepost.config"

local _M = {}

-- A browser sends cookies for any page that asks, so a cookie counts only from a page of this origin (and, for
-- what changes something, never from a plain form).
local function same_origin(json_only)
    local var = ngx.var
    local origin, site = var.http_origin, var.http_sec_fetch_site
    local ours
    if origin then
        ours = origin == config.public_origin
    else
        ours = site == "same-origin" or (site == "none" and var.request_method == "GET")
    end
    if not ours then
        return false
    end
    local kind = var.content_type
    return not json_only or var.request_method ~= "POST"
        or (kind ~= nil and kind:lower():find("^application/json") ~= nil)
end

-- How auth is given the credential, and the credential; or nil, nil and why not: nil for none, "origin" for a cookie
-- that does not count here.
function _M.find(cookie, json_only)
    local authorization = ngx.var.http_authorization
    if authorization then
        return "Authorization", authorization
    end
    local session = ngx.var["cookie_" .. cookie]
    if not session or session == "" then
        return nil
    elseif not same_origin(json_only) then
        return nil, nil, "origin"
    end
    return "Gatepost-Session", session
end

return _M
