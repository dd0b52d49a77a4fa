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
local now = ngx.now

local KEPT = 16384
local SHARED = 4096
local REFUSAL_LIFE = 10
local MISSES, MISS_WINDOW = 120, 10
local WAIT_STEP, WAIT_MOST = 0.01, 5
local CLIENT_CLOSED = 499

local _M = {}

-- No token of ours is longer; the same one with spaces before it would be another text to keep.
local LONGEST = 8192

-- [resource][credential] → entry; emptied when full, so that nobody can grow it.
local entries, kept = {}, 0

-- What many verdicts have in common is decoded once: rights by their JSON, a server's part by its own.
local rights_kept, rights_count = {}, 0
local parts_kept, parts_count = {}, 0

local function set_of(names)
    local set = {}
    for _, name in ipairs(names or {}) do
        set[name] = true
    end
    return set
end

local function sets_of(lists)
    local sets = {}
    for key, names in pairs(lists or {}) do
        sets[key] = set_of(names)
    end
    return sets
end

-- The members that are numbers; nil where there are none.
local function numbers_of(members)
    local numbers = {}
    for name, value in pairs(type(members) == "table" and members or {}) do
        numbers[name] = tonumber(value)
    end
    return next(numbers) and numbers
end

local function rights_of(lists)
    local text = cjson.encode(lists)
    local rights = rights_kept[text]
    if not rights then
        if rights_count >= SHARED then
            rights_kept, rights_count = {}, 0
        end
        rights = sets_of(lists)
        rights_kept[text] = rights
        rights_count = rights_count + 1
    end
    return rights
end

-- A server's part from its JSON; the same table for the same text, with what gatepost.upstream works out of it.
local function part_of(resource, text)
    local kept_part = parts_kept[resource]
    if kept_part and kept_part.text == text then
        return kept_part
    elseif not kept_part then
        if parts_count >= SHARED then
            parts_kept, parts_count = {}, 0
        end
        parts_count = parts_count + 1
    end
    local part = cjson.decode(text)
    part.text = text
    part.blocked = sets_of(part.blocked)
    part.refusal = part.refusal ~= cjson.null and part.refusal or nil
    part.upstream = part.upstream ~= cjson.null and part.upstream or nil
    part.limits = numbers_of(part.limits)
    part.max_body = tonumber(part.max_body)
    parts_kept[resource] = part
    return part
end

-- An entry: caller, server, rights (method → set), and the audit text of calls already allowed. Whatever a verdict
-- allows it allows for its whole life. `number` is the older of the change numbers that its two parts were made at.
local function build(caller, server, expires_at, number)
    local rights = rights_of(caller.rights)
    return { caller = caller, server = server, rights = rights, blocked = server and server.blocked or {},
        any = next(rights) ~= nil, max_body = server and server.max_body, calls = {}, allowed = {}, decisions = 0,
        expires_at = expires_at, number = number, checked = number, generation = caller.generation }
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
    local expires_at, number = caller.expires_at, caller.epoch
    if caller.has_server then
        local made, ends, text = (servers:get(resource) or ""):match("^(%d+) (%d+) (.*)$")
        if not text then
            return nil
        end
        number = math.min(number, tonumber(made))
        expires_at = math.min(expires_at, tonumber(ends))
        server = part_of(resource, text)
    end
    local entry = build(caller, server, expires_at, number)
    return epoch.holds(number, resource, caller.principal) and holds(entry, resource, current) and entry or nil
end

-- Keeps auth's answer for all workers: the caller's part with its epoch inside, the server's with its own before it.
local function share(resource, key, answer, generation)
    local caller, server = answer.caller, answer.server ~= cjson.null and answer.server or nil
    caller.epoch, caller.has_server, caller.generation = answer.epoch, server ~= nil, generation
    local expires_at = caller.expires_at
    local part
    if server then
        local ends = server.expires_at
        expires_at = math.min(expires_at, ends)
        server.expires_at = nil
        local text = cjson.encode(server)
        servers:set(resource, answer.epoch .. " " .. ends .. " " .. text, math.max(ends - now(), 0.001))
        part = part_of(resource, text)
    end
    if caller.expires_at > now() then
        callers:set(key, cjson.encode(caller), caller.expires_at - now())
    end
    return build(caller, part, expires_at, answer.epoch)
end

local function ask(resource, header, credential, key)
    local target = "/internal/verdict?resource=" .. ngx.escape_uri(resource)
    for _ = 1, 3 do
        local generation = epoch.generation()
        local status, body = http.get(config.auth, target, {
            [header] = credential, ["Gatepost-Gateway-Secret"] = config.secret,
        })
        local answer = status and cjson.decode(body)
        if status == 200 and type(answer) == "table" and type(answer.caller) == "table" then
            local entry = share(resource, key, answer, generation)
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

-- One question at a time per key, in all workers: the others wait for its answer. The locks lie beside the refusals,
-- since a flood of them must not push out the marks of what changed.
local function ask_once(resource, header, credential, key, current)
    local lock = "asking " .. key
    local waited = 0
    while not refusals:add(lock, true, WAIT_MOST) do
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
    if ngx.get_phase() ~= "timer" then
        -- Where a client that leaves ends its request at once, others would wait for an answer that nobody asks for.
        ngx.on_abort(function()
            refusals:delete(lock)
            ngx.exit(CLIENT_CLOSED)
        end)
    end
    local entry, why, reason = ask(resource, header, credential, key)
    refusals:delete(lock)
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
    -- What a cookie holds is no bearer token, and no header holds a line feed.
    local known_as = header == "Authorization" and credential or "\n" .. credential
    local of_resource = entries[resource]
    local entry = of_resource and of_resource[known_as]
    if entry then
        if holds(entry, resource, current) then
            return entry
        end
        of_resource[known_as] = nil
        kept = kept - 1
    end
    if #credential > LONGEST then
        return nil, "token", "malformed"
    end
    local key = crypto.sha256(header .. "\n" .. credential) .. resource
    entry = from_shared(resource, key, current)
    if entry then
        return keep(resource, known_as, entry)
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
        return keep(resource, known_as, entry)
    elseif why == "token" and missed then
        refusals:incr(missed, 1, 0, MISS_WINDOW)
    end
    return nil, why, reason
end

return _M
