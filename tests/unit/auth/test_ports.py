from typing import Any

import pytest

from app.core.store import StoreError

pytestmark = pytest.mark.anyio
INTERNAL = ["/internal/verdict?resource=/api", "/internal/epoch"]


@pytest.mark.parametrize("path", INTERNAL)
@pytest.mark.parametrize("secret", ["", "wrong", "the-gateways-ow", "sécret"])
async def test_the_internal_port_wants_the_gateways_secret(world: Any, path: str, secret: str) -> None:
    answer = await world.internal.get(path, headers={"Gatepost-Gateway-Secret": secret.encode("latin-1")})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_internal_port_wants_a_secret_at_all(world: Any) -> None:
    del world.internal.headers["Gatepost-Gateway-Secret"]
    assert (await world.internal.get(INTERNAL[1])).status_code == 403


@pytest.mark.parametrize("path", INTERNAL)
async def test_internal_paths_are_not_on_the_public_port(world: Any, path: str) -> None:
    headers = dict(world.internal.headers)
    assert (await world.public.get(path, headers=headers)).status_code == 404


@pytest.mark.parametrize("path", ["/login", "/oauth/jwks", "/openapi.json", "/docs"])
async def test_the_internal_port_has_nothing_else(world: Any, path: str) -> None:
    assert (await world.internal.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_both_ports_say_that_they_are_well(world: Any, path: str) -> None:
    for client in (world.public, world.internal):
        assert (await client.get(path)).json() == {"status": "ok"}


async def test_without_its_store_the_process_is_not_ready(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone() -> int:
        raise StoreError("the disk is gone")

    monkeypatch.setattr(world.parts.store, "latest_change", gone)
    assert (await world.public.get("/readyz")).status_code == 503


async def test_answers_to_the_gateway_have_a_length(world: Any) -> None:
    for path in INTERNAL:
        answer = await world.internal.get(path)
        assert int(answer.headers["content-length"]) == len(answer.content)
