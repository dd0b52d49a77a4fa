-- Who is calling, and what may they do here: auth's answer, asked once per credential and resource and kept.
-- Two levels: decoded in each worker, and as JSON in shared memory under the SHA-256 of the credential.

local cjson = require "cjson.safe"
local config = require "gatepost.config"
local crypto = require "gatepost.crypto"
local epoch = require "gatepost.epoch"
local http = require "gatepost.http"

local callers = ngx.shared.gatepost_callers
local servers = ngx.shared.gatepost_servers
local refusals = ngx.shared.gatepost_refusals
local marks = ngx.shared.gatepost_marks
local now = ngx.now

local KEPT = 16384
local REFUSAL_LIFE = 10
local MISSES, MISS_WINDOW = 120, 10
local WAIT_STEP, WAIT_MOST = 0.01, 5

local _M = {}

-- [resource][credential] → entry; emptied when full, so that nobody can grow it.
local entries, kept = {}, 0

local function set_of(names)
    local set = {}
    for _, name in ipairs(names or {}) do
        set[name] = true
    end
    return set
end

-- {caller, server, rights (method → set), blocked (kind → set), allowed (decisions already taken), expires_at, number}
local function build(caller, server)
    local rights, blocked = {}, {}
    for method, names in pairs(caller.rights) do
        rights[method] = set_of(names)
    end
    if server then
        for kind, names in pairs(server.blocked or {}) do
            blocked[kind] = set_of(names)
        end
    end
    local expires = server and math.min(caller.expires_at, server.expires_at) or caller.expires_at
    return { caller = caller, server = server, rights = rights, blocked = blocked, any = next(rights) ~= nil,
        allowed = {}, decisions = 0, expires_at = expires, number = caller.epoch, checked = caller.epoch,
        generation = epoch.generation() }
end

local function keep(resource, credential, entry)
    if kept >= KEPT then
        entries, kept = {}, 0
    end
    local of_resource = entries[resource]
    if not of_resource then
        of_resource = {}
        entries[resource] = of_resource
    end
    of_resource[credential] = entry
    kept = kept + 1
    return entry
end

-- Whether an entry still counts at policy number `current`.
local function holds(entry, resource, current)
    if entry.expires_at <= now() then
        return false
    end
    if entry.checked ~= current then
        if entry.generation ~= epoch.generation()
            or not epoch.holds(entry.number, resource, entry.caller.principal) then
            return false
        end
        entry.checked = current
    end
    return true
end
_M.holds = holds

local function from_shared(resource, key, current)
    local caller = callers:get(key)
    if not caller then
        return nil
    end
    caller = cjson.decode(caller)
    local server
    if caller.has_server then
        server = servers:get(resource)
        server = server and cjson.decode(server)
        if not server or not epoch.holds(server.epoch, resource, caller.principal) then
            return nil
        end
    end
    local entry = build(caller, server)
    return holds(entry, resource, current) and entry or nil
end

local function share(resource, key, answer)
    local caller, server = answer.caller, answer.server ~= cjson.null and answer.server or nil
    caller.epoch, caller.has_server = answer.epoch, server ~= nil
    local life = caller.expires_at - now()
    if server then
        server.epoch = answer.epoch
        servers:set(resource, cjson.encode(server), math.max(server.expires_at - now(), 0.001))
    end
    if life > 0 then
        callers:set(key, cjson.encode(caller), life)
    end
    return build(caller, server)
end

local function ask(resource, header, credential, key)
    local target = "/internal/verdict?resource=" .. ngx.escape_uri(resource)
    for _ = 1, 3 do
        local status, body = http.get(config.auth, target, {
            [header] = credential, ["Gatepost-Gateway-Secret"] = config.secret,
        })
        local answer = status and cjson.decode(body)
        if status == 200 and type(answer) == "table" and type(answer.caller) == "table" then
            local entry = share(resource, key, answer)
            if epoch.holds(entry.number, resource, entry.caller.principal) then
                return entry
            end
        elseif status == 401 then
            local reason = type(answer) == "table" and answer.reason or "unknown"
            refusals:set(key, reason, REFUSAL_LIFE)
            return nil, "token", reason
        else
            ngx.log(ngx.ERR, "auth gave no verdict: ", status and "status " .. status or body)
            return nil, "unavailable"
        end
    end
    return nil, "unavailable"
end

-- One question at a time per key, in all workers: the others wait for its answer.
local function ask_once(resource, header, credential, key, current)
    local lock = "asking " .. key
    local waited = 0
    while not marks:add(lock, true, WAIT_MOST) do
        ngx.sleep(WAIT_STEP)
        waited = waited + WAIT_STEP
        local entry = from_shared(resource, key, current)
        if entry then
            return entry
        end
        local reason = refusals:get(key)
        if reason then
            return nil, "token", reason
        elseif waited >= WAIT_MOST then
            return nil, "unavailable"
        end
    end
    local entry, why, reason = ask(resource, header, credential, key)
    marks:delete(lock)
    return entry, why, reason
end

-- The verdict on a credential at a resource. `header` is how auth is given it: Authorization or Gatepost-Session.
-- Returns the entry; or nil and "token" with a reason, "unavailable" (auth or its policy out of reach), or
-- "misses" (too many bad credentials from this address).
function _M.find(resource, header, credential)
    local current = epoch.current()
    if not current then
        return nil, "unavailable"
    end
    local of_resource = entries[resource]
    local entry = of_resource and of_resource[credential]
    if entry then
        if holds(entry, resource, current) then
            return entry
        end
        of_resource[credential] = nil
        kept = kept - 1
    end
    local key = crypto.sha256(header .. "\n" .. credential) .. resource
    entry = from_shared(resource, key, current)
    if entry then
        return keep(resource, credential, entry)
    end
    local reason = refusals:get(key)
    if reason then
        return nil, "token", reason
    end
    local missed = ngx.get_phase() ~= "timer" and "missed " .. ngx.var.binary_remote_addr
    if missed and (refusals:get(missed) or 0) >= MISSES then
        return nil, "misses"
    end
    local why
    entry, why, reason = ask_once(resource, header, credential, key, current)
    if entry then
        return keep(resource, credential, entry)
    elseif why == "token" and missed then
        refusals:incr(missed, 1, 0, MISS_WINDOW)
    end
    return nil, why, reason
end

return _M
