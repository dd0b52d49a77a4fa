import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.core.settings import Settings
from app.core.ssrf import UpstreamRefused, guarded_transport

pytestmark = pytest.mark.anyio
LOOPBACK = [ip_network("127.0.0.0/8")]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answering(head: str) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".encode())
        await writer.drain()
        writer.close()

    return handle


@asynccontextmanager
async def serving(head: str, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    server = await asyncio.start_server(answering(head), "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


def client(settings: Settings, *, follow_redirects: bool = False) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=guarded_transport(settings), follow_redirects=follow_redirects)


async def test_an_allowed_upstream_answers() -> None:
    async with serving("200 OK") as port, client(Settings(upstream_networks=LOOPBACK)) as http:
        assert (await http.get(f"http://127.0.0.1:{port}/")).text == "ok"


async def test_a_refused_upstream_is_never_connected_to() -> None:
    async with serving("200 OK") as port, client(Settings()) as http:
        with pytest.raises(UpstreamRefused, match="loopback"):
            await http.get(f"http://127.0.0.1:{port}/")


async def test_an_address_where_nobody_listens_is_a_connect_error() -> None:
    async with serving("200 OK") as port:
        pass
    async with client(Settings(upstream_networks=LOOPBACK)) as http:
        with pytest.raises(httpx2.ConnectError):
            await http.get(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1:{other}/", "https://127.0.0.1:{port}/", "//127.0.0.2:{port}/"]
)
async def test_a_redirect_elsewhere_is_refused(location: str) -> None:
    async with serving("200 OK") as other, serving("200 OK") as unused:
        head = "307 Temporary Redirect\r\nLocation: " + location.format(other=other, port=unused)
        async with (
            serving(head) as port,
            client(Settings(upstream_networks=LOOPBACK), follow_redirects=True) as http,
        ):
            with pytest.raises(UpstreamRefused, match="redirects to"):
                await http.post(f"http://127.0.0.1:{port}/")


async def test_a_redirect_to_the_same_origin_is_left_to_the_client() -> None:
    head = "307 Temporary Redirect\r\nLocation: /there"
    async with serving(head) as port, client(Settings(upstream_networks=LOOPBACK)) as http:
        assert (await http.get(f"http://127.0.0.1:{port}/")).status_code == 307


async def test_the_certificate_is_verified_with_the_ca_file_alone(tmp_path: Path) -> None:
    context, certificate = self_signed(tmp_path, "localhost")
    async with serving("200 OK", context) as port:
        url = f"https://localhost:{port}/"
        networks = [*LOOPBACK, ip_network("::1/128")]
        async with client(Settings(upstream_networks=networks, upstream_ca_file=certificate)) as http:
            assert (await http.get(url)).text == "ok"
        async with client(Settings(upstream_networks=networks)) as http:
            with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await http.get(url)


async def test_a_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    context, certificate = self_signed(tmp_path, "other.example")
    async with serving("200 OK", context) as port:
        settings = Settings(
            upstream_networks=[*LOOPBACK, ip_network("::1/128")], upstream_ca_file=certificate
        )
        async with client(settings) as http:
            with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await http.get(f"https://localhost:{port}/")


def self_signed(folder: Path, host: str) -> tuple[ssl.SSLContext, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    (folder / "cert.pem").write_bytes(certificate.public_bytes(encoding))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, folder / "cert.pem"
