-- The registry's API and pages: the gateway identifies the caller, the registry decides.

local config = require "gatepost.config"
local credential = require "gatepost.credential"
local epoch = require "gatepost.epoch"
local headers = require "gatepost.headers"
local http = require "gatepost.http"
local origin = require "gatepost.origin"
local refuse = require "gatepost.refuse"
local verdict = require "gatepost.verdict"

local _M = {}

local function to_login()
    ngx.header["Cache-Control"] = "no-store"
    return ngx.redirect("/login?next=" .. ngx.escape_uri(ngx.var.request_uri), 302)
end

local function refused(resource, why, reason)
    if why == "unavailable" then
        ngx.header["Retry-After"] = 1
        return refuse.problem(503, "unavailable", "Credentials cannot be checked now", "Try again in a second.")
    elseif why == "misses" then
        ngx.header["Retry-After"] = 10
        return refuse.problem(429, "too-many-refusals", "Too many bad credentials from this address", "Wait 10 s.")
    elseif why == "origin" then
        return refuse.problem(403, "foreign-origin", "A session cookie counts only from the gateway's own pages",
            "Send Authorization: Bearer with a token.")
    elseif resource == "/ui" then
        return to_login()
    end
    refuse.challenge(resource, reason)
    return refuse.problem(401, "unauthenticated", "A valid token is needed",
        reason and refuse.token_text(reason) or "Send Authorization: Bearer with a token.")
end

-- Refuses headers of which not all were read, or which two programs may read differently.
local function unclear(sent)
    if sent.many then
        refuse.problem(431, "headers", "The request has too many headers", "Send at most 100.")
    elseif sent.twice then
        refuse.problem(400, "header-twice", "A header is sent twice", "Send " .. sent.twice .. " once.")
    end
    return sent.many or sent.twice
end

-- For access_by_lua where an OAuth client may prove itself by Basic: auth gets that header, and no bearer token.
function _M.oauth_client()
    if origin.page() then
        return
    end
    local sent = headers.read()
    if not unclear(sent) and (sent.authorization or ""):lower():find("^basic ") then
        ngx.var.gatepost_authorization = sent.authorization
    end
end

-- For access_by_lua at `resource` (/api or /ui): sets the identity that the registry trusts.
function _M.access(resource)
    if origin.page() then
        return
    end
    local var = ngx.var
    local path = var.request_uri:match("^[^?]*")
    if path:find("//", 1, true) or path:find("/.", 1, true) or path:lower():find("%2f", 1, true)
        or path:lower():find("%2e", 1, true) or path:lower():find("%5c", 1, true) then
        return refuse.problem(400, "path", "The path is not in its plain form", "Send it without //, dots or %2f.")
    end
    local reading = var.request_method == "GET" or var.request_method == "HEAD"
    local sent = headers.read()
    if unclear(sent) then
        return
    end
    local header, value, why
    local session = resource == "/ui" and reading and sent.cookie and credential.session(sent.cookie)
    if session then
        header, value = "Gatepost-Session", session
    else
        header, value, why = credential.find(sent, false)
    end
    local entry, reason
    if value then
        entry, why, reason = verdict.find(resource, header, value)
    end
    if not entry then
        return refused(resource, why, reason)
    end
    var.gatepost_identity = entry.caller.identity
end

-- /readyz for all: each process that a call needs.
function _M.ready()
    local parts = { gateway = epoch.current() and "ok" or "waiting for the first policy poll" }
    for name, address in pairs { auth = config.auth_public, registry = config.registry } do
        local status, err = http.get(address, "/readyz")
        parts[name] = status == 200 and "ok" or (status and "status " .. status or err)
    end
    local ready = parts.gateway == "ok" and parts.auth == "ok" and parts.registry == "ok"
    ngx.status = ready and 200 or 503
    ngx.header["Content-Type"] = "application/json"
    ngx.header["Cache-Control"] = "no-store"
    ngx.print(require("cjson.safe").encode { status = ready and "ok" or "unavailable", parts = parts })
end

return _M
