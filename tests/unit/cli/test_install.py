import os

import pytest

from app.cli.nginx import install
from app.cli.output import CliError

COMMAND = "apt-get install --no-install-recommends nginx libnginx-mod-http-lua lua-cjson lua-resty-core"


@pytest.fixture(autouse=True)
def nothing_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "find", lambda: None)
    monkeypatch.setattr(install, "install", lambda: pytest.fail("nothing may be installed here"))


def test_without_root_the_one_command_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CliError, match=f"sudo {COMMAND}"):
        install.find_or_install()


def test_without_apt_openresty_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install.shutil, "which", lambda name: None)
    with pytest.raises(CliError, match="OpenResty"):
        install.find_or_install()


def test_root_with_apt_installs_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(install.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(install, "install", lambda: calls.append(("install",)))
    with pytest.raises(CliError, match="does not load"):
        install.find_or_install()
    assert calls == [("install",)]
    assert COMMAND in capsys.readouterr().err


def test_the_packages_service_is_kept_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    calls: list[tuple[str, ...]] = []

    def record(*command: str, environ: dict[str, str] | None = None) -> bool:
        calls.append(command[:2] if environ is None else (command[0], command[1], environ["RUNLEVEL"]))
        return True

    monkeypatch.setattr(install, "_call", record)
    monkeypatch.setattr(install.Path, "exists", lambda path: False)
    monkeypatch.setattr(install.Path, "is_dir", lambda path: True)
    install.install()
    assert calls == [
        ("systemctl", "mask"),
        ("apt-get", "install", "1"),
        ("systemctl", "unmask"),
        ("systemctl", "disable"),
    ]
