import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr

from app.core.proxy import Proxy
from app.core.settings import Settings, SettingsError, load_settings
from app.core.ssrf import UpstreamRefused, guarded_transport
from tests.unit.core.test_guarded_transport import self_signed, serving

pytestmark = pytest.mark.anyio


@dataclass
class RealProxy:
    """An HTTP proxy that leads every host to one local port and keeps the heads it was sent."""

    port: int = 0
    heads: list[str] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def leading_to(cls, target: int) -> AsyncIterator["RealProxy"]:
        made = cls()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            made.heads.append(head)
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", target)
            if head.startswith("CONNECT "):
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                inner_writer.write(head.encode())
            await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

        handlers: list[asyncio.Task[None]] = []
        server = await asyncio.start_server(
            lambda *both: handlers.append(asyncio.create_task(handle(*both))), "127.0.0.1", 0
        )
        async with server:
            made.port = server.sockets[0].getsockname()[1]
            yield made
        await asyncio.gather(*handlers)

    def settings(self, *networks: str, no_proxy: str = "", user: str = "", **more: Path) -> Settings:
        return Settings(
            outbound_proxy=SecretStr(f"http://{user}127.0.0.1:{self.port}"),
            no_proxy=no_proxy,  # type: ignore[arg-type]
            upstream_networks=[ip_network(network) for network in networks],
            **more,  # type: ignore[arg-type]
        )


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def get(settings: Settings, url: str) -> str:
    async with httpx2.AsyncClient(transport=guarded_transport(settings), trust_env=False) as http:
        return (await http.get(url)).text


async def test_a_name_that_only_the_proxy_knows_is_asked_for_there() -> None:
    async with serving("200 OK") as upstream, RealProxy.leading_to(upstream) as proxy:
        assert await get(proxy.settings(), "http://mcp.invalid/x") == "ok"
    assert proxy.heads[0].startswith("GET http://mcp.invalid/x HTTP/1.1\r\n")


async def test_https_goes_through_a_tunnel_and_is_verified_at_its_end(tmp_path: Path) -> None:
    context, certificate = self_signed(tmp_path, "mcp.invalid")
    async with serving("200 OK", context) as upstream, RealProxy.leading_to(upstream) as proxy:
        settings = proxy.settings(upstream_ca_file=certificate, user="gate:pa%40ss@")
        assert await get(settings, "https://mcp.invalid/") == "ok"
        with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await get(settings, "https://other.invalid/")
    assert proxy.heads[0].startswith("CONNECT mcp.invalid:443 HTTP/1.1\r\n")
    assert base64.b64encode(b"gate:pa@ss").decode() in proxy.heads[0]


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "https://10.1.2.3/", "http://[fd00:ec2::254]/"])
async def test_an_address_that_is_refused_is_not_asked_for_at_the_proxy_either(url: str) -> None:
    async with serving("200 OK") as upstream, RealProxy.leading_to(upstream) as proxy:
        with pytest.raises(UpstreamRefused):
            await get(proxy.settings(), url)
    assert proxy.heads == []


async def test_loopback_and_exceptions_are_reached_directly() -> None:
    async with serving("200 OK") as upstream, RealProxy.leading_to(upstream) as proxy:
        url = f"http://127.0.0.1:{upstream}/"
        assert await get(proxy.settings("127.0.0.0/8"), url) == "ok"
        with pytest.raises(UpstreamRefused, match="cannot be resolved"):
            await get(proxy.settings(no_proxy="invalid"), "http://mcp.invalid/")
    assert proxy.heads == []


@pytest.mark.parametrize(
    ("host", "addresses", "skipped"),
    [
        ("mcp.example.com", [], True),
        ("EXAMPLE.com.", [], True),
        ("badexample.com", [], False),
        ("other.example", ["10.1.2.3"], True),
        ("other.example", ["10.1.2.3", "8.8.8.8"], False),
        ("other.example", ["192.0.2.7"], True),
        ("other.example", ["127.0.0.1", "::1"], True),
        ("other.example", [], False),
    ],
)
async def test_exceptions_are_hosts_domains_and_networks(
    host: str, addresses: list[str], skipped: bool
) -> None:
    proxy = Proxy.parse("http://proxy:3128", [".example.com", "10.0.0.0/8", "192.0.2.7"])
    assert proxy.is_skipped(host, [ip_address(address) for address in addresses]) is skipped


@pytest.mark.parametrize(
    "url", ["proxy:3128", "https://u:hush@proxy:3128", "http://", "http://u:hush@p:x", "http://u:hush@p/path"]
)
async def test_what_is_no_proxy_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError, match="GATEPOST_OUTBOUND_PROXY") as refused:
        load_settings({"GATEPOST_OUTBOUND_PROXY": url})
    assert "hush" not in str(refused.value)
