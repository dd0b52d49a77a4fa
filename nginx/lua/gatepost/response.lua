-- What of an upstream's answer may pass: JSON and event streams; never its challenges, pages or redirects.

local answer = require "gatepost.answer"
local body = require "gatepost.body"
local lists = require "gatepost.lists"
local refuse = require "gatepost.refuse"
local session = require "gatepost.session"
local timeouts = require "gatepost.timeouts"

local _M = {}

local function fail(reason)
    ngx.var.gatepost_failure = reason
    return ngx.exit(502)
end

local EXACT = { ["application/json"] = "json", ["text/event-stream"] = "events" }

-- The same, and what the HTTP+JSON binding of A2A has of its own.
_M.A2A_KINDS = { ["application/json"] = "json", ["application/a2a+json"] = "json", ["text/event-stream"] = "events" }

local function kind_of(content_type, kinds)
    if not content_type then
        return nil
    end
    local kind = kinds[content_type]
    if kind then
        return kind
    end
    local bare = content_type:lower():match("^%s*([^;%s]+)")
    return kinds[bare] or "other"
end

-- What an answer is, by its head: "events", "json", "text" or "none"; nil and why it must not pass.
function _M.judge(ctx, status, content_type, encoding, empty)
    if status == 401 or status == 403 or status == 407 then
        return nil, "credential"
    elseif status >= 300 and status < 400 then
        return nil, "redirect"
    elseif encoding and encoding ~= "identity" then
        return nil, "encoded"
    end
    local kind = kind_of(content_type, ctx.kinds or EXACT)
    if kind == nil and (status == 202 or status == 204 or empty) then
        return "none"
    elseif kind == "other" or kind == nil then
        -- A POST of HTTP+SSE is answered with a word; some servers answer a DELETE with a chunked body of nothing, and
        -- without a kind.
        local word = (status == 202 and ctx.target) or (kind == nil and ctx.method == "DELETE")
        if word or (status >= 400 and status < 500) then
            return "text"
        end
        return nil, "kind"
    end
    return kind
end

function _M.header_filter()
    local ctx = ngx.ctx
    local entry = ctx.entry
    if not entry or not ctx.route then
        return
    end
    if ctx.deadline and timeouts.passed(ctx) then
        return fail("total_timeout")
    end
    local status, header = ngx.status, ngx.header
    local content_type = header["Content-Type"]
    local empty = not content_type and (ngx.var.upstream_http_content_length or header["Content-Length"]) == "0"
    local kind, fault = _M.judge(ctx, status, content_type, header["Content-Encoding"], empty)
    if not kind then
        return fail(fault)
    end
    if ctx.method == "initialize" and not ctx.modern then
        local id = ngx.var.upstream_http_mcp_session_id
        if id then
            header["Mcp-Session-Id"] = session.seal("session", ctx, id)
        end
    end
    if kind == "text" then
        header["Content-Type"] = "text/plain"
    elseif kind == "events" or (kind == "json" and status < 400 and lists.held(ctx)) then
        answer.begin(ctx, kind)
    end
end

local TEXTS = {
    credential = "the upstream refused the gateway's credential; an administrator must renew it",
    redirect = "the upstream answered with a redirect, which is not followed: register where it leads",
    encoded = "the upstream sent an encoded answer that was not asked for; it must send it as it is",
    kind = "the upstream answered with neither JSON nor an event stream; its registered URL may be wrong",
}

-- How the upstream failed, for error_page, where ngx.ctx is gone: the status, the rule and a sentence.
function _M.failure()
    local reason = ngx.var.gatepost_failure
    local text = TEXTS[reason]
    if text then
        return 502, reason, text
    end
    reason = reason == "" and timeouts.reason() or reason
    ngx.var.gatepost_failure = reason
    if timeouts.TEXTS[reason] then
        return 504, reason, timeouts.TEXTS[reason]
    end
    return 502, reason, "the upstream cannot be reached or broke off; an administrator can look at it by a refresh"
end

-- The JSON-RPC error in place of an upstream's failure.
function _M.failed()
    local status, reason, text = _M.failure()
    local data = ngx.req.get_body_data()
    local message = data and body.read(data)
    -- A POST of HTTP+SSE is answered on its stream, so only the status tells the client of this one.
    local modern = ngx.var.arg_sessionId or refuse.modern(ngx.var.http_mcp_protocol_version)
    return refuse.denied(modern, status, message and message.id, refuse.UPSTREAM, "upstream", reason, text)
end

return _M
