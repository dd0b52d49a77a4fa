"""Whom a provider vouches for no longer, at a provider that says so."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from app.auth.providers.base import Arrival, LoginRefused, Person, ProviderUnavailable
from app.auth.sessions.following import Following
from app.auth.sessions.renewal import Renewal

pytestmark = pytest.mark.anyio
BOB = Person("corp:bob", "corp", ["fin"])


@dataclass
class Corp:
    """Answers to the refresh tokens that are good."""

    good: set[str] = field(default_factory=set)
    away: bool = False
    outlives_browser: bool = True
    asked: list[str | None] = field(default_factory=list)

    async def renew(self, arrival: Arrival) -> Arrival:
        self.asked.append(arrival.refresh_token)
        if self.away:
            raise ProviderUnavailable("corp does not answer")
        if arrival.refresh_token not in self.good:
            raise LoginRefused("corp says invalid_grant")
        return Arrival(BOB, arrival.refresh_token)


def renewal(world: Any, corp: Corp) -> Renewal:
    parts = world.parts
    return Renewal(
        parts.store,
        logins=parts.logins,
        people=parts.people,
        local=None,
        providers={"corp": corp},  # type: ignore[dict-item]
        life_s=3600,
    )


async def login(world: Any, token: str) -> str:
    await world.parts.people.record(BOB)
    return str(await world.parts.logins.start(Arrival(BOB, token)))


async def groups(world: Any) -> list[str]:
    return list((await world.parts.people.find("corp:bob")).groups)


async def test_who_is_refused_by_the_only_login_loses_the_groups(world: Any) -> None:
    id = await login(world, "old")
    with pytest.raises(LoginRefused, match="invalid_grant"):
        await renewal(world, Corp()).renew(id)
    assert await groups(world) == []


async def test_people_of_a_provider_that_was_taken_out_of_the_settings_lose_the_groups(world: Any) -> None:
    await login(world, "old")
    id = await login(world, "new")
    assert "corp" not in world.parts.providers
    with pytest.raises(LoginRefused, match="no provider here"):
        await world.parts.renewal.renew(id)
    assert await groups(world) == []


async def test_a_device_that_was_signed_out_takes_nothing_from_the_others(world: Any) -> None:
    old, _new = await login(world, "old"), await login(world, "new")
    with pytest.raises(LoginRefused):
        await renewal(world, Corp(good={"new"})).renew(old)
    assert await groups(world) == ["fin"]


async def test_an_outage_takes_nothing_from_anybody(world: Any) -> None:
    id = await login(world, "old")
    with pytest.raises(ProviderUnavailable):
        await renewal(world, Corp(away=True)).renew(id)
    assert await groups(world) == ["fin"]


async def test_the_end_of_a_browser_session_says_nothing_of_the_person(world: Any) -> None:
    id = await login(world, "old")
    with pytest.raises(LoginRefused):
        await renewal(world, Corp(outlives_browser=False)).renew(id)
    assert await groups(world) == ["fin"]


async def test_a_login_that_was_refused_is_not_asked_about_again(world: Any) -> None:
    id, corp = await login(world, "old"), Corp()
    for _ in range(2):
        with pytest.raises(LoginRefused):
            await renewal(world, corp).renew(id)
    assert corp.asked == ["old"]


async def test_the_owner_of_a_token_is_asked_about_after_an_hour(world: Any) -> None:
    await login(world, "old")
    corp = Corp(good={"old"})
    following = Following(world.parts.sessions, world.parts.logins, renewal(world, corp))
    person = await world.parts.people.find("corp:bob")
    await following.follow_owner(person)
    assert corp.asked == []
    await following.follow_owner(Person("corp:bob", "corp", ["fin"], seen_at=person.seen_at - 3601))
    assert corp.asked == ["old"]
