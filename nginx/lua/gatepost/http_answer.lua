-- An HTTP/1.1 answer as it comes from a cosocket (RFC 9112): its head, then its body piece by piece. An upstream is not
-- trusted to end a line: what is held of it is bounded.

local find, match, sub = string.find, string.match, string.sub

local MOST_HEAD = 32 * 1024
local MOST_LINE = 1024
local PIECE = 65536

local Answer = {}
Answer.__index = Answer

local _M = {}

function _M.of(sock)
    return setmetatable({ sock = sock, buffer = "", left = false, chunked = false, ended = false }, Answer)
end

function Answer:fill()
    local data, err = self.sock:receiveany(PIECE)
    if not data then
        return nil, err
    end
    self.buffer = self.buffer .. data
    return true
end

-- No pattern here goes back over a line for each of its blanks: a long one would hold up the worker for hours.
local function fields(text)
    local headers = {}
    for line in text:gmatch("[^\n]+") do
        local name, value = line:match("^([^:]+):[ \t]*(.*)$")
        if name then
            headers[name:lower()] = value:match("^(.*[^ \t\r])") or ""
        end
    end
    return headers
end

-- The status and the headers by their lower-case names; nil and "timeout", "closed" or another reason. After a timeout
-- it may be asked again.
function Answer:head()
    while true do
        local _, stop = find(self.buffer, "\r?\n\r?\n")
        if stop then
            local text = sub(self.buffer, 1, stop - 1)
            self.buffer = sub(self.buffer, stop + 1)
            local status = tonumber(text:match("^HTTP/1%.[01] (%d%d%d)"))
            if not status then
                return nil, "no HTTP"
            elseif status >= 200 then
                local headers = fields(text:match("^[^\n]*\n(.*)$"))
                self.chunked = (headers["transfer-encoding"] or ""):lower():find("chunked", 1, true) ~= nil
                local length = headers["content-length"]
                if not self.chunked and length and not length:find("^%d+$") then
                    return nil, "no length"
                end
                self.left = self.chunked and 0 or tonumber(length) or false
                self.ended = status == 204 or (not self.chunked and self.left == 0)
                return status, headers
            end
        elseif #self.buffer > MOST_HEAD then
            return nil, "too long a head"
        else
            local ok, err = self:fill()
            if not ok then
                return nil, err
            end
        end
    end
end

-- Reads the size of the next chunk; nil and why not.
function Answer:next_chunk()
    while true do
        local _, start = find(self.buffer, "^\r?\n?")
        local stop = find(self.buffer, "\n", start + 1, true)
        local size = match(self.buffer, "^(%x+)[ \t]*[;\r\n]", start + 1)
        if stop and size then
            self.buffer = sub(self.buffer, stop + 1)
            self.left = tonumber(size, 16)
            self.ended = self.left == 0
            return true
        elseif stop or #self.buffer > MOST_LINE or find(self.buffer, "^[^%x\r\n]", start + 1) then
            return nil, "no chunk"
        end
        local ok, err = self:fill()
        if not ok then
            return nil, err
        end
    end
end

-- The next piece of the body; nil at its proper end, nil and why where it breaks off.
function Answer:piece()
    if self.chunked and self.left == 0 and not self.ended then
        local ok, err = self:next_chunk()
        if not ok then
            return nil, err
        end
    end
    if self.ended then
        return nil
    end
    if self.buffer == "" then
        local ok, err = self:fill()
        if not ok then
            return nil, self.left and err or (err ~= "closed" and err or nil)
        end
    end
    local data = self.buffer
    if self.left and #data > self.left then
        data = sub(data, 1, self.left)
    end
    self.buffer = sub(self.buffer, #data + 1)
    if self.left then
        self.left = self.left - #data
        self.ended = not self.chunked and self.left == 0
    end
    return data
end

return _M
