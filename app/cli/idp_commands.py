"""`gatepost idp …`: where people log in."""

from typing import Annotated

import typer

from app.cli.api import connect, segment
from app.cli.options import Json, TokenFile, Url
from app.cli.output import CliError, show_json, show_table

app = typer.Typer(help="Identity providers: where people log in.", no_args_is_help=True)


@app.command("list")
def list_idps(json: Json = False, url: Url = None, token_file: TokenFile = None) -> None:
    """The providers that are configured."""
    with connect(url, token_file) as api:
        found = api.get("/api/idps")
    if json:
        show_json(found)
        return
    rows = [(one["name"], one["type"], one["label"], one["default"], one["issuer"]) for one in found]
    show_table(["name", "type", "label", "default", "issuer"], rows)


@app.command()
def check(
    name: Annotated[str, typer.Argument(help="the provider's name")],
    *,
    json: Json = False,
    url: Url = None,
    token_file: TokenFile = None,
) -> None:
    """Try a provider's configuration at the live provider, step by step. Exit code 1 where a step failed."""
    with connect(url, token_file) as api:
        report = api.post(f"/api/idps/{segment(name)}/check", {})
    if json:
        show_json(report)
    else:
        rows = [(step["state"], step["step"], step["detail"], step["fix"]) for step in report["steps"]]
        show_table(["state", "step", "what was found", "fix"], rows)
    if not report["ok"]:
        raise CliError(f"{name} does not work as it is configured; see the fix of what failed")
