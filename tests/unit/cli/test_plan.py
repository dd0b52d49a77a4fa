from pathlib import Path

import pytest

from app.cli.plan import environment, local_url, metrics_url
from app.cli.state import StateFolder
from app.core.settings import SettingsError, load_settings


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path / "state")
    folder.prepare()
    folder.make_keys()
    return folder


def test_a_laptop_gets_all_it_needs(state: StateFolder) -> None:
    settings = load_settings(environment(state, {}))
    inner = [settings.auth_port, settings.auth_internal_port, settings.registry_port, settings.metrics_port]
    assert len({*inner, settings.gateway_port}) == 5
    assert settings.secret("gateway_secret") == state.read_secret("gateway_secret")
    assert settings.secret("sealing_keys") == state.read_secret("sealing_keys")
    assert [str(network) for network in settings.upstream_networks] == ["127.0.0.0/8", "::1/128"]
    assert settings.state_dir == state.path


def test_no_secret_is_in_the_environment_itself(state: StateFolder) -> None:
    values = environment(state, {}).values()
    assert not {state.read_secret("gateway_secret"), state.read_secret("sealing_keys")} & set(values)


def test_what_the_user_set_stays(state: StateFolder) -> None:
    given = {
        "GATEPOST_AUTH_PORT": "9001",
        "GATEPOST_UPSTREAM_NETWORKS": "10.0.0.0/8",
        "GATEPOST_GATEWAY_SECRET": "from the user",
        "GATEPOST_PUBLIC_URL": "https://mcp.example.com",
        "HOME": "/somewhere",
    }
    complete = environment(state, given)
    assert complete.items() >= given.items()
    assert load_settings(complete).secret("gateway_secret") == "from the user"


def test_the_public_address_follows_the_gateways_port(state: StateFolder) -> None:
    settings = load_settings(environment(state, {"GATEPOST_GATEWAY_PORT": "9090"}))
    assert settings.public_url == "http://127.0.0.1:9090"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("127.0.0.2", "http://127.0.0.2:8080"),
    ],
)
def test_the_gateway_is_reached_from_here_wherever_it_listens(host: str, url: str) -> None:
    assert local_url(load_settings({"GATEPOST_GATEWAY_HOST": host})) == url
    metrics = metrics_url(load_settings({"GATEPOST_METRICS_HOST": host}))
    assert metrics == url.replace(":8080", ":8084/metrics")


def test_an_empty_variable_is_not_set(state: StateFolder) -> None:
    empty = {"GATEPOST_GATEWAY_SECRET": "", "GATEPOST_PUBLIC_URL": "", "GATEPOST_GATEWAY_PORT": "9090"}
    settings = load_settings(environment(state, empty))
    assert settings.secret("gateway_secret") == state.read_secret("gateway_secret")
    assert settings.public_url == "http://127.0.0.1:9090"


def test_a_misspelt_setting_starts_nothing(state: StateFolder) -> None:
    with pytest.raises(SettingsError, match="GATEPOST_GATEWAY_PORT"):
        environment(state, {"GATEPOST_GATEWAY_PROT": "1"})
