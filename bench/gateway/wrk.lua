-- wrk's side of bench/gateway: repeats the requests of a file in turn, and judges every answer.
-- Called as `wrk … -s wrk.lua URL -- FILE`, the file being raw HTTP/1.1 requests with a NUL between them.
-- Prints one JSON object as its last line.

local threads = {}

function setup(thread)
    threads[#threads + 1] = thread
end

function init(arguments)
    local file = assert(io.open(arguments[1], "rb"))
    requests = {}
    for request in file:read("*a"):gmatch("[^%z]+") do
        requests[#requests + 1] = request
    end
    file:close()
    assert(#requests > 0, "no requests in the file")
    turn = 0
    wrong = 0
    example = ""
end

function request()
    turn = turn % #requests + 1
    return requests[turn]
end

-- A refusal in the legacy eras is a JSON-RPC error with status 200, so the status alone proves nothing.
function response(status, _, body)
    if status ~= 200 or not body:find('"result"', 1, true) or body:find('"isError":true', 1, true) then
        wrong = wrong + 1
        if wrong == 1 then
            example = status .. " " .. body:sub(1, 300)
        end
    end
end

local function quoted(text)
    return '"' .. text:gsub('[%c"\\]', function(char) return ("\\u%04x"):format(char:byte()) end) .. '"'
end

function done(summary, latency, _)
    local errors = summary.errors
    local bad, sample = 0, ""
    for _, thread in ipairs(threads) do
        bad = bad + thread:get("wrong")
        sample = sample ~= "" and sample or thread:get("example")
    end
    io.write(('\n{"requests":%d,"duration_us":%d,"wrong":%d,"broken":%d,"p50_us":%d,"example":%s}\n'):format(
        summary.requests, summary.duration, bad, errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50), quoted(sample)))
end
