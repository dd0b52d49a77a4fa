"""Schemathesis at the auth server, through the gateway: what its OpenAPI document says is what it does."""

import contextlib
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
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
PAGES = ("/login", "/logout", "/callback", "/saml", "/oauth/authorize")


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


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_the_auth_server_answers_as_it_says(
    described: schemathesis.BaseSchema, own_stack: Stack, mode: GenerationMode
) -> None:
    token = own_stack.file("secrets", "cli_token").read_text().strip()
    operations = [found.ok() for found in described.get_all_operations()]
    assert {"POST /oauth/register", "POST /api/clients"} <= {operation.label for operation in operations}
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
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def answers(case: schemathesis.Case, headers: dict[str, str], checks: list[Any]) -> None:
            case.call_and_validate(headers=headers, checks=checks, allow_redirects=False)

        # What takes no parameters cannot be asked wrongly.
        with contextlib.suppress(hypothesis.errors.Unsatisfiable):
            answers(headers=headers, checks=checks)
