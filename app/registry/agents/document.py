"""From a request's body to an agent's card and our part, with errors that name the field. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from pydantic import ValidationError as SettingsInvalid

from app.core.models import SLUG_PATTERN, AgentEntry, AgentInterface, AgentSettings, Upstream
from app.core.models.agent import BINDINGS, HTTP_JSON, META_KEY, declared
from app.core.problems import Problem, wrong_with
from app.registry.servers.document import MAX_ERRORS, Field, path_of, reason_of

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parent / "agent-card.schema.json").read_text(encoding="utf-8")
)
_VALIDATOR = Draft7Validator(SCHEMA)
_TENANT = re.compile(r"[A-Za-z0-9._~-]{1,128}")


def read(body: Mapping[str, Any]) -> tuple[dict[str, Any], AgentSettings]:
    """The card as it was given, without our part, and our part.

    Raises a 422 problem that names the fields at fault.
    """
    meta = body.get("_meta", {})
    if not isinstance(meta, dict):
        raise invalid([("_meta", "it must be an object")])
    others = {name: value for name, value in meta.items() if name != META_KEY}
    card = checked({name: value for name, value in body.items() if name != "_meta"})
    _check_interfaces(card)
    return {**card, "_meta": others} if others else card, _settings(meta.get(META_KEY, {}), card["name"])


def checked(card: dict[str, Any]) -> dict[str, Any]:
    """The same card, which has the members of A2A 1.0.

    Raises a 422 problem with the first MAX_ERRORS fields at fault; a card of A2A 0.3 is refused as such.
    """
    if "supportedInterfaces" not in card and {"url", "protocolVersion", "preferredTransport"} & card.keys():
        reason = "this is a card of A2A 0.3; the gateway carries A2A 1, whose cards have supportedInterfaces"
        raise invalid([("supportedInterfaces", reason)])
    found = islice(_VALIDATOR.iter_errors(card), MAX_ERRORS)
    errors = [(path_of(error), reason_of(error)) for error in found]
    if errors:
        raise invalid(errors)
    return card


def written(entry: AgentEntry) -> dict[str, Any]:
    """The card as the API answers it: as it was given, with our part in its `_meta`."""
    meta = {**entry.card.get("_meta", {}), META_KEY: entry.settings.model_dump(mode="json")}
    return {**entry.card, "_meta": meta}


def default_slug(name: str) -> str:
    """A slug from an agent's name. Raises a 422 problem where none can be made."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-")
    if not re.match(SLUG_PATTERN, slug):
        raise invalid([(f"_meta.{META_KEY}.slug", f"no slug can be made of {name[:100]!r}; give one")])
    return slug


def invalid(errors: Iterable[Field]) -> Problem:
    """The problem that these fields are."""
    found = [{"field": field, "reason": reason} for field, reason in errors]
    detail = "; ".join(f"{error['field']}: {error['reason']}" for error in found)
    return Problem(422, "invalid-agent", "The agent card is not valid", detail, errors=found)


def _settings(part: object, name: str) -> AgentSettings:
    if not isinstance(part, dict):
        raise invalid([(f"_meta.{META_KEY}", "it must be an object")])
    try:
        return AgentSettings.model_validate(part if "slug" in part else {"slug": default_slug(name), **part})
    except SettingsInvalid as error:
        found = error.errors(include_url=False, include_input=False)
        raise invalid(
            (".".join([f"_meta.{META_KEY}", *map(str, one["loc"])]), wrong_with(one)) for one in found
        ) from None


def _check_interfaces(card: dict[str, Any]) -> None:
    for number, interface in enumerate(declared(card)):
        field = f"supportedInterfaces.{number}"
        if interface.binding in BINDINGS:
            try:
                upstream = Upstream.from_url(interface.url)
            except ValueError as error:
                raise invalid([(f"{field}.url", str(error))]) from None
            if upstream.scheme == "https" and upstream.is_at_address:
                reason = "NGINX checks certificates for names alone; give the agent's host name"
                raise invalid([(f"{field}.url", reason)])
            _check_path(interface, field)


def _check_path(interface: AgentInterface, field: str) -> None:
    if interface.binding == HTTP_JSON and "?" in interface.url:
        raise invalid([(f"{field}.url", "it has a query, and paths are added to this URL; leave it out")])
    if interface.tenant and (not _TENANT.fullmatch(interface.tenant) or not interface.tenant.strip(".")):
        reason = "it must be 1 to 128 of A-Z a-z 0-9 . _ ~ -, to be one segment of a path"
        raise invalid([(f"{field}.tenant", reason)])
