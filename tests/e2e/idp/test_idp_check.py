"""What `gatepost idp check` says of a real Keycloak."""

import json

import pytest

from tests.e2e.idp.corporate import PROVIDER, Corporate
from tests.e2e.idp.keycloak import Keycloak

pytestmark = pytest.mark.e2e


def failures(corporate: Corporate, expect: int) -> list[str]:
    """The steps that failed."""
    said = corporate.stack.command("idp", "check", PROVIDER, "--json", expect=expect).stdout
    return [step["step"] for step in json.loads(said)["steps"] if step["state"] == "failed"]


def test_a_keycloak_that_people_log_in_by_has_no_fault(corporate: Corporate) -> None:
    assert failures(corporate, 0) == []


def test_what_was_changed_at_keycloak_is_told(corporate: Corporate, keycloak: Keycloak) -> None:
    client = keycloak.admin("GET", "/clients?clientId=gatepost").json()[0]
    changed = {**client, "secret": "another", "redirectUris": ["https://elsewhere.example/*"]}
    keycloak.admin("PUT", f"/clients/{client['id']}", changed)
    try:
        assert failures(corporate, 1) == ["client", "redirect URI"]
    finally:
        keycloak.admin("PUT", f"/clients/{client['id']}", client)
