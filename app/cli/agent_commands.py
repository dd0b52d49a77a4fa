"""`gatepost agent …`."""

from typing import Annotated, Any

import typer

from app.cli import identity_commands
from app.cli.api import connect, segment
from app.cli.documents import read_document, read_text
from app.cli.options import Json, TokenFile, Url
from app.cli.output import say, show, show_json, show_table

app = typer.Typer(help="A2A agents behind the gateway.", no_args_is_help=True)
app.add_typer(identity_commands.app, name="identity")
META = "dev.gatepost/agent"
Slug = Annotated[str, typer.Argument(help="the agent's slug")]


@app.command()
def add(
    source: Annotated[str, typer.Argument(help="the agent's URL, or a file with its card (- for stdin)")],
    *,
    slug: Annotated[
        str | None, typer.Option(help="the last part of its A2A URL; default: from its name")
    ] = None,
    bearer_file: Annotated[
        str | None, typer.Option(help="a file with its bearer token (- for stdin)")
    ] = None,
    json: Json = False,
    url: Url = None,
    token_file: TokenFile = None,
) -> None:
    """Register an agent; nobody may use it before a scope names it."""
    document: dict[str, Any] = {"url": source} if "://" in source else read_document(source)
    if slug:
        document.setdefault("_meta", {}).setdefault(META, {})["slug"] = slug
    bearer = read_text(bearer_file).strip() if bearer_file else None
    with connect(url, token_file) as api:
        added = api.post("/api/agents", document)
        if bearer is not None:
            api.put(f"/api/agents/{added['gatepost']['slug']}/credential", {"bearer": bearer})
    if json:
        show_json(added)
        return
    say(f"registered; A2A URL {added['gatepost']['url']}")
    for warning in added["warnings"]:
        say(f"note: {warning}")
    show(added["gatepost"]["slug"])


@app.command("list")
def list_agents(json: Json = False, url: Url = None, token_file: TokenFile = None) -> None:
    """All agents that you may see."""
    with connect(url, token_file) as api:
        items = api.items("/api/agents")
    if json:
        show_json(items)
        return
    rows = [
        [
            item["gatepost"]["slug"],
            item["gatepost"]["enabled"],
            item["gatepost"]["bindings"],
            item["agent"]["name"],
        ]
        for item in items
    ]
    show_table(["slug", "enabled", "bindings", "name"], rows, empty="no agents yet")


@app.command("show")
def show_agent(slug: Slug, url: Url = None, token_file: TokenFile = None) -> None:
    """One agent: its card as it was given, and what the registry knows, as JSON."""
    with connect(url, token_file) as api:
        show_json(api.get(f"/api/agents/{segment(slug)}"))


@app.command("rm")
def remove(slug: Slug, url: Url = None, token_file: TokenFile = None) -> None:
    """Take an agent away, with its credential."""
    with connect(url, token_file) as api:
        api.delete(f"/api/agents/{segment(slug)}")
    say(f"removed {slug}")
