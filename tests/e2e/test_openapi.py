"""Schemathesis at the auth server, through the gateway: what its OpenAPI document says is what it does."""

import contextlib
from collections.abc import Iterator
from typing import Any

import httpx2
import hypothesis
import pytest
import schemathesis
from hypothesis import strategies
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.cli.nginx import find
from tests.e2e.stack import Stack

CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
PAGES = ("/login", "/logout", "/callback", "/saml", "/oauth/authorize", "/oauth/consent")


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One that no other test shares: what is generated here fills its tables of failures."""
    if find() is None:
        pytest.skip("no NGINX with Lua")
    here = Stack.start(tmp_path_factory.mktemp("openapi"))
    yield here
    here.stop()


@pytest.fixture(scope="module")
def described(own_stack: Stack) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{own_stack.url}/oauth/openapi.json")


def from_a_known_client(case: schemathesis.Case, client: dict[str, Any]) -> None:
    """Let OAuth's requests get further than to a client that nobody knows."""
    if case.path == "/oauth/token" and isinstance(case.body, dict):
        for proof in ("client_secret", "client_assertion"):
            case.body.pop(proof, None)
        case.body["client_id"] = client["client_id"]
    elif case.path == "/oauth/authorize":
        named = {"client_id": client["client_id"], "redirect_uri": client["redirect_uris"][0]}
        case.query = {**(case.query or {}), **named}


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_the_auth_server_answers_as_it_says(
    described: schemathesis.BaseSchema, own_stack: Stack, mode: GenerationMode
) -> None:
    token = own_stack.file("secrets", "cli_token").read_text().strip()
    operations = [found.ok() for found in described.get_all_operations()]
    assert {"POST /oauth/register", "POST /api/clients"} <= {operation.label for operation in operations}
    metadata = {"redirect_uris": ["https://notes.example/cb"], "token_endpoint_auth_method": "none"}
    client = httpx2.post(f"{own_stack.url}/oauth/register", json=metadata).json()
    for operation in operations:
        is_page = operation.path.startswith(PAGES)
        checks = CHECKS if is_page else [*CHECKS, content_type_conformance]
        headers = {"Authorization": f"Bearer {token}"} if operation.path.startswith("/api/") else {}

        @hypothesis.settings(
            max_examples=40,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            derandomize=True,
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode), known=strategies.booleans())
        def answers(case: schemathesis.Case, known: bool, headers: dict[str, str], checks: list[Any]) -> None:
            if known:
                from_a_known_client(case, client)
            case.call_and_validate(headers=headers, checks=checks, allow_redirects=False)

        # What takes no parameters cannot be asked wrongly.
        with contextlib.suppress(hypothesis.errors.Unsatisfiable):
            answers(headers=headers, checks=checks)
