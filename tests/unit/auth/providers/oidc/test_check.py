import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.auth.idps.oidc_check import check_oidc
from tests.unit.auth.providers.oidc.openid import OpenId

pytestmark = pytest.mark.anyio


async def states(world: Any) -> dict[str, tuple[str, str]]:
    """Of each step its state, and what was found with the fix."""
    return {
        step.step: (step.state, f"{step.detail} {step.fix}")
        async for step in check_oidc(world.parts.providers["corp"])
    }


async def test_a_provider_that_is_as_it_should_be_has_no_fault(world: Any, openid: OpenId) -> None:
    openid.discovery = {"scopes_supported": ["openid", "profile", "email"]}
    openid.authorization = 200
    assert {step: state for step, (state, _) in (await states(world)).items() if state != "ok"} == {}


async def test_a_wrong_issuer_is_told_with_the_right_one(world: Any, openid: OpenId) -> None:
    openid.discovery = {"issuer": openid.issuer + "/"}
    found = await states(world)
    assert list(found) == ["connection", "discovery"]
    assert found["discovery"][0] == "failed"
    assert repr(openid.issuer + "/") in found["discovery"][1]


async def test_an_issuer_without_a_discovery_document_is_told(world: Any, openid: OpenId) -> None:
    openid.discovery_status = 404
    found = await states(world)
    assert list(found) == ["connection"]
    assert (found["connection"][0], "correct issuer" in found["connection"][1]) == ("failed", True)


async def test_a_document_that_names_no_issuer_is_told(world: Any, openid: OpenId) -> None:
    openid.discovery = {"issuer": None}
    state, text = (await states(world))["discovery"]
    assert (state, "names no issuer" in text) == ("failed", True)


async def test_a_wrong_secret_is_told_and_not_shown(world: Any, openid: OpenId, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("another secret")
    state, text = (await states(world))["client"]
    assert (state, "copy client_id and secret" in text) == ("failed", True)
    assert "another secret" not in text


async def test_a_secret_file_that_is_missing_is_told(world: Any, openid: OpenId, tmp_path: Path) -> None:
    (tmp_path / "secret").unlink()
    state, text = (await states(world))["client"]
    assert (state, "No such file" in text) == ("failed", True)


async def test_a_redirect_uri_that_is_not_registered_is_told(world: Any, openid: OpenId) -> None:
    openid.authorization = 400
    state, text = (await states(world))["redirect URI"]
    assert (state, "http://127.0.0.1:8080/callback/corp" in text) == ("failed", True)


async def test_a_scope_that_the_provider_does_not_know_is_told(world: Any, openid: OpenId) -> None:
    openid.discovery = {"scopes_supported": ["openid"]}
    state, text = (await states(world))["scopes"]
    assert (state, "profile, email" in text) == ("warning", True)


async def test_keys_for_no_algorithm_that_is_allowed_are_told(world: Any, openid: OpenId) -> None:
    openid.discovery = {"id_token_signing_alg_values_supported": ["HS256"]}
    assert (await states(world))["keys"][0] == "failed"


async def test_a_provider_that_is_away_is_told_in_one_step(world: Any, openid: OpenId) -> None:
    openid.stop()
    try:
        found = await states(world)
    finally:
        openid.start()
    assert [(step, state) for step, (state, _) in found.items()] == [("connection", "failed")]


@pytest.fixture(autouse=True)
def nothing_secret(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    assert "a secret" not in json.dumps(capsys.readouterr())
