import json
from typing import Any

import pytest

from app.core.models.identity_provider import OidcProviderConfig, parse_providers
from app.core.settings import Settings, SettingsError

CORP: dict[str, Any] = {"name": "corp", "type": "oidc", "issuer": "https://id.example", "client_id": "gate"}


def refusal(*blocks: object) -> str:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environ({"GATEPOST_IDENTITY_PROVIDERS": json.dumps(blocks)})
    return str(refused.value)


def parsed(**more: Any) -> OidcProviderConfig:
    found = parse_providers(json.dumps([{**CORP, **more}]))[0]
    assert isinstance(found, OidcProviderConfig)
    return found


def test_without_the_setting_people_are_local() -> None:
    assert [provider.name for provider in Settings.from_environ({}).providers] == ["local"]


def test_the_setting_may_be_a_file(tmp_path: Any) -> None:
    file = tmp_path / "providers.json"
    file.write_text(json.dumps([CORP, {"type": "local"}]))
    settings = Settings.from_environ({"GATEPOST_IDENTITY_PROVIDERS_FILE": str(file)})
    assert [provider.name for provider in settings.providers] == ["corp", "local"]


def test_a_preset_is_a_set_of_defaults() -> None:
    found = parsed(type="cognito")
    assert found.claims.groups == ["cognito:groups"]
    assert found.tokens.audience_claim == "client_id"


def test_what_the_block_says_goes_before_its_preset() -> None:
    found = parsed(type="entra", claims={"groups": ["roles"]}, scopes=["openid"])
    assert (found.claims.groups, found.claims.subject, found.scopes) == (["roles"], ["oid"], ["openid"])


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({**CORP, "issuer": "http://id.example"}, "plain http and not on loopback"),
        ({**CORP, "issuer": "id.example"}, "issuer"),
        ({**CORP, "scopes": ["profile"]}, "scopes must have openid"),
        (
            {**CORP, "client_secret": "x"},
            "provider 'corp': client_secret: there is no such member; did you mean client_secret_",
        ),
        ({**CORP, "client_secret_env": "A", "client_secret_file": "b"}, "both given; keep one"),
        ({**CORP, "name": "Corp"}, "provider 'Corp': name: it must be 1 to 32 of a-z 0-9 -"),
        ({**CORP, "name": "local"}, "a meaning of its own"),
        ({**CORP, "name": "client"}, "a meaning of its own"),
        ({**CORP, "name": "token"}, "a meaning of its own"),
        ({**CORP, "type": "okta"}, "no such type; it is one of local, oidc, keycloak"),
        ({"issuer": "https://id.example"}, "provider number 1: type is missing"),
        ({**CORP, "claims": {"group": ["g"]}}, "claims.group: there is no such member; did you mean groups?"),
        ({"name": "s", "type": "saml"}, "either metadata_file or metadata_url"),
        ({**CORP, "administration": {"client_id": "a", "client_secret_file": "b"}}, "keycloak alone"),
    ],
)
def test_a_block_that_cannot_be_is_refused_with_the_reason(block: dict[str, Any], said: str) -> None:
    message = refusal(block)
    assert message.startswith("GATEPOST_IDENTITY_PROVIDERS: ")
    assert said in message


def test_a_refusal_repeats_no_value_that_may_be_secret() -> None:
    assert "hunter2" not in refusal({**CORP, "client_secret": "hunter2"})


def test_names_are_not_given_twice() -> None:
    assert "two providers are called corp" in refusal(CORP, CORP)


def test_one_provider_at_most_is_the_default() -> None:
    assert "more than one" in refusal({**CORP, "default": True}, {"type": "local", "default": True})
