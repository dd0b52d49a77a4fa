-- Strict JSON (RFC 8259) by position: values are checked and skipped, never decoded and never interned.
-- A client's strings would otherwise be the client's way to fill one chain of LuaJIT's string table.
-- All offsets are 0-based; a string of the body is `sub(body, from + 1, to)`.

local ffi = require "ffi"
local cjson = require "cjson.safe"
local text_scan = require "gatepost.text"

local find = ngx.re.find
local plain_text = text_scan.plain_text
local sub = string.sub
local cast = ffi.cast
local byte_pointer = ffi.typeof("const uint8_t *")

local TEXT = [[(?:[^"\\\x00-\x1f\x80-\xff]++|\\(?:["\\/bfnrt]|u(?:[0-9a-cefA-CEF][0-9a-fA-F]{3}]]
    .. [[|[dD][0-7][0-9a-fA-F]{2}|[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}))]]
    .. [[|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}]]
    .. [[|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}]]
    .. [[|\xf4[\x80-\x8f][\x80-\xbf]{2})*+"]]
local STRING = '(?<s>"' .. TEXT .. ")"
local WS = [[[ \t\n\r]*+]]
local MEMBER = "(?&s)" .. WS .. ":" .. WS .. "(?&v)" .. WS
local VALUE = "(?<v>" .. STRING .. [[|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+]]
    .. [[|\{]] .. WS .. "(?:" .. MEMBER .. "(?:," .. WS .. MEMBER .. [[)*+)?+\}]]
    .. [[|\[]] .. WS .. "(?:(?&v)" .. WS .. "(?:," .. WS .. "(?&v)" .. WS .. [[)*+)?+\]|true|false|null)]]

local QUOTE, BACKSLASH, COLON, COMMA = 0x22, 0x5c, 0x3a, 0x2c
local OPEN, CLOSE, OPEN_ARRAY, CLOSE_ARRAY = 0x7b, 0x7d, 0x5b, 0x5d

local _M = { OPEN = OPEN, OPEN_ARRAY = OPEN_ARRAY, QUOTE = QUOTE }

local position = {}

function _M.bytes(text)
    return cast(byte_pointer, text)
end

-- A Lua string ends in a NUL that is not part of it, so reading at its length is safe and is no white space.
local function space(p, i)
    local b = p[i]
    while b == 0x20 or b == 0x0a or b == 0x0d or b == 0x09 do
        i = i + 1
        b = p[i]
    end
    return i
end
_M.space = space

-- The offset behind the plain string that opens at i: printable ASCII without escapes; nil for any other.
local function plain_string(p, i)
    local b
    repeat
        i = i + 1
        b = p[i]
    until b == QUOTE or b == BACKSLASH or b < 0x20 or b > 0x7e
    return b == QUOTE and i + 1 or nil
end

-- The offset behind the value that starts at i, or nil and a reason where it is not strict JSON.
local function skip(text, i)
    position.pos = i + 1
    local from, to, err = find(text, VALUE, "joa", position)
    if from then
        return to
    end
    return nil, err and "it is nested too deeply" or "it is not strict JSON"
end
_M.skip = skip

-- The offset behind the string that opens at i; nil and a reason where it is not strict.
local function skip_string(text, p, i)
    local behind, special = plain_text(p, i + 1, #text)
    if behind then
        return behind
    end
    -- Dense escapes and letters outside ASCII are the pattern's: it is the quicker one there.
    position.pos = special + 1
    local from, to = find(text, TEXT, "joa", position)
    if from then
        return to
    end
    return nil, "it is not strict JSON in UTF-8"
end
_M.skip_string = skip_string

-- The decoded content of the string in [from, to); nil where it is longer than `longest` bytes.
function _M.string(text, from, to, longest)
    if to - from > longest then
        return nil
    end
    local raw = sub(text, from + 2, to - 1)
    if not raw:find("\\", 1, true) then
        return raw
    end
    return cjson.decode('["' .. raw .. '"]')[1]
end

-- Steps through an object or array from its opening bracket:
--   i, err = first(p, i) … the offset of the first key or element, or nil where it is empty
function _M.first(p, i, close)
    i = space(p, i + 1)
    if p[i] == close then
        return nil, i + 1
    end
    return i
end

-- The next element's offset behind a value that ended at i, or nil and the offset behind the closing bracket,
-- or nil, nil where neither a comma nor the bracket stands there.
function _M.next(p, i, close)
    i = space(p, i)
    if p[i] == COMMA then
        return space(p, i + 1)
    end
    if p[i] == close then
        return nil, i + 1
    end
    return nil, nil
end

-- A key at offset i: the offsets of its text and of its value. Only printable ASCII without escapes is taken:
-- any other key at the levels that decide is one that some parser might read as another.
function _M.key(p, i)
    if p[i] ~= QUOTE then
        return nil
    end
    local behind = plain_string(p, i)
    if not behind then
        return nil
    end
    local colon = space(p, behind)
    if p[colon] ~= COLON then
        return nil
    end
    return i + 1, behind - 1, space(p, colon + 1)
end

-- The offset behind the value at i. An object's own strings are stepped over without the pattern: long texts are
-- what the arguments of a tool mostly are.
function _M.skip_shallow(text, p, i)
    if p[i] ~= OPEN then
        return skip(text, i)
    end
    local at, behind = _M.first(p, i, CLOSE)
    while at do
        local stop = p[at] == QUOTE and skip_string(text, p, at)
        local colon = stop and space(p, stop)
        if not stop or p[colon] ~= COLON then
            return nil, "it is not strict JSON"
        end
        local value = space(p, colon + 1)
        local after, reason
        if p[value] == QUOTE then
            after, reason = skip_string(text, p, value)
        else
            after, reason = skip(text, value)
        end
        if not after then
            return nil, reason
        end
        at, behind = _M.next(p, after, CLOSE)
    end
    return behind, not behind and "it is not strict JSON" or nil
end

-- A text as JSON; its slashes stay as they are, for whoever searches a log.
function _M.quote(text)
    return (cjson.encode(text):gsub("\\/", "/"))
end

_M.CLOSE, _M.CLOSE_ARRAY = CLOSE, CLOSE_ARRAY

return _M
