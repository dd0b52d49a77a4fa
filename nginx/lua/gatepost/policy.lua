-- Whether a caller's rights reach what a message asks for. Unknown methods are denied.

local _M = {}

local IMPLIED = { initialize = true, ping = true, ["server/discover"] = true }

-- What a method names: the member of its params, and the kind under which definitions are blocked.
local NAMED = {
    ["tools/call"] = { "name", "tool" },
    ["prompts/get"] = { "name", "prompt" },
    ["resources/read"] = { "uri", "resource" },
    ["resources/subscribe"] = { "uri", "resource" },
    ["resources/unsubscribe"] = { "uri", "resource" },
}

local function reaches(names, name)
    return names and (names[name] or names["*"])
end

local function blocked(entry, kind, name)
    local names = entry.blocked[kind]
    return names and names[name]
end

local function quote(text)
    return '"' .. text .. '"'
end

local function denied(rule, text)
    return nil, rule, text .. "; a scope that names it would help"
end

local function check_name(entry, method, kind, name)
    if not name then
        return nil, "params", method .. " names no " .. kind
    elseif blocked(entry, kind, name) then
        return nil, "blocked", "the " .. kind .. " " .. quote(name) .. " is blocked; an administrator can unblock it"
    elseif not reaches(entry.rights[method], name) then
        return denied(kind, "no scope of yours allows " .. method .. " of the " .. kind .. " " .. quote(name))
    end
    return name
end

local function check_reference(entry, reference)
    if not reference then
        return nil, "params", "completion/complete has no ref"
    elseif reference.uri and reference.name then
        return nil, "params", "ref names both a prompt and a resource"
    elseif reference.uri then
        return check_name(entry, "resources/read", "resource", reference.uri)
    end
    return check_name(entry, "prompts/get", "prompt", reference.name)
end

local function check_subscriptions(entry, notifications)
    for _, uri in ipairs(notifications and notifications.uris or {}) do
        local allowed, rule, text = check_name(entry, "subscriptions/listen", "resource", uri)
        if not allowed then
            return nil, rule, text
        end
    end
    return ""
end

-- Methods that a scope can name; of these, the stateless protocol has two no more.
local SCOPED = { ["completion/complete"] = true, ["logging/setLevel"] = true, ["tasks/get"] = true,
    ["tasks/list"] = true, ["tasks/result"] = true, ["tasks/update"] = true, ["tasks/cancel"] = true,
    ["tools/list"] = true, ["prompts/list"] = true, ["resources/list"] = true, ["resources/templates/list"] = true,
    ["subscriptions/listen"] = true }
local REMOVED = { ["resources/subscribe"] = true, ["resources/unsubscribe"] = true }
for method in pairs(NAMED) do
    SCOPED[method] = true
end

-- Methods that no right names: notifications come with any right; the rest is denied.
local function check_unnamed(method, message)
    if method:sub(1, 14) ~= "notifications/" then
        if not SCOPED[method] then
            return nil, "unknown_method", "this gateway knows no method " .. method
        end
        return denied("method", "no scope of yours allows the method " .. method)
    elseif message.id then
        return nil, "method", method .. " is a notification and takes no id"
    end
    return ""
end

-- Returns the name that the message reaches ("" for none), or nil, the rule that denies it, and a sentence.
function _M.decide(entry, message, modern)
    if not entry.any then
        return nil, "server", "no scope of yours reaches this server, or it does not exist"
    end
    local method = message.method
    if message.response or IMPLIED[method] then
        return ""
    elseif modern and REMOVED[method] then
        return nil, "unknown_method", "the method " .. method .. " is not in MCP 2026-07-28: use subscriptions/listen"
    elseif not entry.rights[method] then
        return check_unnamed(method, message)
    elseif not message.id then
        return nil, "params", method .. " is a request and needs an id"
    end
    local named = NAMED[method]
    if named then
        return check_name(entry, method, named[2], message[named[1]])
    elseif method == "completion/complete" then
        return check_reference(entry, message.ref)
    elseif method == "subscriptions/listen" then
        return check_subscriptions(entry, message.notifications)
    end
    return ""
end

return _M
