"""Whether an agent's own signatures hold for its card, which the gateway's clients cannot see any more."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.core.settings import Settings
from app.core.ssrf import UpstreamRefused
from app.registry.agents.card import Uncarriable, canonical, known
from app.registry.agents.fetch import Unfetched, json_at

ALGORITHMS = ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "Ed25519"]
MOST = 4
"""Signatures that are looked at: each may mean a request."""


async def warnings(settings: Settings, card: Mapping[str, Any]) -> list[str]:
    """What whoever registers this card should know of its signatures; nothing where each of them holds.

    Keys come from where a signature's `jku` says, so a signature that holds proves that whoever serves those
    keys signed the card, and no more. No signature is required, and none that fails refuses the card: the
    implementations of A2A differ in what they sign.
    """
    found = []
    for number, signature in enumerate(card.get("signatures", [])[:MOST]):
        fault = await _fault(settings, card, signature)
        if fault:
            found.append(f"the agent's signature {number} {fault}; the gateway's own does not vouch for it")
    return found


async def _fault(settings: Settings, card: Mapping[str, Any], signature: Mapping[str, Any]) -> str | None:
    try:
        header = _header(signature["protected"])
    except ValueError:
        return "cannot be read"
    where = header.get("jku")
    if not isinstance(where, str):
        return "names no place of its key (jku), so it was not checked"
    try:
        keys = KeySet.import_key_set(await json_at(settings, where))
        key = keys.get_by_kid(header.get("kid"))
    except (Unfetched, UpstreamRefused) as error:
        return f"was not checked: {error}"
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return f"was not checked: {where} has no key {header.get('kid')!r} that can be used"
    for payload in _payloads(card):
        try:
            compact = f"{signature['protected']}.{_encoded(payload)}.{signature['signature']}"
            jws.deserialize_compact(compact, key, registry=_Registry(algorithms=ALGORITHMS))
        except (JoseError, ValueError):
            continue
        return None
    return f"does not hold for this card by the key {header.get('kid')!r} of {where}"


class _Registry(jws.JWSRegistry):
    max_payload_length = 1024 * 1024
    max_header_length = 8192


def _payloads(card: Mapping[str, Any]) -> Iterable[bytes]:
    """What may have been signed: the card as it is, or what of it A2A 1.0 knows without defaults."""
    unsigned = {name: value for name, value in card.items() if name not in {"signatures", "_meta"}}
    for form in (unsigned, known(unsigned)):
        try:
            yield canonical(form)
        except Uncarriable:
            continue


def _header(protected: str) -> dict[str, Any]:
    try:
        header = json.loads(base64.urlsafe_b64decode(protected + "=" * (-len(protected) % 4)))
    except (binascii.Error, RecursionError) as error:
        raise ValueError from error
    if not isinstance(header, dict):
        raise ValueError  # noqa: TRY004  (one error for all that cannot be read)
    return header


def _encoded(payload: bytes) -> str:
    return base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
