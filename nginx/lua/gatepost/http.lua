-- A small HTTP/1.1 client on a cosocket for the control plane, whose answers carry Content-Length.

local tcp = ngx.socket.tcp
local concat = table.concat

local CONNECT_MS, SEND_MS, READ_MS = 1000, 1000, 5000
local IDLE_MS, POOL = 4000, 32

local _M = {}

local function receive(sock)
    local line, err = sock:receive("*l")
    if not line then
        return nil, err
    end
    local status = tonumber(line:match("^HTTP/1%.[01] (%d%d%d)"))
    local length, reusable = nil, true
    while true do
        line, err = sock:receive("*l")
        if not line then
            return nil, err
        elseif line == "" then
            break
        end
        local name, value = line:match("^([^:]+):%s*(.-)%s*$")
        name = name and name:lower()
        if name == "content-length" then
            length = tonumber(value)
        elseif name == "connection" and value:lower() == "close" then
            reusable = false
        end
    end
    if not status or not length then
        return nil, "an answer without a status or a length"
    end
    local body = ""
    if length > 0 then
        body, err = sock:receive(length)
        if not body then
            return nil, err
        end
    end
    return status, body, reusable
end

-- GET at {host, port}. Returns the status and the body, or nil and an error. A kept connection that
-- turns out to be closed is replaced by a new one, once; one that is silent is not: it would be waited for twice.
function _M.get(address, target, headers)
    local lines = { "GET " .. target .. " HTTP/1.1\r\nHost: " .. address.host .. ":" .. address.port .. "\r\n" }
    for name, value in pairs(headers or {}) do
        lines[#lines + 1] = name .. ": " .. value .. "\r\n"
    end
    lines[#lines + 1] = "\r\n"
    local request = concat(lines)
    local failure
    for _ = 1, 2 do
        local sock = tcp()
        sock:settimeouts(CONNECT_MS, SEND_MS, READ_MS)
        local connected, err = sock:connect(address.host, address.port)
        if not connected then
            return nil, err
        end
        local kept = (sock:getreusedtimes() or 0) > 0
        local sent
        sent, err = sock:send(request)
        if sent then
            local status, body, reusable = receive(sock)
            if status then
                if reusable then
                    sock:setkeepalive(IDLE_MS, POOL)
                else
                    sock:close()
                end
                return status, body
            end
            err = body
        end
        sock:close()
        failure = err
        if not kept or err == "timeout" then
            break
        end
    end
    return nil, failure
end

return _M
