-- The inside of a JSON string, eight bytes at a time, in one loop without another inside: LuaJIT compiles it whole.

local bit = require "bit"
local ffi = require "ffi"

local band, bor, bxor = bit.band, bit.bor, bit.bxor
local cast = ffi.cast
local words_of = ffi.typeof("const uint64_t *")

local HIGH, ONES, SPACES = 0x8080808080808080ULL, 0x0101010101010101ULL, 0x2020202020202020ULL
local QUOTES, BACKSLASHES = 0x2222222222222222ULL, 0x5c5c5c5c5c5c5c5cULL
local QUOTE, BACKSLASH = 0x22, 0x5c

-- How many escapes and letters outside ASCII that stand close together are looked at here before the rest of the string
-- is left to the pattern, which is the quicker one among them.
local PATIENCE = 64
local CLOSE = 32

-- Two-character escapes (RFC 8259, section 7).
local ESCAPES = { [0x22] = true, [0x5c] = true, [0x2f] = true, [0x62] = true, [0x66] = true, [0x6e] = true,
    [0x72] = true, [0x74] = true }

local _M = {}

-- A set high bit for each byte that is below 0x20, above 0x7f, a quote or a backslash. A borrow may set one too many
-- above a true one, so the lowest is always true.
local function special(word)
    return band(bor(word, word - SPACES, bxor(word, QUOTES) - ONES, bxor(word, BACKSLASHES) - ONES), HIGH)
end

-- Which byte of a word the lowest set high bit belongs to.
local function lowest(mask)
    local half = tonumber(band(mask, 0xffffffffULL))
    local at = 0
    if half == 0 then
        half, at = tonumber(mask / 0x100000000ULL), 4
    end
    if half % 0x100 ~= 0 then
        return at
    elseif half % 0x10000 ~= 0 then
        return at + 1
    elseif half % 0x1000000 ~= 0 then
        return at + 2
    end
    return at + 3
end

local function continues(b)
    return b >= 0x80 and b <= 0xbf
end

-- The length of the well-formed UTF-8 sequence at i (Unicode, table 3-7); nil where there is none.
local function sequence(p, i)
    local b, second = p[i], p[i + 1]
    if b < 0xc2 or b > 0xf4 or not continues(second) then
        return nil
    elseif b < 0xe0 then
        return 2
    elseif (b == 0xe0 and second < 0xa0) or (b == 0xed and second > 0x9f) or not continues(p[i + 2]) then
        return nil
    elseif b < 0xf0 then
        return 3
    elseif (b == 0xf0 and second < 0x90) or (b == 0xf4 and second > 0x8f) or not continues(p[i + 3]) then
        return nil
    end
    return 4
end

-- The offset behind the quote that closes the string whose text starts at i. Or nil and the offset from which the
-- strict pattern must read: at \\u, at what is malformed, where little is plain, or near the end of the body.
function _M.plain_text(p, i, length)
    local patience, previous = PATIENCE, i
    while i + 16 <= length do
        local words = cast(words_of, p + i)
        local mask = special(words[0])
        if mask == 0 then
            i = i + (special(words[1]) == 0 and 16 or 8)
        else
            i = i + lowest(mask)
            local b = p[i]
            if b == QUOTE then
                return i + 1
            elseif i - previous < CLOSE then
                patience = patience - 1
            end
            previous = i
            local size
            if b == BACKSLASH then
                size = ESCAPES[p[i + 1]] and 2
            else
                size = b > 0x7f and sequence(p, i)
            end
            if not size or patience == 0 then
                return nil, i
            end
            i = i + size
        end
    end
    return nil, i
end

return _M
