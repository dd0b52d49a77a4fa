import pytest
from playwright.sync_api import Page, expect

from tests.e2e.idp.keycloak import Keycloak
from tests.e2e.idp.openid_provider import AGENT, TENANT, OpenIdProvider
from tests.e2e.idp.realm import AUDIENCE
from tests.e2e.idp.tokens import claims

pytestmark = pytest.mark.e2e


def test_a_browser_gets_keycloaks_login_page(keycloak: Keycloak, page: Page) -> None:
    page.goto(f"{keycloak.issuer}/account")
    expect(page.get_by_label("Username or email")).to_be_visible()


def test_a_service_account_of_keycloak_has_a_token_for_the_gateway(keycloak: Keycloak) -> None:
    token = claims(keycloak.service_token())
    assert token["iss"] == keycloak.issuer
    assert AUDIENCE in token["aud"]
    assert token["groups"] == ["fin-team"]


def test_an_application_has_a_token_in_the_shape_of_entra(entra: OpenIdProvider) -> None:
    token = claims(entra.service_token())
    assert (token["iss"], token["aud"], token["tid"]) == (entra.issuer, "api://gatepost", TENANT)
    assert token["roles"] == ["Reports.Read"]


def test_an_application_has_a_token_in_the_shape_of_cognito(cognito: OpenIdProvider) -> None:
    token = claims(cognito.service_token())
    assert (token["iss"], token["client_id"], token["token_use"]) == (cognito.issuer, AGENT, "access")
    assert "aud" not in token
