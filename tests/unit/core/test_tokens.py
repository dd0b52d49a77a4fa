import json
from datetime import UTC, datetime, timedelta

import pytest

from app.core.store import Store
from app.core.tokens import TokenStore, digest, mint, well_formed

pytestmark = pytest.mark.anyio
ALICE = "local:alice"


@pytest.fixture
def tokens(store: Store) -> TokenStore:
    return TokenStore(store)


def test_every_value_is_new_and_well_formed() -> None:
    values = {mint() for _ in range(100)}
    assert len(values) == 100
    assert all(well_formed(value) for value in values)


@pytest.mark.parametrize(
    "value", ["", "gp_", "gp_" + "a" * 42, "gp_" + "a" * 44, "GP_" + "a" * 43, "gp_" + "é" * 43]
)
def test_another_form_is_told_apart(value: str) -> None:
    assert not well_formed(value)


async def test_a_token_is_found_by_its_value(tokens: TokenStore) -> None:
    expiry = datetime.now(UTC) + timedelta(days=1)
    token, value = await tokens.create("laptop", ALICE, ["readers"], expiry)
    assert await tokens.find(value) == token
    assert (token.name, token.subject, token.scopes) == ("laptop", ALICE, ["readers"])
    assert token.expires_at == expiry


async def test_an_unknown_or_malformed_value_finds_nothing(tokens: TokenStore) -> None:
    assert await tokens.find(mint()) is None
    assert await tokens.find("x") is None


async def test_the_store_holds_the_hash_and_never_the_value(tokens: TokenStore, store: Store) -> None:
    _, value = await tokens.create("laptop", ALICE, None, None)
    (document,) = (await store.list("tokens")).items
    assert document.id == digest(value)
    assert value not in json.dumps(dict(document.body))


async def test_an_expired_token_is_still_found_so_that_its_holder_hears_why(tokens: TokenStore) -> None:
    expiry = datetime.now(UTC) - timedelta(minutes=1)
    token, value = await tokens.create("laptop", ALICE, None, expiry)
    assert await tokens.find(value) == token


async def test_a_token_long_dead_is_forgotten(tokens: TokenStore) -> None:
    _, value = await tokens.create("laptop", ALICE, None, datetime.now(UTC) - timedelta(days=31))
    assert await tokens.find(value) is None


async def test_a_subject_sees_its_own_tokens_newest_first(tokens: TokenStore) -> None:
    first, _ = await tokens.create("one", ALICE, None, None)
    second, _ = await tokens.create("two", ALICE, None, None)
    await tokens.create("other", "local:bob", None, None)
    assert [token.id for token in await tokens.list(ALICE)] == [second.id, first.id]


async def test_a_revocation_is_a_change_that_affects_its_principal(tokens: TokenStore, store: Store) -> None:
    token, value = await tokens.create("laptop", ALICE, None, None)
    before = await store.latest_change()
    assert await tokens.revoke(ALICE, token.id) is True
    found = await tokens.find(value)
    assert found is not None
    assert found.revoked_at is not None
    (change,) = await store.changes(before) or []
    assert change.affects == {f"principal:{ALICE}"}


async def test_a_second_revocation_changes_nothing(tokens: TokenStore, store: Store) -> None:
    token, _ = await tokens.create("laptop", ALICE, None, None)
    await tokens.revoke(ALICE, token.id)
    before = await store.latest_change()
    assert await tokens.revoke(ALICE, token.id) is True
    assert await store.latest_change() == before


async def test_nobody_revokes_the_token_of_another(tokens: TokenStore) -> None:
    token, value = await tokens.create("laptop", ALICE, None, None)
    assert await tokens.revoke("local:bob", token.id) is False
    found = await tokens.find(value)
    assert found is not None
    assert found.revoked_at is None


async def test_a_use_is_noted_once_a_minute(tokens: TokenStore, store: Store) -> None:
    token, _ = await tokens.create("laptop", ALICE, None, None)
    assert await tokens.last_uses(ALICE) == {}
    await tokens.touch(token)
    first = await tokens.last_uses(ALICE)
    await tokens.touch(token)
    assert await tokens.last_uses(ALICE) == first
    old = datetime.now(UTC) - timedelta(minutes=2)
    await store.put("token_uses", token.id, {"subject": ALICE, "used_at": old.isoformat()})
    await tokens.touch(token)
    assert (await tokens.last_uses(ALICE))[token.id] > old
