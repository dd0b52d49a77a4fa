"""`gatepost scope …`."""

from typing import Annotated, Any

import typer

from app.cli.api import connect, segment
from app.cli.documents import read_document
from app.cli.explain_command import explain
from app.cli.options import Json, TokenFile, Url
from app.cli.output import CliError, say, show_json, show_table

app = typer.Typer(help="Scopes: which groups may use what.", no_args_is_help=True)
METHODS = ["tools/list", "tools/call"]
app.command()(explain)


@app.command()
def add(
    source: Annotated[
        str, typer.Argument(help="a scope's JSON file (- for stdin); or, with --group, its name")
    ],
    *,
    group: Annotated[list[str] | None, typer.Option(help="a group that it is for; * is everybody")] = None,
    server: Annotated[
        str | None, typer.Option(help="the server whose tools may be listed and called")
    ] = None,
    tool: Annotated[list[str] | None, typer.Option(help="a tool; * is all of them")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="replace the scope of that name")] = False,
    url: Url = None,
    token_file: TokenFile = None,
) -> None:
    """Add a scope, from a document or in the short form `add NAME --group G --server S --tool T`."""
    document = _short_form(source, group, server, tool) if group or server or tool else read_document(source)
    with connect(url, token_file) as api:
        if replace:
            saved = api.put(f"/api/scopes/{segment(str(document.get('name', '')))}", document)
        else:
            saved = api.post("/api/scopes", document)
    for warning in (saved or {}).get("warnings", []):
        say(f"warning: {warning}")
    say(f"scope {document.get('name')} {'replaced' if replace else 'added'}")


@app.command("list")
def list_scopes(json: Json = False, url: Url = None, token_file: TokenFile = None) -> None:
    """All scopes."""
    with connect(url, token_file) as api:
        items = api.items("/api/scopes")
    if json:
        show_json(items)
        return
    show_table(["name", "groups", "servers", "tools"], [_row(item) for item in items], empty="no scopes yet")


@app.command("show")
def show_scope(name: str, url: Url = None, token_file: TokenFile = None) -> None:
    """One scope, as JSON."""
    with connect(url, token_file) as api:
        show_json(api.get(f"/api/scopes/{segment(name)}"))


@app.command("rm")
def remove(name: str, url: Url = None, token_file: TokenFile = None) -> None:
    """Take a scope away; what it allowed ends at once."""
    with connect(url, token_file) as api:
        api.delete(f"/api/scopes/{segment(name)}")
    say(f"removed {name}")


def _short_form(
    name: str, group: list[str] | None, server: str | None, tool: list[str] | None
) -> dict[str, Any]:
    if not (group and server and tool):
        raise CliError("the short form needs --group, --server and --tool (each tool by name, or *)")
    return {"name": name, "groups": group, "servers": [{"server": server, "methods": METHODS, "tools": tool}]}


def _row(scope: dict[str, Any]) -> list[object]:
    servers = scope.get("servers", [])
    tools = sorted({tool for grant in servers for tool in grant.get("tools", [])})
    return [scope["name"], scope["groups"], [grant["server"] for grant in servers], tools]
