"""Every setting of the program can be given to the roles, and reaches the process that reads it."""

from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.core.settings import Settings
from app.core.settings_table import settings_table

ROLES = Path(__file__).parents[3] / "ansible" / "roles"
ROWS = {row.variable.removeprefix("GATEPOST_").lower(): row for row in settings_table({})}
SECRETS = {name for name, row in ROWS.items() if row.secret}
READ_BY = {
    "auth": ("app/auth", "app/core"),
    "registry": ("app/registry", "app/core"),
    "gateway": ("app/cli/nginx", "nginx"),
    "audit": ("app/cli/shipping",),
}


def load(role: str, part: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROLES / role / part / "main.yml").read_text()))


def of(kind: str, process: str) -> set[str]:
    return set(chain.from_iterable(load("gatepost", "vars")[f"gatepost_{kind}_of"][process]))


def options() -> dict[str, Any]:
    specs = yaml.safe_load((ROLES / "gatepost" / "meta" / "argument_specs.yml").read_text())
    return dict(specs["argument_specs"]["main"]["options"])


def test_the_variable_of_a_setting_is_its_name_with_our_prefix() -> None:
    assert {f"gatepost_{name}" for name in Settings.model_fields} <= options().keys()


def test_a_variable_is_described_as_the_setting_is() -> None:
    described = {name: " ".join(options()[f"gatepost_{name}"]["description"]) for name in ROWS}
    assert described == {name: row.description.replace('"', "'") for name, row in ROWS.items()}


def test_a_secret_is_never_logged_and_never_in_a_file_of_settings() -> None:
    assert {name for name in ROWS if options()[f"gatepost_{name}"].get("no_log")} == SECRETS
    processes = load("gatepost", "vars")["gatepost_settings_of"]
    assert not SECRETS & set(chain.from_iterable(of("settings", process) for process in processes))


def test_every_setting_is_told_to_some_process() -> None:
    processes = load("gatepost", "vars")["gatepost_settings_of"]
    told = set(chain.from_iterable(of("settings", process) | of("secrets", process) for process in processes))
    assert told == set(Settings.model_fields)


@pytest.mark.parametrize("process", sorted(READ_BY))
def test_what_a_process_reads_it_is_told(process: str) -> None:
    top = ROLES.parents[1]
    files = chain.from_iterable((top / folder).rglob("*.*") for folder in READ_BY[process])
    texts = [file.read_text() for file in files if file.suffix in {".py", ".j2"}]
    read = {
        name
        for name in Settings.model_fields
        if any(f"settings.{name}" in text or f'secret("{name}")' in text for text in texts)
    }
    told = of("settings", process) | of("secrets", process)
    only_warned_of = {"outbound_proxy"} if process == "gateway" else set()
    assert read - told <= only_warned_of


@pytest.mark.parametrize("role", ["auth", "registry", "nginx"])
def test_a_service_restarts_for_each_secret_that_it_has(role: str) -> None:
    handlers = yaml.safe_load((ROLES / role / "handlers" / "main.yml").read_text())
    heard = set(chain.from_iterable(handler["listen"] for handler in handlers))
    for process in ("gateway", "audit") if role == "nginx" else (role,):
        assert {f"Gatepost has another {name}" for name in of("secrets", process)} <= heard
        assert f"Gatepost's {process} has other settings" in heard
