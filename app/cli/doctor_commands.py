import asyncio
from dataclasses import asdict

import typer

from app.cli.options import Json
from app.cli.output import show_json, show_table
from app.core.doctor import State, check_store
from app.core.settings import load_settings


def doctor(json: Json = False) -> None:
    """Look for what is wrong: each finding with its fix. Exit code 1 where something does not work."""
    findings = asyncio.run(check_store(load_settings()))
    works = all(finding.state != State.ERROR for finding in findings)
    if json:
        show_json({"ok": works, "findings": [asdict(finding) for finding in findings]})
    else:
        rows = [(finding.state, finding.check, finding.found, finding.fix) for finding in findings]
        show_table(["", "check", "found", "what to do"], rows)
    if not works:
        raise typer.Exit(1)


def add_to(app: typer.Typer) -> None:
    """Put `doctor` beside the other commands."""
    app.command()(doctor)
