-- The stream that a GET opens. Some servers send no headers before their first event, and some clients do nothing until
-- they have them; NGINX's own proxying would wait for good, so the gateway reads this answer itself.

local http_answer = require "gatepost.http_answer"
local refuse = require "gatepost.refuse"
local response = require "gatepost.response"
local timeouts = require "gatepost.timeouts"

local tcp = ngx.socket.tcp
local concat = table.concat

local PATIENCE_MS = 1000
local SEND_MS = 60 * 1000
local SILENCE_MS = 86400 * 1000
local MOST_TEXT = 1024 * 1024

local _M = {}

-- What the gateway says itself, or what belongs to one connection (RFC 9110, 7.6.1).
local OURS = {}
for _, name in ipairs { "host", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "content-length",
    "upgrade", "expect", "http2-settings", "accept-encoding", "authorization", "gatepost-identity", "x-request-id",
    "traceparent", "tracestate" } do
    OURS[name] = true
end

local function request(ctx)
    local var, route = ngx.var, ctx.route
    local lines = {
        "GET " .. ctx.entry.server.upstream.target .. " HTTP/1.1", "Host: " .. route.host, "Connection: close",
        "Accept-Encoding: identity", "X-Request-Id: " .. var.gatepost_request,
        "traceparent: 00-" .. var.gatepost_trace .. "-" .. var.gatepost_span .. "-" .. var.gatepost_trace_flags,
    }
    for name, value in pairs { Authorization = route.authorization, ["Gatepost-Identity"] = var.gatepost_identity,
        tracestate = var.gatepost_tracestate } do
        if value ~= "" then
            lines[#lines + 1] = name .. ": " .. value
        end
    end
    for name, values in pairs(ngx.req.get_headers(0, true)) do
        local lower = name:lower()
        if not OURS[lower] then
            for _, value in ipairs(type(values) == "table" and values or { values }) do
                lines[#lines + 1] = name .. ": " .. tostring(value)
            end
        end
    end
    lines[#lines + 1] = "\r\n"
    return concat(lines, "\r\n")
end

-- A connection of this stream's own, verified as those of other calls are; nil and the rule that it failed by.
local function connect(route, peer)
    local sock = tcp()
    local connect_s = route.timeouts and route.timeouts.connect_s or timeouts.CONNECT_S
    sock:settimeouts(connect_s * 1000, SEND_MS, PATIENCE_MS)
    local host = peer.host:find(":", 1, true) and "[" .. peer.host .. "]" or peer.host
    local ok, err = sock:connect(host, peer.port, { pool = "server stream" })
    if ok and route.tls then
        ok, err = sock:sslhandshake(false, route.sni, true)
    end
    if ok then
        return sock
    end
    sock:close()
    return nil, err == "timeout" and "connect_timeout" or "unreachable"
end

local function open(ctx)
    local route = ctx.route
    local first = ctx.pin and route.places[ctx.pin]
    local sock, rule
    for i = first or 1, first or #route.peers do
        local peer = route.peers[i]
        sock, rule = connect(route, peer)
        if sock then
            ctx.address = peer.address
            return sock
        end
    end
    return nil, rule
end

local function fail(rule)
    ngx.var.gatepost_failure = rule
    return response.failed()
end

-- Sends a head on; the filters see it and what follows as they see NGINX's own. In HTTP/2 a head alone waits in the
-- buffer of TLS for what comes behind it, so there a comment goes with it.
local function begin(status, kind)
    ngx.status = status
    ngx.header["Content-Type"] = kind
    ngx.send_headers()
    if ngx.req.http_version() == 2 then
        ngx.print(":\n\n")
    end
    return ngx.flush(true)
end

-- Hands the body on. A stream that breaks off, or whose caller lost the right to it, must not look as if it had ended.
local function relay(answer)
    while true do
        local data, err = answer:piece()
        if not data then
            return err and ngx.exit(ngx.ERROR) or nil
        elseif not ngx.print(data) or not ngx.flush(true) then
            return ngx.exit(ngx.ERROR)
        end
    end
end

-- The body, where it is no stream and must come in the time of other answers; nil and the rule that it failed by.
local function whole(answer, limits)
    local parts, size = {}, 0
    answer.sock:settimeouts(SEND_MS, SEND_MS, (limits and limits.read_s or timeouts.READ_S) * 1000)
    while true do
        local data, err = answer:piece()
        if not data and err then
            return nil, err == "timeout" and err or "unreachable"
        elseif not data then
            return concat(parts)
        end
        parts[#parts + 1] = data
        size = size + #data
        if size > MOST_TEXT then
            return nil, "unreachable"
        end
    end
end

-- What is no stream: the upstream's refusal, or that it has none to give.
local function pass(ctx, status, headers, answer)
    local kind, fault = response.judge(ctx, status, headers["content-type"], headers["content-encoding"], answer.ended)
    local text
    if not fault then
        text, fault = whole(answer, ctx.route.timeouts)
    end
    if not text then
        return fail(fault)
    end
    ngx.status = status
    ngx.header["Content-Type"] = kind == "text" and "text/plain" or headers["content-type"]
    ngx.header["Content-Length"] = #text
    ngx.header["Allow"], ngx.header["Retry-After"] = headers.allow, headers["retry-after"]
    return ngx.print(text)
end

-- For content_by_lua, after gatepost.gateway has let the request in.
function _M.run()
    local ctx = ngx.ctx
    local sock, rule = open(ctx)
    if not sock then
        return fail(rule)
    end
    local sent = sock:send(request(ctx))
    if not sent then
        return fail("unreachable")
    end
    refuse.unconditional()
    local answer = http_answer.of(sock)
    local status, headers = answer:head()
    local early = headers == "timeout"
    sock:settimeouts(SEND_MS, SEND_MS, SILENCE_MS)
    if early then
        begin(200, "text/event-stream")
        status, headers = answer:head()
    end
    local streams = status == 200
        and response.judge(ctx, status, headers["content-type"], headers["content-encoding"]) == "events"
    if early and not streams then
        return ngx.exit(ngx.ERROR)
    elseif not status then
        return fail("unreachable")
    elseif not streams then
        return pass(ctx, status, headers, answer)
    elseif not early then
        begin(status, headers["content-type"])
    end
    return relay(answer)
end

return _M
