"""The SDK's own OAuth client, from nothing but a server's URL to a tool call."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp import MCPError
from playwright.sync_api import Page

from tests.e2e.bypass.certificates import Authority
from tests.e2e.idp.corporate import Corporate
from tests.e2e.idp.keycloak import Keycloak
from tests.e2e.idp.people import let_in
from tests.e2e.idp.sdk_client import Person, SdkClient
from tests.e2e.idp.tokens import claims
from tests.e2e.recorder import Answer, Recorder
from tests.e2e.stack import until

pytestmark = pytest.mark.e2e
SUM = {"result": 5}


@pytest.fixture
def bob(page: Page) -> Person:
    """He lets the client do what it asks for."""
    return lambda address: let_in(page, address, "bob")


def test_a_client_registers_itself_and_calls(corporate: Corporate, bob: Person) -> None:
    with SdkClient(corporate.server_url) as client:
        assert client.call("add", {"a": 2, "b": 3}, bob) == SUM
        assert client.call("add", {"a": 2, "b": 3}) == SUM
        assert len(client.asked) == 1
        assert client.kept.tokens
        assert claims(client.kept.tokens.access_token)["aud"] == corporate.server_url


def test_what_the_person_may_not_do_the_client_may_not(corporate: Corporate, bob: Person) -> None:
    with SdkClient(corporate.server_url) as client:
        with pytest.raises(MCPError, match="no scope of yours allows"):
            client.call("secret_note", {}, bob)
        assert len(client.asked) == 1


def test_an_expired_token_is_refreshed_without_the_person(
    keycloak: Keycloak, bob: Person, tmp_path: Path
) -> None:
    with (
        Corporate.running(tmp_path, keycloak, GATEPOST_ACCESS_TOKEN_TTL_S="10") as corporate,
        SdkClient(corporate.server_url) as client,
    ):
        assert client.call("add", {"a": 2, "b": 3}, bob) == SUM
        assert client.kept.tokens
        first = client.kept.tokens
        until(lambda: corporate.outcome(first.access_token) != "ran", what="its end")
        assert client.call("add", {"a": 2, "b": 3}) == SUM
        assert client.kept.tokens.refresh_token != first.refresh_token


def test_more_scope_is_asked_for_where_it_helps_and_only_there(
    corporate: Corporate, page: Page, bob: Person
) -> None:
    with SdkClient(corporate.server_url) as client:
        result = client.call("add", {"a": 2, "b": 3}, lambda address: let_in(page, address, "bob", "adding"))
        assert result == SUM
        with pytest.raises(MCPError):
            client.call("secret_note", {})
        assert client.call("ticks", {"count": 1}, bob) == {"result": "done"}
        assert [("counting" in address) for address in client.asked] == [False, True]


@pytest.fixture
def documents(tmp_path: Path) -> Iterator[tuple[Recorder, Path]]:
    """A site where a client's document lies, and the CA of its certificate."""
    authority = Authority.make(tmp_path)
    certificate, key = authority.issue("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    site = Recorder(context)
    yield site, authority.file
    site.stop()


def test_a_client_is_known_by_its_document_and_calls(
    keycloak: Keycloak, bob: Person, documents: tuple[Recorder, Path], tmp_path: Path
) -> None:
    site, ca = documents
    url = f"https://127.0.0.1:{site.port}/client.json"
    with (
        Corporate.running(tmp_path, keycloak, GATEPOST_UPSTREAM_CA_FILE=str(ca)) as corporate,
        SdkClient(corporate.server_url, document=url) as client,
    ):
        document = {
            "client_id": url,
            "client_name": "SDK client of a test",
            "redirect_uris": [client.redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        }
        site.answer = Answer(body=json.dumps(document).encode())
        assert client.call("add", {"a": 2, "b": 3}, bob) == SUM
        assert [one.target for one in site.received] == ["/client.json"]
        assert client.kept.tokens
        assert claims(client.kept.tokens.access_token)["client_id"] == url
