"""The card that the gateway's clients get: the agent's, with our URLs, credential and signature. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785

from app.core.keys import SigningKeys
from app.core.models import AgentEntry
from app.registry.agents.document import SCHEMA

JWKS_PATH = "/oauth/jwks"
_OURS = ("supportedInterfaces", "securitySchemes", "securityRequirements", "signatures")
_PRESENT = frozenset({"streaming", "pushNotifications", "extendedAgentCard"})
"""Members whose `false` says something; other defaults are as good as nothing (A2A 1.0, 8.4.1)."""


class Uncarriable(Exception):  # noqa: N818  (what a card is)
    """A card that cannot be written in one canonical form; the message says why."""


def served(entry: AgentEntry, card: Mapping[str, Any], public_url: str) -> dict[str, Any]:
    """The public or extended `card` of an agent as the gateway serves it, not yet signed.

    Members that A2A 1.0 does not know are left out, since other readers drop them before they check a
    signature; so are the agent's own security schemes and signatures, which hold for its own URLs alone.
    """
    projected = known({name: value for name, value in card.items() if name not in _OURS})
    for skill in projected["skills"]:
        skill.pop("securityRequirements", None)
    capabilities = projected.get("capabilities", {})
    pushes = bool(capabilities.get("pushNotifications")) and entry.settings.push_notifications
    url = f"{public_url}/a2a/{entry.settings.slug}"
    return {
        **projected,
        "supportedInterfaces": [
            {
                "url": url,
                "protocolBinding": interface.binding,
                **({"tenant": interface.tenant} if interface.tenant else {}),
                "protocolVersion": interface.version,
            }
            for interface in entry.interfaces.values()
        ],
        "capabilities": {"streaming": False, **capabilities, "pushNotifications": pushes},
        "securitySchemes": {
            "gatepost": {
                "httpAuthSecurityScheme": {"scheme": "Bearer", "description": f"a token of {public_url}"}
            }
        },
        "securityRequirements": [{"schemes": {"gatepost": {"list": ["invoke"]}}}],
    }


def signed(card: Mapping[str, Any], keys: SigningKeys, public_url: str) -> dict[str, Any]:
    """The card with our signature (A2A 1.0, 8.4.2). Raises Uncarriable."""
    protected, signature = keys.sign_detached(canonical(card), jku=f"{public_url}{JWKS_PATH}")
    return {**card, "signatures": [{"protected": protected, "signature": signature}]}


def tag(card: Mapping[str, Any], keys: SigningKeys) -> str:
    """The entity tag of a card that is signed anew for each answer: a weak one, of its content and key."""
    return f'W/"{hashlib.sha256(canonical(card) + keys.kid.encode()).hexdigest()[:32]}"'


def known(card: Mapping[str, Any]) -> dict[str, Any]:
    """A card without what A2A 1.0 does not know, and without members that say nothing."""
    found: dict[str, Any] = _known(dict(card), SCHEMA["definitions"]["AgentCard"])
    return found


def canonical(card: Mapping[str, Any]) -> bytes:
    """RFC 8785. Raises Uncarriable."""
    try:
        return rfc8785.dumps(dict(card))
    except rfc8785.CanonicalizationError as error:
        raise Uncarriable(f"the card cannot be written in canonical form (RFC 8785): {error}") from None


def _known(value: Any, schema: Mapping[str, Any]) -> Any:
    """The value with the members that the schema names; where it names none, all that say something."""
    if "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]]
    if isinstance(value, dict):
        named = schema.get("properties")
        cleaned = {
            name: _known(part, named[name] if named else {})
            for name, part in value.items()
            if named is None or name in named
        }
        return {name: part for name, part in cleaned.items() if _says(name, part, free=named is None)}
    if isinstance(value, list):
        items = [_known(part, schema.get("items", {})) for part in value]
        return [item for item in items if not _empty(item)]
    return value


def _says(name: str, value: Any, *, free: bool) -> bool:
    return not _empty(value) and (free or value is not False or name in _PRESENT)


def _empty(value: Any) -> bool:
    return value is None or value in ("", [], {})
