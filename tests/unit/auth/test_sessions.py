import time
from typing import Any

import pytest

from app.auth.providers.base import Arrival, Person
from app.auth.sessions.service import Sessions

pytestmark = pytest.mark.anyio
BOB = Person("corp:bob", "corp", [])


def sessions(world: Any, idle_s: float = 60, life_s: float = 3600) -> Sessions:
    return Sessions(world.parts.store, idle_s, life_s)


async def test_a_session_that_is_not_used_ends(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = sessions(world)
    value = await kept.start("corp:bob", "login")
    start = time.time()
    monkeypatch.setattr("time.time", lambda: start + 61)
    assert await kept.find(value) is None


async def test_use_prolongs_a_session(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = sessions(world, idle_s=100)
    value = await kept.start("corp:bob", "login")
    start = time.time()
    monkeypatch.setattr("time.time", lambda: start + 90)
    await kept.touch(value)
    monkeypatch.setattr("time.time", lambda: start + 180)
    assert await kept.find(value)


async def test_no_use_prolongs_a_session_beyond_its_life(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = sessions(world, idle_s=100, life_s=150)
    value = await kept.start("corp:bob", "login")
    start = time.time()
    monkeypatch.setattr("time.time", lambda: start + 90)
    await kept.touch(value)
    monkeypatch.setattr("time.time", lambda: start + 151)
    assert await kept.find(value) is None


async def test_a_use_that_comes_after_the_logout_brings_nothing_back(world: Any) -> None:
    kept = sessions(world)
    value = await kept.start("corp:bob", "login")
    await kept.end(value)
    await kept.touch(value)
    assert await kept.find(value) is None


async def test_what_a_provider_gave_is_kept_sealed(world: Any) -> None:
    id = await world.parts.logins.start(Arrival(BOB, refresh_token="rt-1", id_token="it-1"))
    found = await world.parts.logins.find(id)
    assert (found.subject, found.refresh_token, found.id_token) == ("corp:bob", "rt-1", "it-1")
    stored = await world.parts.store.get("logins", id)
    assert "rt-1" not in str(stored)
    assert "rt-1" not in repr(found)


async def test_a_sealed_login_opens_under_no_other_id(world: Any) -> None:
    id = await world.parts.logins.start(Arrival(BOB, refresh_token="rt-1"))
    stored = await world.parts.store.get("logins", id)
    await world.parts.store.put("logins", "other", stored.body)
    with pytest.raises(Exception, match="altered or sealed for something else"):
        await world.parts.logins.find("other")
