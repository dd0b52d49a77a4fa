import asyncio

import pytest

from app.core.models import ServerEntry, ServerSettings
from app.core.settings import Settings
from app.core.store import open_store
from tests.e2e.bypass import http1
from tests.e2e.bypass.gate import ACCEPT, JSON, MODERN, call
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e
NOW = "2026-01-01T00:00:00.000+00:00"


def put_past_the_registry(stack: Stack, slug: str, url: str) -> None:
    """A server whose address was fit when it was registered, and no longer is."""
    document = {"name": f"test.gatepost/{slug}", "remotes": [{"type": "streamable-http", "url": url}]}
    entry = ServerEntry(
        document=document, settings=ServerSettings(slug=slug), created_at=NOW, updated_at=NOW
    ).model_dump(mode="json")

    async def put() -> None:
        store = await open_store(Settings(state_dir=stack.folder / ".gatepost"))
        try:
            await store.commit("servers", slug, entry, affects={f"/mcp/{slug}"})
        finally:
            await store.close()

    asyncio.run(put())


@pytest.mark.parametrize(
    ("slug", "url"),
    [
        ("metadata", "http://169.254.169.254/latest/"),
        ("metadata-v6", "http://[fd00:ec2::254]/latest/"),
        ("metadata-mapped", "http://[::ffff:169.254.169.254]/latest/"),
        ("metadata-number", "http://2852039166/latest/"),
    ],
)
def test_a_metadata_address_is_refused_at_each_verdict(stack: Stack, slug: str, url: str) -> None:
    put_past_the_registry(stack, slug, url)
    stack.scope(slug, slug)
    headers = [ACCEPT, JSON, MODERN, ("Authorization", f"Bearer {stack.token(slug)}")]
    reply = http1.request(stack.url, "POST", f"/mcp/{slug}", headers, call())
    assert (reply.status, reply.rule, reply.error["data"]["layer"]) == (502, "unresolved", "upstream")
    assert "never connects there" in reply.error["message"]
