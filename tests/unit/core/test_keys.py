import asyncio
import base64
import time
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey, OctKey

from app.core import keys as keys_module
from app.core.identity import Identity, issue, read
from app.core.keys import OVERLAP_S, InvalidToken, SigningKeys, UnknownKey
from app.core.sealing import Sealer, SealError
from app.core.store import Store

pytestmark = pytest.mark.anyio
ISSUER, TYPE, AUDIENCE = "https://gateway.example", "t+jwt", "someone"


def claims(**changed: Any) -> dict[str, Any]:
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "a", "exp": int(time.time()) + 60} | changed


@pytest.fixture
async def keys(store: Store, sealer: Sealer) -> SigningKeys:
    return await SigningKeys.load(store, sealer)


async def test_a_signed_token_verifies_in_another_process(
    keys: SigningKeys, store: Store, sealer: Sealer
) -> None:
    token = keys.sign(claims(), TYPE)
    other = await SigningKeys.load(store, sealer)
    assert other.verify(token, TYPE, AUDIENCE, ISSUER)["sub"] == "a"


async def test_processes_that_start_at_once_share_the_first_key(store: Store, sealer: Sealer) -> None:
    loaded = await asyncio.gather(*(SigningKeys.load(store, sealer) for _ in range(5)))
    assert len({each.jwks()["keys"][0]["kid"] for each in loaded}) == 1
    assert len((await store.list("keys")).items) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://gateway.example/"},
        {"aud": "someone else"},
        {"aud": None},
        {"exp": int(time.time()) - 60},
        {"nbf": int(time.time()) + 86_400},
    ],
)
async def test_a_claim_that_does_not_fit_is_refused(keys: SigningKeys, changed: dict[str, Any]) -> None:
    token = keys.sign({name: value for name, value in claims(**changed).items() if value is not None}, TYPE)
    with pytest.raises(InvalidToken):
        keys.verify(token, TYPE, AUDIENCE, ISSUER)


async def test_a_token_without_expiry_is_refused(keys: SigningKeys) -> None:
    eternal = claims()
    del eternal["exp"]
    with pytest.raises(InvalidToken, match="exp"):
        keys.verify(keys.sign(eternal, TYPE), TYPE, AUDIENCE, ISSUER)


async def test_a_token_of_another_type_is_refused(keys: SigningKeys) -> None:
    with pytest.raises(InvalidToken, match=r"no t\+jwt"):
        keys.verify(keys.sign(claims(), "at+jwt"), TYPE, AUDIENCE, ISSUER)


@pytest.mark.parametrize("text", ["", "a.b.c", "....", "é", "eyJhbGciOiJub25lIn0.e30.", "gp_" + "a" * 43])
async def test_what_is_no_token_is_refused(keys: SigningKeys, text: str) -> None:
    with pytest.raises(InvalidToken):
        keys.verify(text, TYPE, AUDIENCE, ISSUER)


async def test_an_altered_token_is_refused(keys: SigningKeys) -> None:
    head, body, signature = keys.sign(claims(), TYPE).split(".")
    other = keys.sign(claims(sub="b"), TYPE).split(".")[1]
    assert body != other
    with pytest.raises(InvalidToken):
        keys.verify(f"{head}.{other}.{signature}", TYPE, AUDIENCE, ISSUER)


async def test_a_key_of_somebody_else_under_our_kid_is_refused(keys: SigningKeys) -> None:
    header = {"alg": "ES256", "kid": keys.jwks()["keys"][0]["kid"], "typ": TYPE}
    forged = jwt.encode(header, claims(), ECKey.generate_key("P-256"))
    with pytest.raises(InvalidToken):
        keys.verify(forged, TYPE, AUDIENCE, ISSUER)


async def test_the_public_key_is_no_shared_secret(keys: SigningKeys) -> None:
    public = keys.jwks()["keys"][0]
    header = {"alg": "HS256", "kid": public["kid"], "typ": TYPE}
    secret = OctKey.import_key(str(public) + "-" * 32)
    with pytest.raises(InvalidToken):
        keys.verify(jwt.encode(header, claims(), secret), TYPE, AUDIENCE, ISSUER)


async def test_the_published_keys_are_public_only(keys: SigningKeys) -> None:
    (public,) = keys.jwks()["keys"]
    assert "d" not in public
    assert (public["kty"], public["crv"], public["alg"], public["use"]) == ("EC", "P-256", "ES256", "sig")


