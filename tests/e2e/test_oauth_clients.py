import json

import httpx2
import pytest

from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e
PAGE = {"Origin": "https://inspector.example"}


def test_an_administrator_keeps_clients_by_the_command_line(stack: Stack) -> None:
    secret_file = stack.folder / "robot.secret"
    made = stack.command(
        "client", "add", "Robot", "--id", "robot", "--group", "robots", "--secret-file", str(secret_file)
    )
    assert made.stdout == ""
    assert secret_file.stat().st_mode & 0o777 == 0o600
    first = secret_file.read_text().strip()
    shown = json.loads(stack.command("client", "show", "robot").stdout)
    assert (shown["groups"], shown["grant_types"]) == (["robots"], ["client_credentials"])
    second = stack.command("client", "secret", "robot").stdout.strip()
    assert len(first) == len(second) == 43
    assert first != second
    listed = stack.command("client", "list").stdout
    assert "robot" in listed
    stack.command("client", "rm", "robot")
    gone = stack.command("client", "show", "robot", expect=1)
    assert "no client is registered as robot" in gone.stderr


def test_a_secret_goes_to_standard_output_alone(stack: Stack) -> None:
    made = stack.command("client", "add", "Notes", "--id", "notes", "--redirect", "https://notes.example/cb")
    secret = made.stdout.strip()
    assert len(secret) == 43
    assert secret not in made.stderr
    stack.command("client", "rm", "notes")
    logs = "".join(file.read_text() for file in stack.file("logs").iterdir() if file.is_file())
    assert secret not in logs


def test_a_client_is_registered_from_a_document(stack: Stack) -> None:
    file = stack.folder / "client.json"
    file.write_text(
        json.dumps(
            {
                "client_id": "editor",
                "name": "Editor",
                "auth_method": "none",
                "redirect_uris": ["http://127.0.0.1/cb"],
            }
        )
    )
    made = json.loads(stack.command("client", "add", str(file), "--json").stdout)
    assert (made["client_id"], made["client_secret"]) == ("editor", None)
    stack.command("client", "rm", "editor")


def test_a_token_without_the_right_keeps_no_clients(stack: Stack) -> None:
    stack.scope("only-tools", "nowhere")
    token = stack.token("only-tools")
    assert stack.api("GET", "/api/clients", token=token).status_code == 403
    assert httpx2.get(f"{stack.url}/api/clients").status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/.well-known/oauth-authorization-server"),
        ("GET", "/.well-known/oauth-protected-resource/mcp/registry"),
        ("GET", "/oauth/jwks"),
        ("POST", "/oauth/register"),
    ],
)
def test_a_client_in_a_browser_reads_what_it_needs_through_the_gateway(
    stack: Stack, method: str, path: str
) -> None:
    answer = httpx2.request(method, stack.url + path, headers=PAGE)
    assert answer.headers.get_list("Access-Control-Allow-Origin") == ["*"]
    asking = {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "mcp-protocol-version",
    }
    preflight = httpx2.request("OPTIONS", stack.url + path, headers=PAGE | asking)
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (200, "*")


def test_the_metadata_is_told_from_the_setting_and_never_from_host(stack: Stack) -> None:
    answer = httpx2.get(f"{stack.url}/.well-known/openid-configuration", headers={"Host": "localhost:1"})
    assert answer.json()["issuer"] == stack.url
