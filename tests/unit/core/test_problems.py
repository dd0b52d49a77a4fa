from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from app.core.problems import Problem, install
from app.core.store import Conflict, StoreError

pytestmark = pytest.mark.anyio


class Nested(BaseModel):
    n: int


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    slug: str = Field(pattern="^[a-z]+$")


class Body(BaseModel):
    nested: Nested


def application() -> FastAPI:
    app = FastAPI()
    install(app)
    errors = {
        "problem": Problem(
            409, "slug-taken", "The slug is taken", "choose another", slug="a", headers={"X-A": "b"}
        ),
        "conflict": Conflict("servers/a is at revision 2, not 1"),
        "store": StoreError("the store /secret/path cannot be used"),
        "http": HTTPException(403, "no", headers={"Allow": "x"}),
        "fault": RuntimeError("a secret"),
    }

    @app.get("/raise/{name}")
    async def fail(name: str) -> None:
        raise errors[name]

    @app.post("/strict")
    async def strict(_body: Strict) -> None: ...

    @app.post("/body")
    async def body(_body: Body, limit: int = 1) -> int:
        return limit

    return app


async def ask(method: str, path: str, json: Any = None) -> tuple[int, dict[str, Any], httpx2.Headers]:
    transport = httpx2.ASGITransport(application(), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.request(method, path, json=json)
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["type"].startswith("urn:gatepost:problem:")
    return answer.status_code, document, answer.headers


async def test_a_problem_is_answered_with_its_members_and_headers() -> None:
    status, document, headers = await ask("GET", "/raise/problem")
    assert status == 409
    assert document["type"] == "urn:gatepost:problem:slug-taken"
    assert (document["title"], document["detail"], document["slug"]) == (
        "The slug is taken",
        "choose another",
        "a",
    )
    assert headers["x-a"] == "b"


async def test_a_body_that_is_not_valid_is_refused_by_field() -> None:
    status, document, _ = await ask("POST", "/body?limit=x", {"nested": {"n": "x"}})
    assert status == 422
    assert {error["field"] for error in document["errors"]} == {"nested.n", "limit"}
    assert "nested.n: " in document["detail"]


async def test_what_is_wrong_with_a_member_is_said_without_the_terms_of_a_library() -> None:
    _, document, _ = await ask("POST", "/strict", {"colour": "red", "slug": "Not So"})
    assert {error["field"]: error["reason"] for error in document["errors"]} == {
        "name": "it is missing",
        "colour": "there is no such member",
        "slug": "it must match ^[a-z]+$",
    }


async def test_a_lost_race_is_a_failed_precondition() -> None:
    status, document, _ = await ask("GET", "/raise/conflict")
    assert (status, document["type"]) == (412, "urn:gatepost:problem:conflict")
    assert "revision 2" in document["detail"]


async def test_a_store_that_is_away_is_unavailable_without_its_path() -> None:
    status, document, _ = await ask("GET", "/raise/store")
    assert status == 503
    assert "/secret/path" not in str(document)


async def test_an_http_error_keeps_its_status_reason_and_headers() -> None:
    status, document, headers = await ask("GET", "/raise/http")
    assert (status, document["title"], document["detail"]) == (403, "Forbidden", "no")
    assert headers["allow"] == "x"


async def test_a_path_that_is_not_there_is_a_problem() -> None:
    status, document, _ = await ask("GET", "/nothing")
    assert (status, document["type"]) == (404, "urn:gatepost:problem:not-found")


async def test_a_fault_says_nothing_of_its_cause() -> None:
    status, document, _ = await ask("GET", "/raise/fault")
    assert status == 500
    assert "a secret" not in str(document)