async def test_the_store_holds_no_readable_key(keys: SigningKeys, store: Store) -> None:
    (document,) = (await store.list("keys")).items
    assert keys.sign(claims(), TYPE)
    assert set(document.body) == {"kid", "sealed", "created_at", "retired_at"}
    with pytest.raises(SealError, match=f"key/{document.body['kid']}"):
        await SigningKeys.load(store, Sealer([b"x" * 32]))


async def test_after_a_rotation_the_new_key_signs_and_the_old_one_verifies(keys: SigningKeys) -> None:
    before = keys.sign(claims(), TYPE)
    await keys.rotate()
    after = keys.sign(claims(), TYPE)
    assert before.split(".")[0] != after.split(".")[0]
    assert len(keys.jwks()["keys"]) == 2
    for token in (before, after):
        keys.verify(token, TYPE, AUDIENCE, ISSUER)


async def test_a_retired_key_is_forgotten_after_its_overlap(
    keys: SigningKeys, store: Store, sealer: Sealer
) -> None:
    before = keys.sign(claims(), TYPE)
    await keys.rotate()
    old = (await store.list("keys")).items[0]
    await store.put("keys", old.id, {**old.body, "retired_at": time.time() - OVERLAP_S - 1})
    later = await SigningKeys.load(store, sealer)
    assert len(later.jwks()["keys"]) == 1
    with pytest.raises(UnknownKey):
        later.verify(before, TYPE, AUDIENCE, ISSUER)


async def test_a_forgotten_key_does_not_need_its_sealing_key(keys: SigningKeys, store: Store) -> None:
    del keys
    (old,) = (await store.list("keys")).items
    await store.put("keys", old.id, {**old.body, "retired_at": time.time() - OVERLAP_S - 1})
    later = await SigningKeys.load(store, Sealer([b"x" * 32]))
    assert later.verify(later.sign(claims(), TYPE), TYPE, AUDIENCE, ISSUER)
    assert [document.id for document in (await store.list("keys")).items] == ["000001", "000002"]


async def test_a_new_key_of_another_process_is_found_by_a_refresh(
    keys: SigningKeys, store: Store, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await SigningKeys.load(store, sealer)
    await other.rotate()
    token = other.sign(claims(), TYPE)
    await keys.refresh()
    with pytest.raises(UnknownKey):
        keys.verify(token, TYPE, AUDIENCE, ISSUER)
    monkeypatch.setattr(keys_module, "_REFRESH_EVERY_S", 0)
    await keys.refresh()
    keys.verify(token, TYPE, AUDIENCE, ISSUER)


async def test_an_identity_arrives_as_it_was_issued(keys: SigningKeys) -> None:
    identity = Identity("local:admin", "cli", ["admins"], None)
    assert read(keys, issue(keys, identity, ISSUER, time.time() + 60), ISSUER) == identity


async def test_an_access_token_is_no_identity(keys: SigningKeys) -> None:
    with pytest.raises(InvalidToken):
        read(keys, keys.sign(claims(aud="registry"), "at+jwt"), ISSUER)


async def test_an_identity_lives_no_longer_than_its_verdict(keys: SigningKeys) -> None:
    identity = Identity("local:admin", "cli", [], ["a"])
    with pytest.raises(InvalidToken):
        read(keys, issue(keys, identity, ISSUER, time.time() - 10), ISSUER)


async def test_a_detached_signature_is_by_the_newest_key_over_the_payload_alone(keys: SigningKeys) -> None:
    await keys.rotate()
    protected, signature = keys.sign_detached(b"payload", jku="https://gateway.example/oauth/jwks")
    newest = next(key for key in keys.jwks()["keys"] if key["kid"] == keys.kid)
    compact = f"{protected}.{base64.urlsafe_b64encode(b'payload').rstrip(b'=').decode()}.{signature}"
    found = jws.deserialize_compact(compact, ECKey.import_key(newest), algorithms=["ES256"])
    assert found.headers()["jku"] == "https://gateway.example/oauth/jwks"
    other = compact.replace(".cGF5bG9hZA.", ".Zm9yZ2VkISE.")
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(other, ECKey.import_key(newest), algorithms=["ES256"])
