import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.jws import extract_compact, serialize_compact

from app.core.sealing import Sealer
from app.core.store import ABSENT, Conflict, Document, Store

ALGORITHM = "ES256"
OVERLAP_S = 86_400
"""How long a retired key's signatures go on being accepted: longer than the life of any token."""
_COLLECTION = "keys"
_REFRESH_EVERY_S = 5.0
_LEEWAY_S = 5


class InvalidToken(Exception):  # noqa: N818  (the field's own name, RFC 6750 section 3.1)
    """A token is not to be trusted; the reason does not repeat it."""


class UnknownKey(InvalidToken):
    """No key of that `kid` is known here; it may be newer than the last `refresh`."""


@dataclass(frozen=True)
class _Key:
    kid: str
    pair: ECKey
    retired_at: float | None


class SigningKeys:
    """The ES256 keys (RFC 7518, 3.4) that sign Gatepost's own tokens; sealed in the store, shared by all.

    Keys are numbered in the store, so that two processes never both make the next one; the newest signs.
    """

    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer
        self._keys: dict[str, _Key] = {}
        self._number = 0
        self._refreshed = 0.0

    @classmethod
    async def load(cls, store: Store, sealer: Sealer) -> "SigningKeys":
        """The keys in the store; the first one is made where there is none. Raises StoreError, SealError."""
        keys = cls(store, sealer)
        await keys._read()
        if not keys._keys:
            await keys._add()
        return keys

    def jwks(self) -> dict[str, Any]:
        """The public keys that verify now, as a JWK set (RFC 7517, 5)."""
        return {
            "keys": [
                {**key.pair.as_dict(private=False), "kid": key.kid, "alg": ALGORITHM, "use": "sig"}
                for key in self._keys.values()
                if _verifies(key)
            ]
        }

    def sign(self, claims: dict[str, Any], typ: str) -> str:
        """A signed token with these claims and this `typ` (RFC 7519, 5.1), by the newest key."""
        newest = list(self._keys.values())[-1]
        header = {"alg": ALGORITHM, "kid": newest.kid, "typ": typ}
        return jwt.encode(header, claims, newest.pair, algorithms=[ALGORITHM])

    def sign_detached(self, payload: bytes, **header: str) -> tuple[str, str]:
        """Protected header and signature of a JWS whose payload travels apart (RFC 7515, appendix F)."""
        newest = list(self._keys.values())[-1]
        protected = {"alg": ALGORITHM, "kid": newest.kid, "typ": "JOSE", **header}
        compact = serialize_compact(protected, payload, newest.pair, algorithms=[ALGORITHM])
        first, _, last = compact.split(".")
        return first, last

    @property
    def kid(self) -> str:
        """The name of the key that signs now."""
        return list(self._keys)[-1]

    def verify(self, token: str, typ: str, audience: str, issuer: str) -> dict[str, Any]:
        """The claims of a token that one of our keys signed for this use. Raises InvalidToken, UnknownKey.

        `typ` and `iss` must match exactly and `exp` must be there; clocks may differ by 5 s (RFC 7519, 4.1).
        """
        try:
            header = extract_compact(token.encode()).headers()
            key = self._keys.get(str(header.get("kid")))
            if key is None or not _verifies(key):
                raise UnknownKey("it was signed with a key that is not known here")
            decoded = jwt.decode(token, key.pair, algorithms=[ALGORITHM])
            if decoded.header.get("typ") != typ:
                raise InvalidToken(f"it is no {typ}")
            jwt.JWTClaimsRegistry(
                leeway=_LEEWAY_S,
                iss={"essential": True, "value": issuer},
                aud={"essential": True, "value": audience},
                exp={"essential": True},
            ).validate(decoded.claims)
        except JoseError as error:
            raise InvalidToken(error.description or error.error) from None
        except (ValueError, TypeError):  # the library's, of a header with members of other types
            raise InvalidToken("it is no JWT") from None
        return dict(decoded.claims)

    async def refresh(self) -> None:
        """Read the keys again, as after an UnknownKey; at most once in 5 s, so no flood reaches the store."""
        if time.monotonic() - self._refreshed >= _REFRESH_EVERY_S:
            await self._read()

    async def rotate(self) -> None:
        """Add a key, which signs from now on; the ones before it verify for `OVERLAP_S` more."""
        await self._read()
        await self._add()
        before = [document for document in await self._documents() if int(document.id) < self._number]
        for document in before:
            if document.body["retired_at"] is None:
                await self._store.put(_COLLECTION, document.id, {**document.body, "retired_at": time.time()})
        await self._read()

    async def rotate_after(self, seconds: float) -> bool:
        """Rotate where the key that signs is older than that; whether it was. One process at a time."""
        newest = (await self._documents())[-1]
        if time.time() - float(newest.body["created_at"]) < seconds:
            return False
        await self.rotate()
        return True

    async def _add(self) -> None:
        pair = ECKey.generate_key("P-256")
        kid = pair.thumbprint()
        sealed = self._sealer.seal(json.dumps(pair.as_dict(private=True)).encode(), f"key/{kid}")
        body = {"kid": kid, "sealed": sealed, "created_at": time.time(), "retired_at": None}
        with suppress(Conflict):  # another process made this number first; its key serves as well
            await self._store.put(_COLLECTION, f"{self._number + 1:06}", body, expected=ABSENT)
        await self._read()

    async def _read(self) -> None:
        documents = await self._documents()
        self._refreshed = time.monotonic()
        # One that verifies nothing any more need not open: its sealing key may be gone.
        self._keys = {
            document.body["kid"]: self._opened(document)
            for document in documents
            if _within_overlap(document.body["retired_at"])
        }
        self._number = int(documents[-1].id) if documents else 0

    async def _documents(self) -> list[Document]:
        return (await self._store.list(_COLLECTION, limit=1000)).items

    def _opened(self, document: Document) -> _Key:
        kid = document.body["kid"]
        if kid in self._keys:
            return _Key(kid, self._keys[kid].pair, document.body["retired_at"])
        pair = ECKey.import_key(json.loads(self._sealer.open(document.body["sealed"], f"key/{kid}")))
        return _Key(kid, pair, document.body["retired_at"])


def _verifies(key: _Key) -> bool:
    return _within_overlap(key.retired_at)


def _within_overlap(retired_at: float | None) -> bool:
    return retired_at is None or time.time() < retired_at + OVERLAP_S
