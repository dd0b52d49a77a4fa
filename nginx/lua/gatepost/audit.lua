-- The part of a call's log line that only the gateway knows; NGINX's log_format adds the rest.
-- Arguments, results and credentials never come here.

local json = require "gatepost.json"

local _M = {}

-- Sets what the log line of this request says.
function _M.log(members)
    ngx.var.gatepost_call = members
end

local function member(value)
    return value and json.quote(value) or "null"
end

-- The JSON members of one line. `caller` is nil for one who could not be identified.
function _M.members(caller, resource, method, name, decision, rule)
    return '"subject":' .. member(caller and caller.subject)
        .. ',"client":' .. member(caller and caller.client ~= ngx.null and caller.client or nil)
        .. ',"server":' .. member(resource and resource:match("^/mcp/(.+)$") or resource)
        .. ',"method":' .. member(method)
        .. ',"tool":' .. member(name ~= "" and name or nil)
        .. ',"decision":"' .. decision .. '"'
        .. ',"rule":' .. member(rule)
end

-- The members for an allowed message, kept with the caller's verdict: the same call logs the same text.
function _M.allowed(entry, resource, method, name)
    local of_method = method == "tools/call" and entry.calls or entry.allowed[method]
    local text = of_method and of_method[name]
    if not text then
        text = _M.members(entry.caller, resource, method, name, "allow")
        if entry.decisions < 256 then
            entry.decisions = entry.decisions + 1
            if not of_method then
                of_method = {}
                entry.allowed[method] = of_method
            end
            of_method[name] = text
        end
    end
    return text
end

-- For requests that NGINX itself refused.
function _M.unread(rule)
    if ngx.var.gatepost_call == "" then
        _M.log(_M.members(nil, nil, nil, nil, "deny", rule))
    end
end

return _M
