import http
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.core.store import Conflict, StoreError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
"""When to try again what the store could not do; a database that changes its primary needs some seconds."""
_log = structlog.get_logger(__name__)
_REASONS = {"missing": "it is missing", "extra_forbidden": "there is no such member"}


class Problem(Exception):  # noqa: N818  (RFC 9457 calls it so)
    """An error answer as a problem document (RFC 9457).

    `type` is the stable slug in `urn:gatepost:problem:<slug>`; `detail` says what to do.
    """

    def __init__(
        self,
        status: int,
        type: str,
        title: str,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail or title)
        self.status = status
        self.headers = headers
        self.document = {
            "type": f"urn:gatepost:problem:{type}",
            "title": title,
            "status": status,
            **({"detail": detail} if detail else {}),
            **extra,
        }

    def response(self) -> JSONResponse:
        """The answer with this problem as its body; no cache keeps it."""
        headers = {"Cache-Control": "no-store", **(self.headers or {})}
        return JSONResponse(self.document, self.status, headers, MEDIA_TYPE)


def wrong_with(found: Mapping[str, Any]) -> str:
    """Why one value is not valid, from an item of pydantic's `errors()`, without that library's own terms."""
    if found["type"] == "string_pattern_mismatch":
        return f"it must match {found['ctx']['pattern']}"
    return _REASONS.get(found["type"], str(found["msg"]).removeprefix("Value error, "))


def install(app: FastAPI) -> None:
    """Make every error answer of an application a problem document."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Conflict, _conflict)
    app.add_exception_handler(StoreError, _store)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)  # noqa: S101  (registered for this class)
    return error.response()


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    errors = [{"field": _field(found["loc"]), "reason": wrong_with(found)} for found in error.errors()]
    detail = "; ".join(f"{found['field']}: {found['reason']}" for found in errors)
    return Problem(422, "invalid-request", "The request is not valid", detail, errors=errors).response()


def _field(location: tuple[str | int, ...]) -> str:
    # The first part only says where in the request: body, query, path or header.
    return ".".join(str(part) for part in location[1:]) or str(location[0])


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    title = http.HTTPStatus(error.status_code).phrase
    detail = "" if error.detail == title else str(error.detail)
    slug = title.lower().replace(" ", "-")
    return Problem(error.status_code, slug, title, detail, headers=error.headers).response()


async def _conflict(_request: Request, error: Exception) -> JSONResponse:
    title = "It was changed by somebody else meanwhile"
    return Problem(412, "conflict", title, str(error)).response()


async def _store(_request: Request, error: Exception) -> JSONResponse:
    _log.error("the store cannot be used", error=str(error))
    detail = "the log of this process says why"
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return Problem(503, "store-unavailable", "The store cannot be used", detail, headers=headers).response()


async def _unexpected(_request: Request, _error: Exception) -> JSONResponse:
    detail = "this is a fault of Gatepost; the log of this process has the trace"
    return Problem(500, "internal-error", "Something went wrong inside", detail).response()
