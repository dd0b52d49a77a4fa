-- One call at /mcp/<slug>, from the credential to the upstream; docs/gateway.md tells it in words.

local audit = require "gatepost.audit"
local body = require "gatepost.body"
local config = require "gatepost.config"
local credential = require "gatepost.credential"
local denial = require "gatepost.denial"
local headers = require "gatepost.headers"
local limits = require "gatepost.limits"
local origin = require "gatepost.origin"
local policy = require "gatepost.policy"
local refuse = require "gatepost.refuse"
local request_id = require "gatepost.request_id"
local session = require "gatepost.session"
local sse = require "gatepost.sse"
local upstream = require "gatepost.upstream"
local verdict = require "gatepost.verdict"

local get_body_data, get_method, read_body = ngx.req.get_body_data, ngx.req.get_method, ngx.req.read_body
local is_internal = ngx.req.is_internal

local _M = {}

local NONE = {}

local PATH = [[^/mcp/[a-z0-9][a-z0-9-]{0,62}$]]
local paths = {}
local paths_kept = 0

-- The resource that the client's own bytes name. Anything that normalises to another path is not a path of ours.
local function resource_of(uri)
    local known = paths[uri]
    if known then
        return known
    end
    local path = uri:match("^[^?]*")
    if not ngx.re.find(path, PATH, "jo") then
        return nil
    end
    if uri == path then -- anybody can send long queries, and each would be kept
        if paths_kept >= 4096 then
            paths, paths_kept = {}, 0
        end
        paths[uri] = path
        paths_kept = paths_kept + 1
    end
    return path
end

local function read_message(entry, resource, sent)
    local kind_error = headers.content_error(sent)
    local status, text, partial = 415, kind_error, nil
    if not kind_error then
        read_body()
        local data = get_body_data()
        local cap = entry.max_body
        if not data then
            status, text = 400, "the request has no body"
        elseif cap and #data > cap then
            status, text = 413, "the body is larger than the " .. cap .. " bytes that this server takes"
        else
            local message
            message, text, partial = body.read(data)
            if message then
                return message
            end
            status = 400
        end
    end
    denial.log(entry.caller, resource, nil, "body")
    return nil, refuse.rpc(status, partial and partial.id, text and refuse.INVALID, "gateway", "body", text)
end

local STATUS = { params = 400, unknown_method = 404 }

local function check(ctx, modern, sent, message)
    local entry, resource = ctx.entry, ctx.resource
    local mismatch = headers.mismatch(sent, message)
    if mismatch then
        denial.log(entry.caller, resource, message, "header")
        return nil, refuse.rpc(400, message.id, refuse.HEADER_MISMATCH, "gateway", "header", mismatch)
    end
    local known = message.id and message.method == "tools/call" and entry.calls[message.name]
    local name, rule, text = message.name, nil, nil
    if not known then
        name, rule, text = policy.decide(entry, message, modern)
    end
    if not name then
        local status, code = STATUS[rule] or 403, rule == "unknown_method" and refuse.METHOD_NOT_FOUND or refuse.POLICY
        return nil, denial.policy(ctx, modern, status, message, code, rule, text)
    elseif entry.server.refusal then
        return nil, denial.server(ctx, modern, message)
    end
    local limit, wait, why = limits.exceeded(entry, resource, message)
    if limit then
        ngx.header["Retry-After"] = wait
        return nil, denial.message(ctx, modern, 429, message, refuse.LIMIT, "policy", limit, why)
    end
    return known or audit.allowed(entry, resource, message.method or "response", name)
end

local function post(ctx, modern, sent)
    local message, refused = read_message(ctx.entry, ctx.resource, sent)
    if not message then
        return refused
    end
    ctx.method, ctx.message = message.method, message
    local known = true
    if sse.spoken(ctx.entry) then
        known = sse.restore(ctx)
        if known == nil then
            return denial.method(ctx, "this server speaks HTTP+SSE (2024-11-05): GET opens its stream", "GET")
        end
    end
    if not known or not session.restore(ctx, sent) then
        return denial.session(ctx, message)
    end
    local line
    line, refused = check(ctx, modern, sent, message)
    if not line then
        return refused
    end
    audit.log(line)
    ctx.line = line
    return upstream.choose(ctx.entry, ctx) or denial.session(ctx, message)
