from typing import Any

import pytest

from app.auth.providers.oidc.discovery import Unusable, read_discovery

ENDPOINTS = (
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "end_session_endpoint",
)


def document(issuer: str, **more: Any) -> dict[str, Any]:
    return {"issuer": issuer, **{name: f"{issuer}/{name}" for name in ENDPOINTS}, **more}


@pytest.mark.parametrize("name", ENDPOINTS)
def test_a_provider_elsewhere_names_nothing_that_listens_on_this_machine_alone(name: str) -> None:
    given = document("https://id.example", **{name: "http://127.0.0.1:8082/internal/verdict"})
    with pytest.raises(Unusable, match=name):
        read_discovery(given, "https://id.example")


def test_a_provider_on_this_machine_may_speak_plain_http() -> None:
    issuer = "http://127.0.0.1:8180"
    assert read_discovery(document(issuer), issuer).token_endpoint == f"{issuer}/token_endpoint"
