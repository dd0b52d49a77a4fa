"""Where audit lines arrive: on the registry's own port alone, from whoever has the gateway's secret."""

import hmac

from fastapi import Request
from fastapi.responses import JSONResponse

from app.core.audit_line import Event, parse
from app.core.problems import Problem
from app.registry.audit.repository import AuditEvents
from app.registry.deps import services_of

PATH = "/internal/audit"
MAX_BODY = 1024 * 1024


async def take(request: Request) -> JSONResponse:
    """Keep the events of a body of JSON lines, as the gateway wrote them; what comes twice is kept once.

    Answers when all are safely kept: how many were new (`stored`), how many lines are no events (`broken`).
    Raises 403 and 413 problems, and StoreError.
    """
    services = services_of(request)
    _require_gateway(request, services.settings.secret("gateway_secret"))
    events, broken = _read(await _body(request))
    stored = await AuditEvents(services.store, services.settings.audit_retention_days).add(events)
    return JSONResponse({"stored": stored, "broken": broken})


def _require_gateway(request: Request, secret: str | None) -> None:
    given = request.headers.get("Gatepost-Gateway-Secret", "")
    if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
        detail = "gateway and registry must have the same GATEPOST_GATEWAY_SECRET"
        raise Problem(403, "not-the-gateway", "This is for the gateway alone", detail)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            detail = f"at most {MAX_BODY // 1024} KiB of lines at once"
            raise Problem(413, "body-too-long", "The request is too long", detail)
    return bytes(body)


def _read(body: bytes) -> tuple[list[Event], int]:
    events: list[Event] = []
    lines = body.split(b"\n")
    for line in lines:
        try:
            events.append(parse(line))
        except ValueError:
            continue
    return events, sum(map(bool, lines)) - len(events)
