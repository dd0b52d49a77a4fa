import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.auth.providers.base import ProviderUnavailable
from app.auth.providers.saml.metadata_source import MetadataSource
from app.auth.providers.saml.xml import LARGEST
from app.core.settings import Settings
from tests.saml_provider import ISSUER, metadata
from tests.unit.auth.conftest import settings_for

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def serving(status: str, body: bytes) -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        )
        writer.write(body)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/metadata?app=1"


def source(settings: Settings) -> MetadataSource:
    return MetadataSource(settings, settings.providers[0])


def known_at(url: str, state: Path, **more: str) -> Settings:
    block = {"type": "saml", "name": "corp", "metadata_url": url}
    return settings_for(state, GATEPOST_IDENTITY_PROVIDERS=json.dumps([block]), **more)


async def test_metadata_comes_from_its_address(tmp_path: Path) -> None:
    async with serving("200 OK", metadata()) as url:
        assert (await source(known_at(url, tmp_path)).current()).entity_id == ISSUER


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        ("404 Not Found", b"", "status 404"),
        ("302 Found", b"", "status 302"),
        ("200 OK", b"<html/>", "describes 0 identity providers"),
        ("200 OK", b" " * (LARGEST + 1), "more than 512 KiB"),
    ],
)
async def test_an_address_that_gives_no_metadata_says_why(
    tmp_path: Path, status: str, body: bytes, reason: str
) -> None:
    async with serving(status, body) as url:
        with pytest.raises(ProviderUnavailable, match=reason):
            await source(known_at(url, tmp_path)).current()


async def test_a_provider_may_be_in_a_private_network(tmp_path: Path) -> None:
    async with serving("200 OK", metadata()) as url:
        settings = known_at(url, tmp_path, GATEPOST_UPSTREAM_NETWORKS="192.0.2.0/24")
        assert await source(settings).current()


async def test_the_metadata_of_a_cloud_machine_is_never_asked_for(tmp_path: Path) -> None:
    settings = known_at("https://169.254.169.254/metadata", tmp_path)
    with pytest.raises(ProviderUnavailable, match="never connects there"):
        await source(settings).current()


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    block = {"type": "saml", "name": "corp", "metadata_file": str(tmp_path / "none.xml")}
    settings = settings_for(tmp_path, GATEPOST_IDENTITY_PROVIDERS=json.dumps([block]))
    with pytest.raises(ProviderUnavailable, match=r"none\.xml"):
        await source(settings).current()
