-- Each request's id, and the id of the gateway's own span in its trace (W3C Trace Context), without asking for
-- randomness at each call: a worker's random part and a number that grows, in a buffer that no Lua string is made of.

local base = require "resty.core.base"
local ffi = require "ffi"
require "resty.core.var"

local C = ffi.C

local _M = {}

local RANDOM, LENGTH = 24, 32
local SPAN = 16
local ERROR_SIZE = 256
local ZERO, NINE, A, F = 0x30, 0x39, 0x61, 0x66

local digits = ffi.new("unsigned char[?]", LENGTH)
local lower = ffi.new("unsigned char[?]", LENGTH)
local message = ffi.new("unsigned char[?]", ERROR_SIZE)
local message_size = ffi.new("size_t[1]")

-- For init_worker_by_lua: no two workers share their random part.
function _M.seed()
    local source = assert(io.open("/dev/urandom", "rb"))
    local bytes = source:read(RANDOM / 2)
    source:close()
    local random = bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
    ffi.copy(digits, random .. ("0"):rep(LENGTH - RANDOM), LENGTH)
end

-- The next number; after the last a new random part.
local function count_up()
    local place = LENGTH - 1
    while digits[place] == F do
        digits[place] = ZERO
        place = place - 1
        if place < RANDOM then
            return _M.seed()
        end
    end
    digits[place] = digits[place] == NINE and A or digits[place] + 1
end

local function set(request, name, value, length)
    message_size[0] = ERROR_SIZE
    if C.ngx_http_lua_ffi_var_set(request, name, #name, lower, value, length, message, message_size) ~= 0 then
        error(ffi.string(message, message_size[0]))
    end
end

-- Gives the request its ids; what Lua does not see of NGINX's own answers has $request_id.
function _M.assign()
    count_up()
    local request = base.get_request()
    set(request, "gatepost_id", digits, LENGTH)
    set(request, "gatepost_span", digits + SPAN, LENGTH - SPAN)
end

return _M
