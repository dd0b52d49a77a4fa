"""Why there is no extended card, in the error form of each binding (A2A 1.0, 9.5 and 11.6). Pure."""

from typing import Any

from fastapi.responses import JSONResponse

_NOT_CONFIGURED = -32007
_UPSTREAM = -31002


class CardError(Exception):
    """`rule` is `not_configured`, `credential`, `token_endpoint` or `upstream`; the message is for people."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule


def as_rpc(error: CardError, id: Any) -> JSONResponse:
    """A JSON-RPC error with the request's id."""
    ours = error.rule != "not_configured"
    detail: dict[str, Any] = {"code": _UPSTREAM if ours else _NOT_CONFIGURED, "message": str(error)}
    if ours:
        detail["data"] = {"layer": "upstream", "rule": error.rule}
    return JSONResponse({"jsonrpc": "2.0", "id": id, "error": detail})


def as_rest(error: CardError) -> JSONResponse:
    """A google.rpc.Status with an ErrorInfo, as the HTTP+JSON binding has its errors."""
    if error.rule == "not_configured":
        code, status, reason, domain = (
            400,
            "FAILED_PRECONDITION",
            "EXTENDED_AGENT_CARD_NOT_CONFIGURED",
            "a2a-protocol.org",
        )
    else:
        code, status, reason, domain = 502, "UNAVAILABLE", error.rule.upper(), "gatepost.dev"
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": domain,
        "metadata": {"layer": "upstream", "rule": error.rule},
    }
    body = {"code": code, "status": status, "message": str(error), "details": [info]}
    return JSONResponse({"error": body}, code)
