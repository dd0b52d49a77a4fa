"""From a request's body to a server entry's two parts, with errors that name the field. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError
from pydantic import ValidationError as SettingsInvalid

from app.core.models import SLUG_PATTERN, ServerEntry, ServerSettings, Upstream
from app.core.models.server import META_KEY
from app.core.policy import REGISTRY
from app.core.problems import Problem, wrong_with

_SCHEMA = json.loads((Path(__file__).parent / "server.schema.json").read_text(encoding="utf-8"))
_VALIDATOR = Draft7Validator(_SCHEMA)
MAX_ERRORS = 20

Field = tuple[str, str]
"""A field of the body and what is wrong with it."""


def read(body: Mapping[str, Any], slug: str | None = None) -> tuple[dict[str, Any], ServerSettings]:
    """The official document without our part, and our part.

    `slug` is that of the server to replace, which a body may repeat and not change; without it the default
    comes from the last part of the name. Raises a 422 problem that names the fields at fault, the first
    MAX_ERRORS of them.
    """
    found = islice(_VALIDATOR.iter_errors(body), MAX_ERRORS)
    errors = [(path_of(error), reason_of(error)) for error in found]
    if errors:
        raise invalid(errors)
    meta = dict(body.get("_meta", {}))
    settings = _settings(meta.pop(META_KEY, {}), slug or default_slug(body["name"]))
    if slug is not None and settings.slug != slug:
        detail = f"{settings.slug} is not {slug}; a slug stays, so add a new server and delete this one"
        raise invalid([(f"_meta.{META_KEY}.slug", detail)])
    if settings.slug == REGISTRY:
        raise invalid([(f"_meta.{META_KEY}.slug", f"{REGISTRY} is the registry's own; choose another slug")])
    _check_urls(body)
    document = {name: value for name, value in body.items() if name != "_meta"}
    return ({**document, "_meta": meta} if meta else document), settings


def written(entry: ServerEntry) -> dict[str, Any]:
    """The server.json as the API answers it: the official document with our part in its `_meta`."""
    meta = {**entry.document.get("_meta", {}), META_KEY: entry.settings.model_dump(mode="json")}
    return {**entry.document, "_meta": meta}


def default_slug(name: str) -> str:
    """A slug from the last part of a server's name. Raises a 422 problem where none can be made."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.rpartition("/")[2].lower()).strip("-")[:63].strip("-")
    if not re.match(SLUG_PATTERN, slug):
        raise invalid([(f"_meta.{META_KEY}.slug", f"no slug can be made of {name!r}; give one")])
    return slug


def invalid(errors: Iterable[Field]) -> Problem:
    """The problem that these fields are."""
    found = [{"field": field, "reason": reason} for field, reason in errors]
    detail = "; ".join(f"{error['field']}: {error['reason']}" for error in found)
    return Problem(422, "invalid-server", "The server.json is not valid", detail, errors=found)


def _settings(part: object, slug: str) -> ServerSettings:
    if not isinstance(part, dict):
        raise invalid([(f"_meta.{META_KEY}", "it must be an object")])
    try:
        return ServerSettings.model_validate({"slug": slug, **part})
    except SettingsInvalid as error:
        found = error.errors(include_url=False, include_input=False)
        raise invalid(
            (".".join([f"_meta.{META_KEY}", *map(str, one["loc"])]), wrong_with(one)) for one in found
        ) from None


def _check_urls(body: Mapping[str, Any]) -> None:
    for number, remote in enumerate(body.get("remotes", [])):
        field = f"remotes.{number}.url"
        if "{" in remote["url"]:
            raise invalid([(field, "it has variables in braces; put their values in")])
        try:
            upstream = Upstream.from_url(remote["url"])
        except ValueError as error:
            raise invalid([(field, str(error))]) from None
        if upstream.scheme == "https" and upstream.is_at_address:
            # NGINX verifies certificates by name only: every call would fail.
            reason = "NGINX checks certificates for names alone; give the server's host name, not its address"
            raise invalid([(field, reason)])


def path_of(error: ValidationError) -> str:
    """The field at fault, by dots."""
    path = [str(part) for part in error.absolute_path]
    if error.validator == "required":
        # jsonschema reports one error for each missing member, at the object that lacks it.
        missing = error.message.split("'")[1]
        path.append(missing)
    return ".".join(path) or "body"


def reason_of(error: ValidationError) -> str:
    """What is wrong with the field, for people."""
    match error.validator:
        case "required":
            return "it is missing"
        case "maxLength":
            return f"it is longer than {error.validator_value} characters"
        case "minLength":
            return f"it is shorter than {error.validator_value} characters"
        case "not":
            return "it must be one exact version, no range and not `latest`"
        case _:
            return str(error.message)[:300]
