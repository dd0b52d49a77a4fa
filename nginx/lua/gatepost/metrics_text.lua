-- The metrics as Prometheus reads them (text exposition format 0.0.4).

local metrics = require "gatepost.metrics"

local shared = ngx.shared.gatepost_metrics
local concat = table.concat

-- Thousands of lines are made in pieces, between which calls go on.
local AT_ONCE = 500

local _M = {}

local FAMILIES = {
    { "gatepost_calls_total", "counter", "Calls by what the gateway decided; rule is why it refused." },
    { "gatepost_call_duration_seconds", "histogram", "Allowed calls from first byte to last, without streams." },
    { "gatepost_upstream_duration_seconds", "histogram", "The part of it that the server took." },
    { "gatepost_upstream_errors_total", "counter", "Calls that failed at their server." },
    { "gatepost_open_streams", "gauge", "Event streams that are open." },
    { "gatepost_worker_starts_total", "counter", "Starts of workers since NGINX was started." },
    { "gatepost_shared_memory_bytes", "gauge", "Size of each part of shared memory." },
    { "gatepost_shared_memory_free_bytes", "gauge", "Its free pages; at 0 old entries make room." },
}

-- {family → labels → value, or {place → value} of a histogram}. What is none of the families is kept for other use.
local function collect()
    local found = {}
    for _, family in ipairs(FAMILIES) do
        found[family[1]] = {}
    end
    for i, key in ipairs(shared:get_keys(0)) do
        local name, labels, place = key:match("^([^\n]*)\n([^\n]*)\n?([^\n]*)$")
        local family = found[name]
        if family and place ~= "" then
            family[labels] = family[labels] or {}
            family[labels][tonumber(place) or place] = shared:get(key)
        elseif family then
            family[labels] = shared:get(key)
        end
        if i % AT_ONCE == 0 then
            ngx.sleep(0)
        end
    end
    return found
end

local function histogram_lines(lines, name, labels, values)
    local total = 0
    for place, bound in ipairs(metrics.BOUNDS) do
        total = total + (values[place] or 0)
        lines[#lines + 1] = name .. "_bucket{" .. labels .. ',le="' .. bound .. '"} ' .. total
    end
    total = total + (values[#metrics.BOUNDS + 1] or 0)
    lines[#lines + 1] = name .. "_bucket{" .. labels .. ',le="+Inf"} ' .. total
    lines[#lines + 1] = name .. "_sum{" .. labels .. "} " .. (values.sum or 0)
    lines[#lines + 1] = name .. "_count{" .. labels .. "} " .. total
end

local function memory(found)
    for name, dict in pairs(ngx.shared) do
        local labels = 'dict="' .. name .. '"'
        found.gatepost_shared_memory_bytes[labels] = dict:capacity()
        found.gatepost_shared_memory_free_bytes[labels] = dict:free_space()
    end
end

local function sum_of(values)
    local sum = 0
    for _, value in pairs(values) do
        sum = sum + value
    end
    return sum
end

-- Answers /metrics.
function _M.serve()
    local found = collect()
    memory(found)
    found.gatepost_open_streams = { [""] = sum_of(found.gatepost_open_streams) }
    ngx.header["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
    for _, family in ipairs(FAMILIES) do
        local name, kind, help = family[1], family[2], family[3]
        local lines = { "# HELP " .. name .. " " .. help, "# TYPE " .. name .. " " .. kind }
        for labels, value in pairs(found[name]) do
            if kind == "histogram" then
                histogram_lines(lines, name, labels, value)
            else
                lines[#lines + 1] = name .. (labels ~= "" and "{" .. labels .. "}" or "") .. " " .. value
            end
        end
        ngx.print(concat(lines, "\n"), "\n")
        ngx.flush(true)
    end
end

return _M
