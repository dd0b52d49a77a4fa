-- The shape that nearly every request has, read without loops over bytes so that LuaJIT compiles all of it:
-- known keys in any order, each once, compact or with one space. On any doubt it gives nil, and the general reader
-- (gatepost.body) decides: this one refuses nothing and accepts only what that one accepts.

local ffi = require "ffi"
local bit = require "bit"
local json = require "gatepost.json"

ffi.cdef [[
void *memchr(const void *s, int c, size_t n);
size_t strspn(const char *s, const char *accept);
]]

local C = ffi.C
local cast, sub, find = ffi.cast, string.sub, ngx.re.find
local bor, band = bit.bor, bit.band
local bytes, skip, skip_shallow = json.bytes, json.skip, json.skip_shallow
local int_pointer, char_pointer = ffi.typeof("const int32_t *"), ffi.typeof("const char *")

local LONG = 2048
local MAX_TEXT = 256

local _M = {}

-- Four bytes as NGINX's machine reads them.
local function word(text)
    return cast(int_pointer, text)[0]
end
local QUOTED_JSO, NRPC, QUOTED_MET, HOD_ = word('"jso'), word('nrpc'), word('"met'), word('hod"')
local QUOTED_PAR, AMS_, QUOTED_ID = word('"par'), word('ams"'), word('"id"')
local QUOTED_NAM, QUOTED_URI, QUOTED_ARG, UMEN = word('"nam'), word('"uri'), word('"arg'), word('umen')
local QUOTED_META, VERSION = word('"_me'), word('"2.0')

local COLON, COMMA, QUOTE, BLANK, CLOSE = 0x3a, 0x2c, 0x22, 0x20, 0x7d

-- The offset of the value behind a key that ends at i.
local function value_at(p, i)
    if p[i] ~= COLON then
        return nil
    end
    return p[i + 1] == BLANK and i + 2 or i + 1
end

-- Texts already seen to be printable ASCII without escapes; emptied when full.
local plain, plain_count = {}, 0

local function is_plain(text)
    if plain[text] then
        return true
    elseif not find(text, [[^[ !#-\[\]-~]*$]], "joD") then
        return false
    end
    if plain_count >= 4096 then
        plain, plain_count = {}, 0
    end
    plain[text] = true
    plain_count = plain_count + 1
    return true
end

-- The plain string that opens at i, and the offset behind it.
local function plain_string(body, p, i, length)
    if p[i] ~= QUOTE then
        return nil
    end
    local quote = C.memchr(p + i + 1, QUOTE, length - i - 1)
    if quote == nil then
        return nil
    end
    local size = tonumber(cast(char_pointer, quote) - cast(char_pointer, p + i + 1))
    if size > MAX_TEXT then
        return nil
    end
    local text = sub(body, i + 2, i + 1 + size)
    if not is_plain(text) then
        return nil
    end
    return text, i + size + 2
end

-- The offset behind a number that needs no closer look, or behind a plain string.
local function id_end(body, p, i, length)
    if p[i] == QUOTE then
        local text, behind = plain_string(body, p, i, length)
        return text and behind
    end
    local digits = tonumber(C.strspn(cast(char_pointer, p + i), "0123456789"))
    if digits == 0 or digits > 15 or (digits > 1 and p[i] == 0x30) then
        return nil
    end
    local b = p[i + digits]
    return (b == COMMA or b == CLOSE) and i + digits or nil
end

local NAME, URI, ARGUMENTS, META = 1, 2, 4, 8

-- Reads `params` at i into `into`; the offset behind it, or nil.
local function params(body, p, i, length, into)
    if p[i] ~= json.OPEN then
        return nil
    end
    i = i + 1
    local seen = 0
    while true do
        local c = cast(int_pointer, p + i)
        local key, flag = c[0], nil
        local value
        if key == QUOTED_NAM and p[i + 4] == 0x65 and p[i + 5] == QUOTE then
            flag, value = NAME, value_at(p, i + 6)
        elseif key == QUOTED_ARG and c[1] == UMEN and p[i + 8] == 0x74 and p[i + 9] == 0x73 and p[i + 10] == QUOTE then
            flag, value = ARGUMENTS, value_at(p, i + 11)
        elseif key == QUOTED_META and p[i + 4] == 0x74 and p[i + 5] == 0x61 and p[i + 6] == QUOTE then
            flag, value = META, value_at(p, i + 7)
        elseif key == QUOTED_URI and p[i + 4] == QUOTE then
            flag, value = URI, value_at(p, i + 5)
        end
        if not value or band(seen, flag) ~= 0 then
            return nil
        end
        seen = bor(seen, flag)
        if flag == NAME then
            into.name, i = plain_string(body, p, value, length)
        elseif flag == URI then
            into.uri, i = plain_string(body, p, value, length)
        elseif flag == ARGUMENTS and length > LONG then
            i = skip_shallow(body, p, value)
        else
            i = skip(body, value)
        end
        if not i then
            return nil
        end
        if p[i] == CLOSE then
            return i + 1
        elseif p[i] ~= COMMA then
            return nil
        end
        i = p[i + 1] == BLANK and i + 2 or i + 1
    end
end

local JSONRPC, ID, METHOD, PARAMS = 1, 2, 4, 8

-- {method, id, name, uri} of a request in the common shape, or nil.
function _M.read(body)
    local p, length = bytes(body), #body
    if length < 40 or p[0] ~= json.OPEN then
        return nil
    end
    local message = { id = nil, method = nil, name = nil, uri = nil }
    local i, seen = 1, 0
    while true do
        local c = cast(int_pointer, p + i)
        local key, flag = c[0], nil
        local value
        if key == QUOTED_JSO and c[1] == NRPC and p[i + 8] == QUOTE then
            flag, value = JSONRPC, value_at(p, i + 9)
        elseif key == QUOTED_ID then
            flag, value = ID, value_at(p, i + 4)
        elseif key == QUOTED_MET and c[1] == HOD_ then
            flag, value = METHOD, value_at(p, i + 8)
        elseif key == QUOTED_PAR and c[1] == AMS_ then
            flag, value = PARAMS, value_at(p, i + 8)
        end
        if not value or value >= length or band(seen, flag) ~= 0 then
            return nil
        end
        seen = bor(seen, flag)
        if flag == PARAMS then
            i = params(body, p, value, length, message)
        elseif flag == METHOD then
            message.method, i = plain_string(body, p, value, length)
        elseif flag == ID then
            i = id_end(body, p, value, length)
            message.id = i and sub(body, value + 1, i)
        else
            i = value + 5 < length and cast(int_pointer, p + value)[0] == VERSION and p[value + 4] == QUOTE
                and value + 5 or nil
        end
        if not i then
            return nil
        elseif p[i] == CLOSE then
            if i + 1 ~= length or band(seen, 7) ~= 7 then
                return nil
            end
            return message
        elseif p[i] ~= COMMA then
            return nil
        end
        i = p[i + 1] == BLANK and i + 2 or i + 1
        -- The shortest member that may come last is `"id":1}`, and the text's own NUL is the eighth byte.
        if i + 7 > length then
            return nil
        end
    end
end

return _M
