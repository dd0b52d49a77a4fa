"""Agents' service accounts, made in a real Keycloak."""

import json
from collections.abc import Iterator

import httpx2
import pytest

from tests.e2e.idp import realm
from tests.e2e.idp.keycloak import Keycloak
from tests.e2e.idp.tokens import claims
from tests.e2e.stack import Stack

IDENTITY = "/api/agents/reporter/identity"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, keycloak: Keycloak) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("identities")
    secret = folder / "administration"
    secret.write_text(realm.ADMINISTRATION_SECRET)
    administration = {"client_id": realm.ADMINISTRATION, "client_secret_file": str(secret)}
    block = keycloak.provider("corp", folder / "client", administration=administration)
    here = Stack.start(folder, GATEPOST_IDENTITY_PROVIDERS=json.dumps([{"type": "local"}, block]))
    here.api(
        "POST",
        "/api/agents",
        {
            "name": "reporter",
            "description": "for a test",
            "version": "1.0.0",
            "capabilities": {},
            "defaultInputModes": ["text"],
            "defaultOutputModes": ["text"],
            "skills": [{"id": "a", "name": "a", "description": "a", "tags": ["a"]}],
            "supportedInterfaces": [
                {"url": "http://127.0.0.1:9/", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
            ],
        },
        expect=201,
    )
    yield here
    here.stop()


def test_users_and_groups_of_the_realm_are_listed(stack: Stack) -> None:
    users = stack.api("GET", "/api/idps/corp/users", expect=200).json()
    assert {"alice", "bob", "carol"} <= {user["username"] for user in users}
    found = stack.api("GET", "/api/idps/corp/users?search=bob", expect=200).json()
    assert [(user["username"], user["mail"], user["enabled"]) for user in found] == [
        ("bob", "bob@corp.example", True)
    ]
    assert stack.api("GET", "/api/idps/corp/groups", expect=200).json() == ["/fin-team", "/mcp-admins"]


def test_the_check_of_the_provider_tells_of_an_administration_that_is_refused(
    stack: Stack, keycloak: Keycloak
) -> None:
    def administration() -> dict[str, str]:
        steps = stack.api("POST", "/api/idps/corp/check", expect=200).json()["steps"]
        return dict(next(step for step in steps if step["step"] == "administration"))

    assert administration()["state"] == "ok"
    client = keycloak.admin("GET", f"/clients?clientId={realm.ADMINISTRATION}").json()[0]
    keycloak.admin("PUT", f"/clients/{client['id']}", {**client, "secret": "another"})
    try:
        refused = administration()
    finally:
        keycloak.admin("PUT", f"/clients/{client['id']}", {**client, "secret": realm.ADMINISTRATION_SECRET})
    assert (refused["state"], "client_id and secret" in refused["detail"]) == ("failed", True)


def test_an_agents_account_gets_tokens_with_its_groups_until_its_secret_is_rotated(
    stack: Stack, keycloak: Keycloak
) -> None:
    made = stack.api("PUT", IDENTITY, {"provider": "corp", "groups": ["/fin-team"]}, expect=200).json()
    found = claims(keycloak.service_token(made["client_id"], made["client_secret"]))
    assert found["groups"] == ["fin-team"]
    assert realm.AUDIENCE in found["aud"]
    shown = stack.api("GET", IDENTITY, expect=200).json()
    assert (shown["groups"], shown["client_secret"]) == (["/fin-team"], None)
    fresh = stack.api("POST", f"{IDENTITY}/secret", expect=200).json()
    with pytest.raises(AssertionError, match="401"):
        keycloak.service_token(made["client_id"], made["client_secret"])
    assert keycloak.service_token(fresh["client_id"], fresh["client_secret"])


def test_an_account_that_is_there_is_brought_to_other_groups(stack: Stack, keycloak: Keycloak) -> None:
    stack.api("PUT", IDENTITY, {"provider": "corp", "groups": ["/fin-team"]}, expect=200)
    again = stack.api("PUT", IDENTITY, {"provider": "corp", "groups": ["/mcp-admins"]}, expect=200).json()
    assert (again["groups"], again["client_secret"]) == (["/mcp-admins"], None)
    fresh = stack.api("POST", f"{IDENTITY}/secret", expect=200).json()
    found = claims(keycloak.service_token(fresh["client_id"], fresh["client_secret"]))
    assert found["groups"] == ["mcp-admins"]


def test_an_account_that_is_taken_away_gets_no_tokens(stack: Stack, keycloak: Keycloak) -> None:
    stack.api("PUT", IDENTITY, {"provider": "corp", "groups": []}, expect=200)
    secret = stack.api("POST", f"{IDENTITY}/secret", expect=200).json()
    stack.api("DELETE", IDENTITY, expect=204)
    with pytest.raises(AssertionError, match="401"):
        keycloak.service_token(secret["client_id"], secret["client_secret"])
    assert stack.api("GET", IDENTITY, expect=404).json()["type"].endswith("no-identity")


def test_a_group_that_the_realm_has_not_is_named(stack: Stack) -> None:
    answer = stack.api("PUT", IDENTITY, {"provider": "corp", "groups": ["/nobody"]}, expect=502)
    assert "has no group /nobody" in answer.json()["detail"]


def test_somebody_without_the_right_sees_no_users(stack: Stack) -> None:
    stack.scope("only-tools", "nothing")
    token = stack.token("only-tools")
    assert stack.api("GET", "/api/idps/corp/users", token=token).status_code == 403
    assert stack.api("PUT", IDENTITY, {"provider": "corp"}, token=token).status_code == 404


def test_the_right_is_asked_for_before_the_provider(stack: Stack) -> None:
    assert httpx2.get(f"{stack.url}/api/idps/corp/users").status_code == 401
