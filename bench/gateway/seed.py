"""Servers, a scope and tokens, written by the core's own classes into a state folder before `gatepost up`.

400 of each by the REST API would cost a minute of discovery; what the gateway and auth read is the same.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.core.models import Scope, ServerEntry, ServerGrant, ServerSettings
from app.core.policy import affected_by_scope
from app.core.settings import load_settings
from app.core.store import ABSENT, Store, open_store
from app.core.tokens import TokenStore
from bench.gateway.calls import TOOL

GROUP = "bench"
LIFE = timedelta(hours=1)


def seed(state: Path, servers: Mapping[str, str], tokens: int) -> list[str]:
    """Write the servers (slug → URL), one scope that allows one tool on each, and that many callers' tokens.

    Every token has a subject of its own. Gives the tokens' values.
    """
    state.mkdir(mode=0o700)
    return asyncio.run(_seed(state, servers, tokens))


async def _seed(state: Path, servers: Mapping[str, str], tokens: int) -> list[str]:
    store = await open_store(load_settings({"GATEPOST_STATE_DIR": str(state)}))
    try:
        for slug, url in servers.items():
            await _add_server(store, slug, url)
        await _add_scope(store, servers)
        made = TokenStore(store)
        expires = datetime.now(UTC) + LIFE
        subjects = [f"local:caller-{number}" for number in range(tokens)]
        for subject in subjects:
            await _add_person(store, subject)
        return [(await made.create("bench", subject, None, expires))[1] for subject in subjects]
    finally:
        await store.close()


async def _add_person(store: Store, subject: str) -> None:
    person = {"subject": subject, "provider": "local", "name": subject, "mail": "", "groups": [GROUP]}
    await store.put("people", subject, {**person, "seen_at": datetime.now(UTC).timestamp()})


async def _add_server(store: Store, slug: str, url: str) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    entry = ServerEntry(
        document={
            "name": f"bench.gatepost/{slug}",
            "description": "a backend of the bench",
            "version": "1.0.0",
            "remotes": [{"type": "streamable-http", "url": url}],
        },
        settings=ServerSettings(slug=slug),
        created_at=now,
        updated_at=now,
    )
    body = entry.model_dump(mode="json")
    await store.commit("servers", slug, body, expected=ABSENT, affects={f"/mcp/{slug}"})


async def _add_scope(store: Store, servers: Mapping[str, str]) -> None:
    grants = [
        ServerGrant(server=slug, methods=["tools/list", "tools/call"], tools=[TOOL]) for slug in servers
    ]
    scope = Scope(name=GROUP, groups=[GROUP], servers=grants)
    affects = affected_by_scope(None, scope)
    await store.commit("scopes", GROUP, scope.model_dump(mode="json"), expected=ABSENT, affects=affects)
