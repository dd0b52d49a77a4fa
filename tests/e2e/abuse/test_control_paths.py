"""What NGINX hands to auth, however a path is spelled, and what of a request passes."""

import base64

import httpx2
import pytest

from tests.e2e.abuse.raw import FORM, raw
from tests.e2e.bypass.reply import Reply
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e
IDENTITY = "/api/agents/nobody/identity"
K = 1024


def ask(stack: Stack, path: str, method: str = "GET") -> Reply:
    token = stack.file("secrets", "cli_token").read_text().strip()
    return raw(stack, method, path, [("Authorization", f"Bearer {token}")])


def test_an_agents_identity_is_auths(stack: Stack) -> None:
    assert b"no agent has the slug nobody" in ask(stack, IDENTITY).body


@pytest.mark.parametrize(
    "path",
    [
        "/api//agents/nobody/identity",
        "/api/agents//nobody/identity",
        "/api/agents/nobody//identity",
        "/api/agents/nobody%2fidentity",
        "/api/agents/nobody%2Fidentity",
        "/api/agents/nobody%5cidentity",
        "/api/agents/x/../nobody/identity",
        "/api/agents/x/%2e%2e/nobody/identity",
        "/api/./agents/nobody/identity",
        "/api/servers/..%2fagents/nobody/identity",
    ],
)
def test_a_path_that_is_not_plain_reaches_nobody(stack: Stack, path: str) -> None:
    assert ask(stack, path).status == 400


@pytest.mark.parametrize(
    "path",
    [
        "/api/agents/nobody/IDENTITY",
        "/api/Agents/nobody/identity",
        "/api/agents/nobody/identity2",
        "/api/agents/a/b/identity",
        "/api/agents/nobody/identity%252f",
        "/api/agents/nobody%252fidentity",
        "/API/agents/nobody/identity",
        "/api/agents/nobody/identity;x",
    ],
)
def test_what_only_looks_like_it_is_not_there(stack: Stack, path: str) -> None:
    reply = ask(stack, path, "PUT")
    assert reply.status in (404, 405, 422)
    assert b"no agent has the slug nobody" not in reply.body


@pytest.mark.parametrize("path", [IDENTITY, "/api/idps/x/users", "/api/clients", "/api/servers"])
def test_an_identity_that_a_client_claims_counts_for_nothing(stack: Stack, path: str) -> None:
    claimed = [("Gatepost-Identity", "eyJhbGciOiJub25lIn0.e30."), ("Gatepost-Gateway-Secret", "x")]
    assert raw(stack, "GET", path, claimed).status == 401
    assert raw(stack, "GET", path, [*claimed, ("Authorization", "Bearer gp_nothing")]).status == 401


@pytest.mark.parametrize(
    "path", ["/internal/verdict?resource=/ui", "/internal/epoch", "/oauth/../internal/epoch"]
)
def test_auths_inner_answers_are_reached_by_no_path(stack: Stack, path: str) -> None:
    reply = raw(stack, "GET", path, [])
    assert reply.status == 404
    assert b"epoch" not in reply.body


def test_an_oauth_client_proves_itself_by_basic_at_the_token_endpoint(stack: Stack) -> None:
    made = httpx2.post(
        f"{stack.url}/oauth/register",
        json={
            "redirect_uris": ["https://app.example/cb"],
            "client_name": "Basic",
            "token_endpoint_auth_method": "client_secret_basic",
        },
    ).json()

    def redeem(secret: str) -> httpx2.Response:
        basic = base64.b64encode(f"{made['client_id']}:{secret}".encode()).decode()
        form = {"grant_type": "authorization_code", "code": "none", "redirect_uri": "https://app.example/cb"}
        headers = {"Authorization": f"Basic {basic}"}
        return httpx2.post(f"{stack.url}/oauth/token", data=form, headers=headers)

    known, unknown = redeem(made["client_secret"]), redeem("wrong")
    assert (known.status_code, unknown.status_code) == (400, 401)
    assert unknown.json()["error"] == "invalid_client"
    assert known.json()["error"] != "invalid_client"
    assert known.headers["Cache-Control"] == unknown.headers["Cache-Control"] == "no-store"


def test_a_client_that_proves_itself_twice_is_refused(stack: Stack) -> None:
    basic = [("Authorization", "Basic eDp5"), ("Authorization", "Basic ejp5")]
    assert raw(stack, "POST", "/oauth/token", [*basic, FORM], b"grant_type=refresh_token").status == 400


@pytest.mark.parametrize(
    "path", ["/oauth/authorize", "/oauth/consent", "/oauth/register", "/login", "/callback/x"]
)
def test_no_other_authorization_reaches_auth(stack: Stack, path: str) -> None:
    plain, sent = (raw(stack, "GET", path, more) for more in ([], [("Authorization", "Basic eDp5")]))
    assert plain.status == sent.status < 500


def test_a_long_authorization_request_goes_to_the_login_and_back(stack: Stack) -> None:
    reply = raw(stack, "GET", "/oauth/authorize?state=" + "s" * 8 * K, [])
    assert reply.status < 500
    assert raw(stack, "GET", "/callback/none?state=" + "s" * 8 * K, []).status < 500
    body = b"SAMLResponse=" + b"x" * 100 * K
    assert 400 <= raw(stack, "POST", "/saml/none/acs", [FORM], body).status < 500
