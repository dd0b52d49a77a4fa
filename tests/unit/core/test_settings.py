import os
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.settings import Settings, SettingsError, load_settings
from app.core.settings_table import settings_table


def refusal(**environ: str) -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings(environ)
    return str(refused.value)


def test_nothing_set_gives_the_defaults() -> None:
    settings = load_settings({"PATH": "/bin", "GATEPOSTER": "x"})
    assert settings == Settings()
    assert settings.audit_path == Path(".gatepost/logs/audit.jsonl")


def test_the_environment_of_the_process_is_not_read_behind_ones_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEPOST_GATEWAY_PORT", "9")
    assert load_settings({}).gateway_port == 8080
    assert load_settings(os.environ).gateway_port == 9


def test_an_unknown_variable_is_refused_with_the_nearest_name() -> None:
    message = refusal(GATEPOST_PUBLIC_ULR="https://a.example")
    assert "GATEPOST_PUBLIC_ULR is no setting" in message
    assert "did you mean GATEPOST_PUBLIC_URL?" in message


@given(st.from_regex(r"[A-Z_]{1,30}", fullmatch=True))
def test_every_unknown_variable_gets_some_suggestion(name: str) -> None:
    if name.lower() not in Settings.model_fields and not name.endswith("_FILE"):
        assert "did you mean GATEPOST_" in refusal(**{f"GATEPOST_{name}": "x"})


def test_a_value_that_does_not_fit_is_refused_by_its_variable() -> None:
    assert refusal(GATEPOST_GATEWAY_PORT="none").startswith("GATEPOST_GATEWAY_PORT: ")
    assert "GATEPOST_VERDICT_TTL_S" in refusal(GATEPOST_VERDICT_TTL_S="301")
    assert "GATEPOST_UPSTREAM_NETWORKS" in refusal(GATEPOST_UPSTREAM_NETWORKS="10.0.0.0/8,10.0.0.1/8")


def test_an_empty_variable_is_not_set() -> None:
    assert load_settings({"GATEPOST_UPSTREAM_CA_FILE": ""}).upstream_ca_file is None


def test_networks_are_given_by_commas() -> None:
    settings = load_settings({"GATEPOST_UPSTREAM_NETWORKS": "10.0.0.0/8, fd00::/8,"})
    assert settings.upstream_networks == [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://[::1]:1", "http://localhost", "https://a.example/"]
)
def test_an_address_that_is_safe_is_taken_without_its_last_slash(url: str) -> None:
    assert load_settings({"GATEPOST_PUBLIC_URL": url}).public_url == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://gateway.example", "use https://gateway.example"),
        ("http://10.0.0.1:8080", "use https://10.0.0.1:8080"),
        ("http://127.0.0.1.example", "plain http"),
        ("https://a.example/gateway", "has a path"),
        ("https://a.example?x", "has a path"),
        ("ftp://a.example", "not an http"),
        ("a.example", "not an http"),
        ("https://user@a.example", "not an http"),
    ],
)
def test_an_address_that_is_not_safe_is_refused(url: str, reason: str) -> None:
    message = refusal(GATEPOST_PUBLIC_URL=url)
    assert message.startswith("GATEPOST_PUBLIC_URL: ")
    assert reason in message


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8080", True),
        ("https://[::1]", True),
        ("https://a.localhost", True),
        ("https://a.b", False),
    ],
)
def test_a_loopback_address_is_known_as_such(url: str, local: bool) -> None:
    assert load_settings({"GATEPOST_PUBLIC_URL": url}).is_local is local


def test_allowed_origins_are_given_by_commas_as_browsers_send_them() -> None:
    settings = load_settings({"GATEPOST_ALLOWED_ORIGINS": "https://a.example, http://[::1]:5173,"})
    assert settings.allowed_origins == ["https://a.example", "http://[::1]:5173"]


@pytest.mark.parametrize(
    "origin", ["*", "null", "a.example", "https://a.example/", "https://A.example", 'https://a"']
)
def test_what_no_browser_sends_is_no_allowed_origin(origin: str) -> None:
    assert "is not an origin as browsers send it" in refusal(GATEPOST_ALLOWED_ORIGINS=origin)


@pytest.mark.parametrize("given", ["CERTIFICATE", "KEY"])
def test_one_tls_file_without_the_other_is_refused(given: str) -> None:
    missing = {"CERTIFICATE": "KEY", "KEY": "CERTIFICATE"}[given]
    message = refusal(**{f"GATEPOST_TLS_{given}_FILE": "x.pem"})
    assert f"GATEPOST_TLS_{given}_FILE needs GATEPOST_TLS_{missing}_FILE" in message


def test_a_secret_is_given_directly_or_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    environ = {"GATEPOST_GATEWAY_SECRET_FILE": str(tmp_path / "secret"), "GATEPOST_ADMIN_PASSWORD": "direct"}
    settings = load_settings(environ)
    assert settings.secret("gateway_secret") == "from a file"
    assert settings.secret("admin_password") == "direct"
    assert settings.secret("sealing_keys") is None


def test_a_secret_file_is_read_again_when_it_changed(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("one")
    settings = load_settings({"GATEPOST_GATEWAY_SECRET_FILE": str(file)})
    (tmp_path / "next").write_text("two")
    (tmp_path / "next").rename(file)
    assert settings.secret("gateway_secret") == "two"
    file.write_text("three")
    assert settings.secret("gateway_secret") == "three"
    file.unlink()
    assert settings.secret("gateway_secret") == "three"


def test_a_secret_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    message = refusal(GATEPOST_GATEWAY_SECRET_FILE=str(tmp_path / "nothing"))
    assert "GATEPOST_GATEWAY_SECRET_FILE" in message
    assert "No such file" in message


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    twice = {"GATEPOST_GATEWAY_SECRET": "x", "GATEPOST_GATEWAY_SECRET_FILE": str(tmp_path / "secret")}
    assert "both set" in refusal(**twice)


def test_only_secrets_are_given_as_files() -> None:
    assert "GATEPOST_GATEWAY_PORT_FILE is no setting" in refusal(GATEPOST_GATEWAY_PORT_FILE="x")


def test_no_secret_is_in_the_text_of_settings_or_errors() -> None:
    environ = {"GATEPOST_ADMIN_PASSWORD": "hunter2", "GATEPOST_GATEWAY_SECRET": "hunter2"}
    assert "hunter2" not in repr(load_settings(environ))
    assert "hunter2" not in refusal(**environ, GATEPOST_PUBLIC_URL="x", GATEPOST_GATEWAY_PORT="0")


def test_the_table_has_every_setting_with_its_origin() -> None:
    environ = {"GATEPOST_GATEWAY_PORT": "1", "GATEPOST_SEALING_KEYS_FILE": "x"}
    rows = {row.variable: row for row in settings_table(environ)}
    assert len(rows) == len(Settings.model_fields)
    assert all(row.description for row in rows.values())
    assert rows["GATEPOST_GATEWAY_PORT"].origin == "environment"
    assert rows["GATEPOST_GATEWAY_PORT"].default == "8080"
    assert (rows["GATEPOST_SEALING_KEYS"].origin, rows["GATEPOST_SEALING_KEYS"].secret) == ("file", True)
    assert rows["GATEPOST_LOG_LEVEL"].origin == "default"
