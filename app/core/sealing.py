import base64
import binascii
import hashlib
import os
from collections.abc import Callable, Sequence
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.settings import Settings

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = "v1"
_FIX = "set GATEPOST_SEALING_KEYS to base64 keys of 32 bytes, by commas, e.g. from `openssl rand -base64 32`"


class SealError(Exception):
    """Something cannot be sealed or opened; the message says why, and holds neither key nor content."""


class Sealer:
    """Secrets sealed for the store with AES-256-GCM (NIST SP 800-38D): the first key seals, all open.

    The text is `v1.<key id>.<base64url of nonce and ciphertext>`. The context is authenticated with it:
    what was sealed for one document opens for no other.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Raises SealError for no key at all or one that is not 32 bytes long."""
        self._ring = _ring(keys)
        self._source: Callable[[], str | None] | None = None
        self._text: str | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """A sealer that follows the setting `sealing_keys`. Raises SealError."""
        text = settings.secret("sealing_keys")
        sealer = cls(_parse(text))
        sealer._source, sealer._text = lambda: settings.secret("sealing_keys"), text
        return sealer

    def seal(self, plain: bytes, context: str) -> str:
        """Seal with the first key and a random nonce."""
        key_id, cipher = next(iter(self._current().items()))
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + cipher.encrypt(nonce, plain, context.encode())
        return f"{_VERSION}.{key_id}.{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, sealed: str, context: str) -> bytes:
        """What was sealed for this context. Raises SealError."""
        version, _, rest = sealed.partition(".")
        key_id, _, text = rest.partition(".")
        if version != _VERSION:
            raise SealError(
                f"the sealed text for {context} is of an unknown form; was it written by another program?"
            )
        cipher = self._current().get(key_id)
        if cipher is None:
            raise SealError(
                f"{context} was sealed with key {key_id}, which is not among the sealing keys; "
                "add that key to GATEPOST_SEALING_KEYS"
            )
        try:
            raw = base64.b64decode(text, altchars=b"-_", validate=True)
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], context.encode())
        except (binascii.Error, InvalidTag, ValueError):
            raise SealError(
                f"the sealed text for {context} was altered or sealed for something else"
            ) from None

    def renew(self, sealed: str, context: str) -> str:
        """The same secret sealed by the first key; as it was where that one sealed it. Raises SealError."""
        plain = self.open(sealed, context)
        newest = next(iter(self._current()))
        return sealed if sealed.split(".")[1] == newest else self.seal(plain, context)

    def _current(self) -> dict[str, AESGCM]:
        if self._source is not None and (text := self._source()) != self._text:
            self._ring, self._text = _ring(_parse(text)), text
        return self._ring


def _ring(keys: Sequence[bytes]) -> dict[str, AESGCM]:
    if not keys:
        raise SealError(f"there is no sealing key; {_FIX}")
    if any(len(key) != KEY_BYTES for key in keys):
        raise SealError(f"a sealing key is not {KEY_BYTES} bytes long; {_FIX}")
    return {hashlib.sha256(b"gatepost sealing key id" + key).hexdigest()[:8]: AESGCM(key) for key in keys}


def _parse(text: str | None) -> list[bytes]:
    try:
        return [
            base64.b64decode(part.strip(), validate=True) for part in (text or "").split(",") if part.strip()
        ]
    except binascii.Error:
        raise SealError(f"a sealing key is not base64; {_FIX}") from None
