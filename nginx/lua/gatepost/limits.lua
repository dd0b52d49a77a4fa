-- What a server's entry lets through: calls a minute and calls at once, of one caller and of all together.

local bucket = require "gatepost.bucket"
local slots = require "gatepost.slots"

local var = ngx.var

-- What makes the server work for one caller. Lists, the handshake, notifications and pings are few and their refusal
-- would end sessions; streams stay open without work being done, so they hold no slot.
local LIMITED = { ["tools/call"] = true, ["prompts/get"] = true, ["resources/read"] = true,
    ["completion/complete"] = true, SendMessage = true, SendStreamingMessage = true }

local SOON = 1

local _M = {}

-- Slots that a call took, to be given back; "" for none. Both are keys of gatepost.slots.
local function release(of_server, of_caller)
    if of_caller ~= "" then
        slots.release(of_caller)
    end
    if of_server ~= "" then
        slots.release(of_server)
    end
end

local function full(limits, resource, caller)
    local of_caller, of_server = "", ""
    local most = limits.caller_concurrency
    if most then
        if not slots.acquire(caller, most) then
            return "one caller may have " .. most .. " under way at this server, and you have; wait for one to end"
        end
        of_caller = caller
    end
    most = limits.server_concurrency
    if most then
        if not slots.acquire(resource, most) then
            release("", of_caller)
            return "this server takes " .. most .. " calls at once, and they are under way; try again shortly"
        end
        of_server = resource
    end
    return nil, of_server, of_caller
end

local function used_up(limits, resource, caller)
    local rate = limits.caller_rate
    local wait = rate and bucket.take(caller, rate)
    if wait then
        wait = math.ceil(wait)
        return wait, "your limit of " .. rate .. " calls a minute at this server is used up; wait " .. wait .. " s"
    end
    local together = limits.server_rate
    wait = together and bucket.take(resource, together)
    if wait then
        if rate then
            bucket.give_back(caller, rate)
        end
        wait = math.ceil(wait)
        return wait, "this server's limit of " .. together
            .. " calls a minute, of all callers together, is used up; wait " .. wait .. " s"
    end
    return nil
end

-- The rule that refuses a message, the seconds to wait, and a sentence; nil where it may go on. Then what it holds is
-- noted in a variable of the request, which outlives error_page as ngx.ctx does not.
function _M.exceeded(entry, resource, message)
    local limits = entry.server.limits
    if not limits or not LIMITED[message.method] then
        return nil
    end
    local caller = resource .. " " .. entry.caller.principal
    local text, of_server, of_caller = full(limits, resource, caller)
    if text then
        return "concurrency", SOON, text
    end
    local wait
    wait, text = used_up(limits, resource, caller)
    if wait then
        release(of_server, of_caller)
        return "rate_limit", wait, text
    end
    if of_server ~= "" or of_caller ~= "" then
        var.gatepost_slots = of_server .. "\n" .. of_caller
    end
    return nil
end

-- For log_by_lua: a call is over, however it ended.
function _M.release()
    local held = var.gatepost_slots
    if held and held ~= "" then
        release(held:match("^(.-)\n(.*)$"))
    end
end

return _M
