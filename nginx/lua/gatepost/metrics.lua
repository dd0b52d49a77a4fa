-- Counts of calls for Prometheus: plain tables in each worker, added to shared memory once a second.

local labels = require "gatepost.metric_labels"
local streams = require "gatepost.streams"

local shared = ngx.shared.gatepost_metrics
local now, start_time = ngx.now, ngx.req.start_time

local PERIOD = 1
local KEPT = 8192

local _M = {}

-- The upper bounds of the buckets, in seconds; NGINX's clock has milliseconds.
_M.BOUNDS = { 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300 }
local BOUNDS = _M.BOUNDS
local BEYOND = #BOUNDS + 1

-- Streams last as long as their clients like: their times say nothing of a server.
local STREAMS = { GET = true, ["subscriptions/listen"] = true, SendStreamingMessage = true, SubscribeToTask = true }

-- Counters that grew since they were last added to shared memory.
local grown = {}

local function add(to, amount)
    if not to.grown then
        to.grown = true
        grown[#grown + 1] = to
    end
    to.value = to.value + amount
end

local function counter(key)
    return { key = key, value = 0, grown = false }
end

-- Tables that are made once for each key; emptied when full, so that nobody can grow them.
local function remembered(make)
    local kept, count = {}, 0
    return function(key, ...)
        local found = kept[key]
        if not found then
            if count >= KEPT then
                kept, count = {}, 0
            end
            found = make(key, ...)
            kept[key] = found
            count = count + 1
        end
        return found
    end
end

local calls_of = remembered(function(call)
    return counter("gatepost_calls_total\n" .. call)
end)

local function histogram(family, server)
    local found = { sum = counter(family .. "\n" .. server .. "\nsum") }
    for place = 1, BEYOND do
        found[place] = counter(family .. "\n" .. server .. "\n" .. place)
    end
    return found
end

local server_of = remembered(function(server)
    return {
        name = server,
        total = histogram("gatepost_call_duration_seconds", server),
        upstream = histogram("gatepost_upstream_duration_seconds", server),
    }
end)

local function described(text)
    local server, call, allowed, method = labels.of(text)
    return { calls = calls_of(call), server = server_of(server), timed = allowed and not STREAMS[method] }
end

-- Only what was allowed is kept: its audit text is one of few, that of refused calls is the caller's to choose.
local allowed_as = remembered(described)

local function observe(into, seconds)
    local place = 1
    while place < BEYOND and seconds > BOUNDS[place] do
        place = place + 1
    end
    add(into[place], 1)
    add(into.sum, seconds)
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
    local line = ctx.line
    local text = line or ngx.var.gatepost_call
    if text == "" then
        return
    end
    local call = line and allowed_as(line) or described(text)
    local server = call.server
    add(call.calls, 1)
    if call.timed then
        observe(server.total, now() - start_time())
        local seconds = upstream_seconds(ctx)
        if seconds then
            observe(server.upstream, seconds)
        end
    end
    local kind = failure(ctx)
    if kind then
        add(counter("gatepost_upstream_errors_total\n" .. server.name .. ',kind="' .. kind .. '"'), 1)
    end
end

-- Adds what grew to shared memory; for the timer, and for exit_worker_by_lua.
function _M.flush()
    for _, found in ipairs(grown) do
        shared:incr(found.key, found.value, 0)
        found.value, found.grown = 0, false
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
