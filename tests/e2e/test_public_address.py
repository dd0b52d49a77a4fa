"""The gateway at a public address: certificates that are renewed, HSTS, and pages of allowed origins."""

import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from app.cli.nginx import find
from tests.e2e.bypass.certificates import Authority
from tests.e2e.calling import ticking
from tests.e2e.servers import serving, tools_server
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
PUBLIC, PAGE = "mcp.example.com", "https://app.example.com"
TICKS = 60
"""At 20 a second: long enough to renew a certificate meanwhile."""
PATHS = ["/mcp/live", "/mcp/no/such", "/login", "/ui", "/api/servers", "/healthz", "/nothing"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    folder = tmp_path_factory.mktemp("public")
    renew(folder, Authority.make(folder, "first"))
    with serving(tools_server().streamable_http_app()) as origin:
        here = Stack.start(
            folder,
            GATEPOST_PUBLIC_URL=f"https://{PUBLIC}",
            GATEPOST_TLS_CERTIFICATE_FILE=str(folder / "chain.pem"),
            GATEPOST_TLS_KEY_FILE=str(folder / "key.pem"),
            GATEPOST_ALLOWED_ORIGINS=f"{PAGE}, https://other.example.com",
        )
        here.register("live", f"{origin}/mcp")
        here.scope("live", "live")
        yield here
        here.stop()


def renew(folder: Path, authority: Authority) -> bytes:
    """Put a new certificate where the gateway has its own; gives it in DER."""
    certificate, key = authority.issue(PUBLIC)
    shutil.copyfile(key, folder / "key.pem")
    shutil.copyfile(certificate, folder / "chain.pem")
    return ssl.PEM_cert_to_DER_cert(certificate.read_text())


def shown(stack: Stack) -> bytes | None:
    """The certificate that a new connection is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    where = urlsplit(stack.url)
    with (
        socket.create_connection((where.hostname or "", where.port or 443), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=PUBLIC) as connection,
    ):
        return connection.getpeercert(binary_form=True)


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_a_renewed_certificate_is_shown_at_once_and_ends_no_stream(
    stack: Stack, tmp_path: Path, http2: bool
) -> None:
    with (
        httpx2.Client(http2=http2, verify=False, timeout=30) as client,
        client.stream(**ticking(stack, "live", stack.token("live"), TICKS)) as answer,
    ):
        assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
        lines = answer.iter_lines()
        next(lines)
        renewed = renew(stack.folder, Authority.make(tmp_path))
        until(lambda: shown(stack) == renewed, 3, "the new certificate")
        rest = "\n".join(lines)
    assert f'"progress":{TICKS - 1}' in rest.replace(" ", "").replace(".0", "")
    assert '"result"' in rest


@pytest.mark.parametrize("broken", ["certificate", "key", "another_key", "no_key"])
def test_a_pair_that_is_not_fit_changes_nothing_and_is_named_once(
    stack: Stack, tmp_path: Path, broken: str
) -> None:
    before = shown(stack)
    log = stack.file("nginx", "logs", "error.log")
    said = log.read_text().count("is not taken")
    key = stack.folder / "key.pem"
    if broken == "certificate":
        (stack.folder / "chain.pem").write_text("-----BEGIN CERTIFICATE-----\nhalf of")
    elif broken == "key":
        key.write_text("nothing")
    elif broken == "another_key":
        shutil.copyfile(Authority.make(tmp_path).issue(PUBLIC)[1], key)
    else:
        key.unlink()
    until(lambda: log.read_text().count("is not taken") == said + 1, 5, "the complaint")
    for _ in range(5):
        assert shown(stack) == before
    mended = renew(stack.folder, Authority.make(tmp_path, "mended"))
    until(lambda: shown(stack) == mended, 5, "the mended certificate")
    assert log.read_text().count("is not taken") <= said + 2


def test_plain_http_at_the_port_of_tls_is_refused_without_complaints(stack: Stack) -> None:
    assert httpx2.get(stack.url.replace("https:", "http:")).status_code == 400
    assert "uninitialized" not in stack.file("nginx", "logs", "error.log").read_text()


@pytest.mark.parametrize("path", PATHS)
def test_browsers_are_told_to_come_by_https_alone(stack: Stack, path: str) -> None:
    headers = httpx2.get(stack.url + path, verify=False).headers
    assert headers.get_list("Strict-Transport-Security") == ["max-age=31536000"]
    assert headers.get_list("X-Content-Type-Options") == ["nosniff"]


def test_a_page_of_an_allowed_origin_may_ask_and_read_without_cookies(stack: Stack) -> None:
    asked = httpx2.options(
        f"{stack.url}/mcp/live",
        headers={"Origin": PAGE, "Access-Control-Request-Method": "POST"},
        verify=False,
    )
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == PAGE
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    refused = httpx2.post(f"{stack.url}/mcp/live", headers={"Origin": PAGE}, json={}, verify=False)
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == PAGE
    assert "WWW-Authenticate" in refused.headers["Access-Control-Expose-Headers"]
    assert not {"Access-Control-Allow-Credentials"} & (asked.headers.keys() | refused.headers.keys())


@pytest.mark.parametrize(
    "origin", [f"http://{PUBLIC}", f"https://{PUBLIC}:8443", "http://localhost", f"{PAGE}.evil"]
)
def test_no_other_origin_is_allowed_at_a_public_address(stack: Stack, origin: str) -> None:
    answer = httpx2.post(f"{stack.url}/mcp/live", headers={"Origin": origin}, json={}, verify=False)
    assert (answer.status_code, answer.json()["error"]["data"]["rule"]) == (403, "origin")
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_allowed_origin_is_allowed_at_mcp_servers_alone(stack: Stack) -> None:
    answer = httpx2.get(f"{stack.url}/api/version", headers={"Origin": PAGE}, verify=False)
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
