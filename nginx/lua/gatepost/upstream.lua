-- Where a call goes: the addresses that auth handed over, and the pool of connections it may use.

local balancer = require "ngx.balancer"
local timeouts = require "gatepost.timeouts"

local _M = {}

-- NGINX keys idle connections by address alone. A TLS connection was verified for one name, so each TLS identity
-- gets a slot of its own among the owners of an address; a slot once given is never given to another.
local SLOTS = 16

local owners = {}

local function owns(address, slot, identity)
    local of_address = owners[address]
    local owner = of_address and of_address[slot]
    return owner == nil or owner == identity
end

local function slot_of(addresses, identity)
    for slot = 1, SLOTS do
        local free = true
        for i = 1, #addresses do
            free = free and owns(addresses[i], slot, identity)
        end
        if free then
            for i = 1, #addresses do
                owners[addresses[i]] = owners[addresses[i]] or {}
                owners[addresses[i]][slot] = identity
            end
            return slot
        end
    end
    return nil
end

-- Works out once a server's part what every call needs: the proxy target, the peers, the headers.
local function prepare(server)
    local to = server.upstream
    local block = "gatepost_http"
    if to.scheme == "https" then
        local slot = slot_of(to.addresses, to.sni)
        block = slot and "gatepost_tls_" .. slot or "gatepost_tls_unshared"
    end
    local peers, places = {}, {}
    for i, address in ipairs(to.addresses) do
        places[address] = i
        local host, port = address:match("^%[?(.-)%]?:(%d+)$")
        peers[i] = { host = host, port = tonumber(port), address = address }
    end
    local headers, authorization = {}, ""
    for name, value in pairs(server.headers or {}) do
        if name:lower() == "authorization" then
            authorization = value
        else
            headers[#headers + 1] = { name = name, value = value }
        end
    end
    return {
        origin = to.scheme .. "://" .. block, target = to.scheme .. "://" .. block .. to.target,
        host = to.host, sni = to.sni, tls = to.scheme == "https",
        peers = peers, places = places, timeouts = timeouts.of(to),
        headers = headers, authorization = authorization,
    }
end

-- Points the request at its upstream: at `ctx.target` there and at the address `ctx.pin`, where these are set. False
-- where that address is no longer the server's.
function _M.choose(entry, ctx)
    local server = entry.server
    local route = server.route
    if not route then
        route = prepare(server)
        server.route = route
    end
    if ctx.pin and not route.places[ctx.pin] then
        return false
    end
    local var = ngx.var
    var.gatepost_target = ctx.target and route.origin .. ctx.target or route.target
    var.gatepost_host = route.host
    if route.tls then
        var.gatepost_sni = route.sni
    end
    if route.authorization ~= "" then
        var.gatepost_authorization = route.authorization
    end
    for i = 1, #route.headers do
        ngx.req.set_header(route.headers[i].name, route.headers[i].value)
    end
    if server.identity then
        var.gatepost_identity = entry.caller.identity
    end
    ctx.route, ctx.sent_at = route, ngx.now()
    if route.timeouts then
        timeouts.begin(ctx, route.timeouts)
    end
    return true
end

-- For balancer_by_lua: the next address. A request that was sent is never sent again.
function _M.balance()
    local ctx = ngx.ctx
    local route = ctx.route
    local peers = route.peers
    local try = ctx.try + 1
    ctx.try = try
    if try == 1 and #peers > 1 and not ctx.pin then
        balancer.set_more_tries(#peers - 1)
    end
    timeouts.apply(ctx, route.timeouts)
    local peer = peers[ctx.pin and route.places[ctx.pin] or (try - 1) % #peers + 1]
    local ok, err = balancer.set_current_peer(peer.host, peer.port)
    if not ok then
        ngx.log(ngx.ERR, "cannot use the address ", peer.host, ": ", err)
        return ngx.exit(502)
    end
end

return _M
