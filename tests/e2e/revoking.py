"""Rights of every kind to call a server, each with what takes it away."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import httpx2

from app.auth.people.service import People
from app.auth.providers.base import Person
from app.core.store import open_store
from app.core.tokens import TokenStore
from tests.e2e.abuse.logins import log_in, session_of
from tests.e2e.authorizing import OAuthClient
from tests.e2e.stack import Stack

_numbers = itertools.count()


@dataclass(frozen=True)
class Right:
    """`headers` are a caller's credential; once `revoke` was called, `rule` refuses the call."""

    headers: dict[str, str]
    revoke: Callable[[], None]
    rule: str


def granted(stack: Stack, slug: str, kind: str) -> Right:
    """A new right, of one of KINDS, to all of a server."""
    return KINDS[kind](stack, slug, f"{kind}-{next(_numbers)}")


def _token(stack: Stack, slug: str, name: str) -> Right:
    stack.scope(name, slug)
    made = stack.api("POST", "/api/tokens", {"name": name, "scopes": [name]}, expect=201).json()
    path = f"/api/tokens/{made['id']}"
    return Right(_bearer(made["value"]), lambda: _sent(stack, "DELETE", path), "revoked")


def _session(stack: Stack, slug: str, name: str) -> Right:
    stack.scope(name, slug)
    headers = {"Origin": stack.url, **session_of(log_in(stack))}

    def log_out() -> None:
        assert httpx2.post(f"{stack.url}/logout", headers=headers).status_code == 303

    return Right(headers, log_out, "unknown")


def _scope(stack: Stack, slug: str, name: str) -> Right:
    stack.scope(name, slug)
    token, path = stack.token(name), f"/api/scopes/{name}"
    return Right(_bearer(token), lambda: _sent(stack, "DELETE", path), "server")


def _group(stack: Stack, slug: str, name: str) -> Right:
    """The right of somebody whose provider names a group, and later does not."""
    _scope_of(stack, slug, name, group=name)
    token = _record(stack, name, [name], make_token=True)
    return Right(_bearer(token), lambda: _leave(stack, name), "server")


def _mapping(stack: Stack, slug: str, name: str) -> Right:
    """The right of somebody whose provider's group counts as one of ours, and later as none."""
    _scope_of(stack, slug, name, group=name)
    path = f"/api/group-mappings/corp?group=their-{name}"
    _sent(stack, "PUT", path, {"groups": [name]})
    token = _record(stack, name, [f"their-{name}"], make_token=True)
    return Right(_bearer(token), lambda: _sent(stack, "DELETE", path), "server")


def _access_token(stack: Stack, slug: str, name: str) -> Right:
    return _authorized(stack, slug, name, "access_token")


def _grant(stack: Stack, slug: str, name: str) -> Right:
    return _authorized(stack, slug, name, "refresh_token")


def _authorized(stack: Stack, slug: str, name: str, ends: str) -> Right:
    """The right of an OAuth client, until one of its tokens is revoked (RFC 7009)."""
    stack.scope(name, slug)
    client = OAuthClient.register(stack)
    tokens = client.tokens(f"/mcp/{slug}", name)

    def revoke() -> None:
        form = {"token": tokens[ends], "client_id": client.client_id}
        assert httpx2.post(f"{stack.url}/oauth/revoke", data=form).status_code == 200

    return Right(_bearer(tokens["access_token"]), revoke, "revoked")


def _client(stack: Stack, slug: str, name: str) -> Right:
    """The right of an OAuth client that an administrator then deletes."""
    stack.scope(name, slug)
    client = OAuthClient.register(stack)
    bearer = _bearer(client.tokens(f"/mcp/{slug}", name)["access_token"])
    path = f"/api/clients/{client.client_id}"
    return Right(bearer, lambda: _sent(stack, "DELETE", path), "revoked")


KINDS: dict[str, Callable[[Stack, str, str], Right]] = {
    "token": _token,
    "session": _session,
    "scope": _scope,
    "group": _group,
    "mapping": _mapping,
    "access-token": _access_token,
    "grant": _grant,
    "client": _client,
}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _sent(stack: Stack, method: str, path: str, body: object = None) -> None:
    """A change by the administrator of what is as it was read just now."""
    etag = stack.api("GET", path).headers.get("ETag")
    answer = stack.api(method, path, body, if_match=etag)
    assert answer.is_success, answer.text


def _scope_of(stack: Stack, slug: str, name: str, group: str) -> None:
    grant = {"server": slug, "methods": ["*"], "tools": ["*"], "resources": ["*"], "prompts": ["*"]}
    stack.api("POST", "/api/scopes", {"name": name, "groups": [group], "servers": [grant]}, expect=201)


def _leave(stack: Stack, name: str) -> None:
    _record(stack, name, [])


def _record(stack: Stack, name: str, groups: list[str], *, make_token: bool = False) -> str:
    """What auth does when a provider has said which groups a person is in; with a token of that person."""
    subject = f"corp:{name}"

    async def record() -> str:
        store = await open_store(stack.settings)
        try:
            await People(store).record(Person(subject, "corp", groups))
            return (await TokenStore(store).create(name, subject, None, None))[1] if make_token else ""
        finally:
            await store.close()

    return asyncio.run(record())
