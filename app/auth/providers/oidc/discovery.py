"""What an OpenID provider says of itself (OpenID Connect Discovery 1.0, 3 and 4). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.core.loopback import is_loopback

MANY_TENANTS = frozenset({"common", "organizations", "consumers"})


class Unusable(Exception):  # noqa: N818  (what it is)
    """The document is not one to log in by; the message says why, and the fix."""


@dataclass(frozen=True)
class Discovery:
    """A provider's endpoints, and what of its abilities makes a difference here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    revocation_endpoint: str | None
    auth_methods: frozenset[str]
    scopes: frozenset[str] | None
    algorithms: frozenset[str]
    names_itself: bool
    """Whether it sends `iss` with every answer (RFC 9207)."""


def discovery_url(issuer: str) -> str:
    """Where the document is (OpenID Connect Discovery 1.0, 4.1)."""
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def read_discovery(document: Mapping[str, Any], issuer: str) -> Discovery:
    """The document of this very issuer. Raises Unusable."""
    named = document.get("issuer")
    if _tenant(issuer) in MANY_TENANTS or (isinstance(named, str) and "{tenantid}" in named):
        raise Unusable(
            f"{issuer} stands for many tenants, whose people all could log in; set issuer to that of your "
            "tenant, https://login.microsoftonline.com/<tenant id>/v2.0"
        )
    if named is None:
        raise Unusable(f"what {issuer} publishes names no issuer; is it an OpenID provider?")
    if named != issuer:
        raise Unusable(f"its issuer is {named!r} and not {issuer!r}; set issuer to exactly what it says")
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    scopes = document.get("scopes_supported")
    return Discovery(
        issuer=issuer,
        authorization_endpoint=_needed(document, "authorization_endpoint", issuer),
        token_endpoint=_needed(document, "token_endpoint", issuer),
        jwks_uri=_needed(document, "jwks_uri", issuer),
        userinfo_endpoint=_endpoint(document, "userinfo_endpoint", issuer),
        end_session_endpoint=_endpoint(document, "end_session_endpoint", issuer),
        revocation_endpoint=_endpoint(document, "revocation_endpoint", issuer),
        auth_methods=_names(methods),
        scopes=None if scopes is None else _names(scopes),
        algorithms=_names(document.get("id_token_signing_alg_values_supported", ["RS256"])),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _needed(document: Mapping[str, Any], name: str, issuer: str) -> str:
    found = _endpoint(document, name, issuer)
    if found is None:
        raise Unusable(f"its discovery document has no {name}; is it an OpenID provider?")
    return found


def _endpoint(document: Mapping[str, Any], name: str, issuer: str) -> str | None:
    value = document.get(name)
    if value is None:
        return None
    try:
        parts = urlsplit(str(value))
        host = parts.hostname or ""
    except ValueError:
        host = ""
    # Plain http is for a provider on this very machine: no other may name what only listens here.
    plain = is_loopback(host) and is_loopback(urlsplit(issuer).hostname or "")
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and plain)):
        raise Unusable(f"its {name} is {value!r}, which is no https address")
    return str(value)


def _names(value: object) -> frozenset[str]:
    return frozenset(str(one) for one in value) if isinstance(value, list) else frozenset()


def _tenant(issuer: str) -> str:
    return urlsplit(issuer).path.strip("/").partition("/")[0]
