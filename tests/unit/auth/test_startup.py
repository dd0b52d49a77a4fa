from collections.abc import AsyncIterator

import pytest

from app.auth.providers.local import LocalProvider
from app.auth.startup import StartupError, prepare
from app.core.settings import Settings
from app.core.store import Store, open_store

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    opened = await open_store(settings)
    yield opened
    await opened.close()


def _without(settings: Settings, name: str) -> Settings:
    return settings.model_copy(update={name: None})


async def test_the_first_start_makes_an_administrator_and_two_scopes(
    settings: Settings, store: Store
) -> None:
    await prepare(settings, store)
    user = await store.get("users", "admin")
    assert user
    assert (user.body["subject"], user.body["groups"]) == ("local:admin", ["admins"])
    assert user.body["password_hash"].startswith("$argon2id$")
    assert [scope.id for scope in (await store.list("scopes")).items] == ["admins", "registry-users"]


async def test_a_later_start_needs_no_password_and_keeps_the_first_one(
    settings: Settings, store: Store
) -> None:
    await prepare(settings, store)
    await prepare(_without(settings, "admin_password"), store)
    provider = await LocalProvider.open(store)
    assert await provider.authenticate("admin", settings.secret("admin_password") or "")


async def test_the_first_start_without_a_password_says_what_to_set(settings: Settings, store: Store) -> None:
    with pytest.raises(StartupError, match="GATEPOST_ADMIN_PASSWORD"):
        await prepare(_without(settings, "admin_password"), store)


async def test_a_start_without_the_gateways_secret_says_what_to_set(settings: Settings, store: Store) -> None:
    with pytest.raises(StartupError, match="GATEPOST_GATEWAY_SECRET"):
        await prepare(_without(settings, "gateway_secret"), store)


async def test_a_seeded_scope_that_was_deleted_stays_deleted(settings: Settings, store: Store) -> None:
    await prepare(settings, store)
    await store.commit("scopes", "registry-users", None)
    await prepare(settings, store)
    assert await store.get("scopes", "registry-users") is None
