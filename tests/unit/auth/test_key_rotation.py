import asyncio
import time
from typing import Any

import pytest

from app.auth.key_rotation import ROTATE_AFTER_S, rotate_if_due
from app.core.keys import OVERLAP_S, SigningKeys

pytestmark = pytest.mark.anyio


async def grow_old(world: Any, seconds: float) -> None:
    """As if every key had been made, and where it is, retired, that much earlier."""
    for found in (await world.parts.store.list("keys")).items:
        body = {**found.body, "created_at": found.body["created_at"] - seconds}
        if body["retired_at"] is not None:
            body["retired_at"] -= seconds
        await world.parts.store.put("keys", found.id, body)


async def count(world: Any) -> int:
    return len((await world.parts.store.list("keys")).items)


async def test_a_key_is_followed_by_another_after_ninety_days(world: Any) -> None:
    keys = world.parts.keys
    assert not await rotate_if_due(world.parts.store, keys)
    first = keys.kid
    await grow_old(world, ROTATE_AFTER_S)
    assert await rotate_if_due(world.parts.store, keys)
    assert keys.kid != first
    assert not await rotate_if_due(world.parts.store, keys)


async def test_many_auth_servers_make_one_key(world: Any) -> None:
    others = [await SigningKeys.load(world.parts.store, world.parts.sealer) for _ in range(4)]
    await grow_old(world, ROTATE_AFTER_S)
    made = await asyncio.gather(*[rotate_if_due(world.parts.store, keys) for keys in others])
    assert (sorted(made), await count(world)) == ([False, False, False, True], 2)


async def test_tokens_of_the_key_before_count_until_the_overlap_is_over(world: Any) -> None:
    keys = world.parts.keys
    token = keys.sign({"iss": "i", "aud": "a", "exp": time.time() + 10 * OVERLAP_S}, "at+jwt")
    await keys.rotate()
    assert keys.verify(token, "at+jwt", "a", "i")
    assert len(keys.jwks()["keys"]) == 2
    await grow_old(world, OVERLAP_S)
    later = await SigningKeys.load(world.parts.store, world.parts.sealer)
    assert len(later.jwks()["keys"]) == 1


async def test_an_auth_server_reads_a_token_of_a_key_that_another_made(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.keys._REFRESH_EVERY_S", 0)
    other = await SigningKeys.load(world.parts.store, world.parts.sealer)
    await other.rotate()
    issuer = world.parts.settings.public_url
    now = int(time.time())
    claims = {"iss": issuer, "aud": f"{issuer}/mcp/x", "sub": "client:gone", "client_id": "gone",
              "iat": now, "exp": now + 60, "jti": "1"}  # fmt: skip
    token = other.sign(claims, "at+jwt")
    assert (await world.ask(token, "/mcp/x")).json()["reason"] == "revoked"