end

local ANY_RIGHT = { method = "ping" }

-- The stream and the end of a legacy session: they carry no message, so any right on the server is enough. A body goes
-- to no upstream unread, since some would run it whatever the method.
local function bodiless(ctx, method, sent)
    local entry, resource = ctx.entry, ctx.resource
    read_body()
    if get_body_data() or ngx.req.get_body_file() then
        denial.log(entry.caller, resource, { method = method }, "body")
        return refuse.rpc(400, nil, refuse.INVALID, "gateway", "body", method .. " takes no body: POST messages")
    end
    local name, rule, text = policy.decide(entry, ANY_RIGHT)
    if not name then
        return denial.policy(ctx, true, 403, { method = method, response = true }, refuse.POLICY, rule, text)
    end
    if entry.server.refusal then
        return denial.server(ctx, true, { method = method })
    elseif method == "DELETE" and sse.spoken(entry) then
        return denial.method(ctx, "this server speaks HTTP+SSE (2024-11-05), which has no DELETE", "GET, POST")
    elseif not session.restore(ctx, sent) then
        return denial.session(ctx, { method = method })
    end
    audit.log(audit.allowed(entry, resource, method, ""))
    ctx.method, ctx.message = method, ANY_RIGHT
    return upstream.choose(entry, ctx) or denial.session(ctx, { method = method })
end

-- Whether the request is over: a page that may not call is refused, a preflight answered. Where another origin's page
-- may call, its scripts may read the answer.
local function refuse_page(resource, method, sent)
    local rule, text = origin.refusal(sent)
    if rule then
        denial.log(nil, resource, nil, rule)
        refuse.rpc(403, nil, refuse.INVALID, "gateway", rule, text)
        return true
    elseif origin.is_allowed(sent.origin) then
        ngx.var.gatepost_origin = sent.origin
        if method == "OPTIONS" then
            origin.preflight()
            return true
        end
    end
    return false
end

-- The stream that a GET opens has a location of its own, where Lua reads it.
function _M.access()
    local method = get_method()
    if method == "GET" and not is_internal() then
        return ngx.exec("@server_stream")
    end
    request_id.assign()
    local resource = resource_of(ngx.var.request_uri)
    if not resource then
        denial.log(nil, nil, nil, "path")
        return refuse.problem(404, "not-found", "Not found", "An MCP server is called at /mcp/<slug>.")
    end
    local sent = headers.read()
    if (sent.origin or sent.host ~= config.public_host) and refuse_page(resource, method, sent) then
        return
    end
    if method ~= "POST" and method ~= "GET" and method ~= "DELETE" then
        denial.log(nil, resource, nil, "http_method")
        ngx.header["Allow"] = "POST, GET, DELETE"
        return refuse.rpc(405, nil, refuse.INVALID, "gateway", "http_method", "only POST, GET and DELETE are served")
    end
    if sent.many then
        denial.log(nil, resource, nil, "header")
        return refuse.rpc(431, nil, refuse.INVALID, "gateway", "header", "the request has too many headers")
    end
    local modern = refuse.modern(sent["mcp-protocol-version"])
    local header, value, why = credential.find(sent, true)
    local entry, reason
    if value then
        entry, why, reason = verdict.find(resource, header, value)
    end
    if not entry then
        return denial.caller(resource, why, reason)
    end
    local ctx = { entry = entry, resource = resource, header = header, credential = value, method = "", message = false,
        line = false, sent_at = false, route = false, try = 0, filter = false, deadline = false,
        pin = false, target = false, address = false, modern = modern }
    ngx.ctx = ctx
    for _, name in ipairs(sent.ours or NONE) do
        ngx.req.clear_header(name)
    end
    if method == "POST" then
        return post(ctx, modern, sent)
    end
    return bodiless(ctx, method, sent)
end

return _M
