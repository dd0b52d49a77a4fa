-- What calls are counted as, for Prometheus: plain tables in each worker, added to shared memory once a second.
-- Labels are bounded: they never hold text that a refused caller made up.

local cjson = require "cjson.safe"
local streams = require "gatepost.streams"

local shared = ngx.shared.gatepost_metrics
local servers = ngx.shared.gatepost_servers
local now, start_time = ngx.now, ngx.req.start_time

local PERIOD = 1
local TOOLS = 100
local LONGEST_NAME = 128
local KEPT = 8192

local _M = {}

-- The upper bounds of the buckets, in seconds; NGINX's clock has milliseconds.
_M.BOUNDS = { 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300 }
local BOUNDS = _M.BOUNDS
local BEYOND = #BOUNDS + 1

local METHODS = {}
for _, name in ipairs {
    "initialize", "ping", "server/discover", "tools/list", "tools/call", "prompts/list", "prompts/get",
    "resources/list", "resources/templates/list", "resources/read", "resources/subscribe", "resources/unsubscribe",
    "completion/complete", "logging/setLevel", "subscriptions/listen", "notifications/initialized",
    "notifications/cancelled", "notifications/progress", "notifications/roots/list_changed", "tasks/get",
    "tasks/list", "tasks/result", "tasks/update", "tasks/cancel", "response", "GET", "DELETE"
} do
    METHODS[name] = name
end

-- Streams last as long as their clients like: their times say nothing of a server.
local STREAMS = { GET = true, ["subscriptions/listen"] = true }

-- Counters by what they are called in shared memory, and those that grew since they were last added there.
local counters, counters_kept, grown = {}, 0, {}
-- What is known of the audit text of allowed calls: {calls, timed, total, upstream, bytes}.
local kept, kept_count = {}, 0

local function counter(key)
    local found = counters[key]
    if not found then
        if counters_kept >= KEPT then
            counters, counters_kept = {}, 0
        end
        found = { key = key, value = 0 }
        counters[key] = found
        counters_kept = counters_kept + 1
    end
    return found
end

local function add(to, amount)
    if to.value == 0 then
        grown[#grown + 1] = to
    end
    to.value = to.value + amount
end

-- A label's text as the exposition format has it.
local function quote(value)
    return '"' .. value:gsub('[\\"\n]', { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }) .. '"'
end

local function histogram(family, server)
    local of_server = {}
    for place = 1, BEYOND do
        of_server[place] = counter(family .. "\nserver=" .. quote(server) .. "\n" .. place)
    end
    of_server.sum = counter(family .. "\nserver=" .. quote(server) .. "\nsum")
    return of_server
end

local function observe(into, seconds)
    local place = 1
    while place < BEYOND and seconds > BOUNDS[place] do
        place = place + 1
    end
    add(into[place], 1)
    add(into.sum, seconds)
end

-- The server's label: its slug where a verdict knows it, so that nobody can make labels by calling names.
local function known_server(name)
    local resource = name and (name:sub(1, 1) == "/" and name or "/mcp/" .. name)
    return resource and servers:get(resource) and name or ""
end

-- The first tools that were allowed at a server have labels of their own, the same in all workers.
local function known_tool(server, tool, allowed)
    local mark = "tool\n" .. server .. "\n" .. tool
    if #tool <= LONGEST_NAME and (shared:get(mark) or (allowed
        and (shared:incr("tools\n" .. server, 1, 0) or TOOLS) <= TOOLS and shared:set(mark, true))) then
        return tool
    end
    return "other"
end

local function describe(text)
    local call = cjson.decode("{" .. text .. "}") or {}
    local function of(name)
        return call[name] ~= cjson.null and call[name] or nil
    end
    local allowed = call.decision == "allow"
    local server = known_server(of("server"))
    local method, tool = of("method"), of("tool")
    local described = {
        calls = counter("gatepost_calls_total\nserver=" .. quote(server)
            .. ',method="' .. (method and (METHODS[method] or "other") or "")
            .. '",tool=' .. quote(method == "tools/call" and tool and known_tool(server, tool, allowed) or "")
            .. ',decision="' .. (allowed and "allow" or "deny")
            .. '",rule="' .. (of("rule") or (allowed and "" or "missing")) .. '"'),
        bytes = counter("gatepost_response_bytes_total\nserver=" .. quote(server)),
        server = server, timed = allowed and not STREAMS[method],
    }
    if allowed then
        described.total = histogram("gatepost_call_duration_seconds", server)
        described.upstream = histogram("gatepost_upstream_duration_seconds", server)
    end
    return described
end

local function described_as(text)
    local described = kept[text]
    if not described then
        described = describe(text)
        if described.total then
            if kept_count >= KEPT then
                kept, kept_count = {}, 0
            end
            kept[text] = described
            kept_count = kept_count + 1
        end
    end
    return described
end

-- Seconds that the upstream took; behind error_page, where ngx.ctx is gone, in NGINX's own words.
local function upstream_seconds(ctx)
    return ctx.sent_at and now() - ctx.sent_at
        or tonumber((ngx.var.upstream_response_time or ""):match("([%d.]+)$"))
end

local function failure(ctx)
    local kind = not ctx.line and ngx.var.gatepost_failure
    if kind and kind ~= "" then
        return kind
    end
    return ctx.sent_at and ngx.status >= 500 and "status" or nil
end

-- Counts a call that is over, by the audit text of its line; requests without one are no calls.
function _M.count(ctx)
    local text = ctx.line or ngx.var.gatepost_call
    if text == "" then
        return
    end
    local described = described_as(text)
    add(described.calls, 1)
    add(described.bytes, tonumber(ngx.var.body_bytes_sent))
    if described.timed then
        observe(described.total, now() - start_time())
        local seconds = upstream_seconds(ctx)
        if seconds then
            observe(described.upstream, seconds)
        end
    end
    local kind = failure(ctx)
    if kind then
        add(counter("gatepost_upstream_errors_total\nserver=" .. quote(described.server)
            .. ',kind="' .. kind .. '"'), 1)
    end
end

-- Adds what grew to shared memory; for the timer, and for exit_worker_by_lua.
function _M.flush()
    for _, found in ipairs(grown) do
        shared:incr(found.key, found.value, 0)
        found.value = 0
    end
    grown = {}
    shared:set("gatepost_open_streams\nworker=" .. ngx.worker.id(), ngx.worker.exiting() and 0 or streams.count())
end

-- For init_worker_by_lua.
function _M.start()
    shared:incr("gatepost_worker_starts_total\n", 1, 0)
    ngx.timer.every(PERIOD, function(premature)
        if not premature then
            _M.flush()
        end
    end)
end

return _M
