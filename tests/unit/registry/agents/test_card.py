import asyncio
import base64
import json
from typing import Any

import jwt
import pytest
from a2a.client.card_resolver import parse_agent_card
from a2a.utils.signing import create_signature_verifier
from hypothesis import given
from hypothesis import strategies as st

from app.core.keys import SigningKeys
from app.core.models import AgentEntry, AgentSettings
from app.core.sealing import Sealer
from app.core.store.sqlite import SqliteStore
from app.registry.agents.card import Uncarriable, canonical, served, signed, tag
from tests.unit.registry.agents.cards import card

PUBLIC = "https://gateway.example"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> SigningKeys:
    async def load() -> SigningKeys:
        store = await SqliteStore.open(tmp_path_factory.mktemp("keys") / "gatepost.db")
        loaded = await SigningKeys.load(store, Sealer([b"k" * 32]))
        await store.close()
        return loaded

    return asyncio.run(load())


def at_gateway(given: dict[str, Any], **settings: Any) -> dict[str, Any]:
    made = AgentSettings(slug="auditor", **settings)
    entry = AgentEntry(card=given, settings=made, created_at="now", updated_at="now")
    return served(entry, given, PUBLIC)


def verify(keys: SigningKeys, found: dict[str, Any]) -> None:
    """By the official SDK."""
    [key] = keys.jwks()["keys"]
    create_signature_verifier(lambda _kid, _jku: jwt.PyJWK.from_dict(key), ["ES256"])(parse_agent_card(found))


def test_what_names_the_agent_s_own_address_is_left_out() -> None:
    given = card(
        "http://inner.example",
        url="http://inner.example/old",
        signatures=[{"protected": "e30", "signature": "c2ln"}],
        securitySchemes={"own": {"httpAuthSecurityScheme": {"scheme": "Basic"}}},
        securityRequirements=[{"schemes": {"own": {"list": ["x"]}}}],
    )
    given["supportedInterfaces"].append({**given["supportedInterfaces"][0], "protocolBinding": "GRPC"})
    given["skills"][0]["securityRequirements"] = [{"schemes": {"own": {}}}]
    found = at_gateway(given)
    assert "inner.example" not in json.dumps(found)
    assert "own" not in json.dumps(found)
    assert [one["protocolBinding"] for one in found["supportedInterfaces"]] == ["JSONRPC", "HTTP+JSON"]
    assert {one["url"] for one in found["supportedInterfaces"]} == {f"{PUBLIC}/a2a/auditor"}


def test_of_each_binding_the_first_interface_of_this_version_counts() -> None:
    given = card()
    old = {"url": "http://a/", "protocolBinding": "JSONRPC", "protocolVersion": "0.3"}
    given["supportedInterfaces"].insert(0, old)
    assert [one["protocolVersion"] for one in at_gateway(given)["supportedInterfaces"]] == ["1.0", "1.0"]


@pytest.mark.parametrize(("declared", "allowed"), [(True, True), (True, False), (False, True)])
def test_push_is_offered_where_the_agent_has_it_and_the_entry_allows_it(
    declared: bool, allowed: bool
) -> None:
    given = card(capabilities={"pushNotifications": declared})
    found = at_gateway(given, push_notifications=allowed)
    assert found["capabilities"]["pushNotifications"] is (declared and allowed)


def test_the_signature_names_our_key_and_where_it_is(keys: SigningKeys) -> None:
    [signature] = signed(at_gateway(card()), keys, PUBLIC)["signatures"]
    protected = json.loads(base64.urlsafe_b64decode(signature["protected"] + "=="))
    assert protected == {"alg": "ES256", "kid": keys.kid, "typ": "JOSE", "jku": f"{PUBLIC}/oauth/jwks"}


texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=5)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(
    params=st.dictionaries(texts, values, max_size=3),
    required=st.booleans() | st.none(),
    streaming=st.booleans() | st.none(),
    texts=st.lists(texts, max_size=2),
)
def test_the_official_verifier_accepts_any_card_that_we_serve(
    keys: SigningKeys, params: Any, required: bool | None, streaming: bool | None, texts: list[str]
) -> None:
    extension = {"uri": "urn:x", "required": required, "params": params}
    given = card(capabilities={"streaming": streaming, "extensions": [extension]}, iconUrl="")
    given["skills"][0] |= {"examples": texts, "unknown": 1}
    verify(keys, json.loads(json.dumps(signed(at_gateway(given), keys, PUBLIC))))


def test_the_tag_follows_the_content_and_not_the_signature(keys: SigningKeys) -> None:
    one, other = at_gateway(card()), at_gateway(card(version="2"))
    assert signed(one, keys, PUBLIC)["signatures"] != signed(one, keys, PUBLIC)["signatures"]
    assert tag(one, keys) == tag(dict(reversed(one.items())), keys) != tag(other, keys)


def test_a_card_without_a_canonical_form_is_not_signed() -> None:
    with pytest.raises(Uncarriable, match="canonical"):
        canonical({"n": 2**60})
