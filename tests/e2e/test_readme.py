"""What the README and the pages beside it say: the script runs, the commands and the files exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
import typer.main
from typer.core import TyperGroup

from app.cli.main import app
from app.core.settings_table import settings_table
from tests.e2e.stack import CHECKOUT, Stack

PAGES = [*sorted(CHECKOUT.glob("*.md")), *sorted(CHECKOUT.glob("docs/**/*.md"))]
PROTOCOLS = {"auto": "2026-07-28", "legacy": "2025-11-25"}


def client_script() -> str:
    """The fenced block of Python whose first line is a comment with the name client.py."""
    blocks = re.findall(
        r"^```python\n(# client\.py: .*?)^```$",
        (CHECKOUT / "README.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    assert len(blocks) == 1
    return str(blocks[0])


@pytest.mark.e2e
@pytest.mark.parametrize("mode", PROTOCOLS)
def test_the_script_lists_and_calls_tools_of_the_registry(stack: Stack, tmp_path: Path, mode: str) -> None:
    script = tmp_path / "client.py"
    script.write_text(client_script())
    done = subprocess.run(
        [sys.executable, str(script), mode],
        env={**os.environ, "MCP_URL": f"{stack.url}/mcp/registry", "MCP_TOKEN": stack.token()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"protocol {PROTOCOLS[mode]}"
    assert lines[1:4] == ["tool find_tools", "tool list_servers", "tool server_status"]
    assert "'mode': 'keyword'" in lines[4]


@pytest.mark.e2e
@pytest.mark.parametrize("document", ["/api/openapi.json", "/oauth/openapi.json"])
def test_the_page_of_the_api_names_every_path(stack: Stack, document: str) -> None:
    text = (CHECKOUT / "docs" / "api.md").read_text()
    named = {path.partition("?")[0] for path in re.findall(r"`(?:[A-Z]+ )?(/[^`]+)`", text)}
    paths = httpx2.get(f"{stack.url}{document}").json()["paths"]
    assert set(paths) - named == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    missing = [
        target for target in targets if "://" not in target and not (page.parent / target).resolve().exists()
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(r"(?:^|\$\()\./gatepost ([a-z]+)(?: ([a-z]+)\b)?", page.read_text(), re.MULTILINE)
    commands = typer.main.get_command(app)
    assert isinstance(commands, TyperGroup)
    for first, second in named:
        command = commands.commands.get(first)
        assert command is not None, f"gatepost {first}"
        if isinstance(command, TyperGroup):
            assert second in command.commands, f"gatepost {first} {second}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_that_a_page_names_exist(page: Path) -> None:
    rows = settings_table({})
    known = {row.variable for row in rows} | {f"{row.variable}_FILE" for row in rows if row.secret}
    assert set(re.findall(r"GATEPOST_[A-Z_]+", page.read_text())) <= known
