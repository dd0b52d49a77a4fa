"""`gatepost server …`."""

from typing import Annotated, Any

import typer

from app.cli.api import Api, connect, segment
from app.cli.documents import read_document, read_text, server_document
from app.cli.options import Json, TokenFile, Url
from app.cli.output import say, show, show_json, show_table

app = typer.Typer(help="MCP servers behind the gateway.", no_args_is_help=True)
META = "dev.gatepost/server"
Slug = Annotated[str, typer.Argument(help="the server's slug")]


@app.command()
def add(
    source: Annotated[str, typer.Argument(help="URL of an HTTP endpoint, or a server.json (- for stdin)")],
    *,
    name: Annotated[str | None, typer.Option(help="its name, e.g. com.example/ledger; for a URL")] = None,
    slug: Annotated[
        str | None, typer.Option(help="the last part of its MCP URL; default: of its name")
    ] = None,
    sse: Annotated[bool, typer.Option("--sse", help="the URL speaks HTTP+SSE of 2024-11-05")] = False,
    bearer_file: Annotated[
        str | None, typer.Option(help="a file with its bearer token (- for stdin)")
    ] = None,
    json: Json = False,
    url: Url = None,
    token_file: TokenFile = None,
) -> None:
    """Register a server; nobody may use it before a scope names it."""
    document = (
        server_document(source, name, "sse" if sse else "streamable-http")
        if "://" in source
        else read_document(source)
    )
    if slug:
        document.setdefault("_meta", {}).setdefault(META, {})["slug"] = slug
    bearer = read_text(bearer_file).strip() if bearer_file else None
    with connect(url, token_file) as api:
        path = f"/api/servers/{api.post('/api/servers', document)['gatepost']['slug']}"
        if bearer is not None:
            api.put(f"{path}/credential", {"bearer": bearer})
        api.post(f"{path}/refresh")
        added = api.get(path)
    if json:
        show_json(added)
        return
    say(f"registered; MCP URL {added['gatepost']['url']}")
    _say_state(added)
    show(added["gatepost"]["slug"])


@app.command("list")
def list_servers(json: Json = False, url: Url = None, token_file: TokenFile = None) -> None:
    """All servers that you may see."""
    with connect(url, token_file) as api:
        items = api.items("/api/servers")
    if json:
        show_json(items)
        return
    show_table(
        ["slug", "state", "enabled", "tools", "name"], [_row(item) for item in items], empty="no servers yet"
    )


@app.command("show")
def show_server(slug: Slug, url: Url = None, token_file: TokenFile = None) -> None:
    """One server: its document, and what the registry found out, as JSON."""
    with connect(url, token_file) as api:
        show_json(api.get(f"/api/servers/{segment(slug)}"))


@app.command("rm")
def remove(slug: Slug, url: Url = None, token_file: TokenFile = None) -> None:
    """Take a server away, with its tools and its credential."""
    with connect(url, token_file) as api:
        api.delete(f"/api/servers/{segment(slug)}")
    say(f"removed {slug}")


@app.command()
def refresh(slug: Slug, url: Url = None, token_file: TokenFile = None) -> None:
    """Look at its tools, prompts and resources again."""
    with connect(url, token_file) as api:
        _act(api, slug, "refresh")


@app.command()
def enable(slug: Slug, url: Url = None, token_file: TokenFile = None) -> None:
    """Let calls through again."""
    with connect(url, token_file) as api:
        _act(api, slug, "enable")


@app.command()
def disable(slug: Slug, url: Url = None, token_file: TokenFile = None) -> None:
    """Refuse every call to it, and keep it registered."""
    with connect(url, token_file) as api:
        _act(api, slug, "disable")


def _act(api: Api, slug: str, action: str) -> None:
    api.post(f"/api/servers/{segment(slug)}/{action}")
    _say_state(api.get(f"/api/servers/{segment(slug)}"))


def _say_state(server: dict[str, Any]) -> None:
    found = server["gatepost"]
    health = found["health"]
    reason = f": {health['reason']}" if health["reason"] else ""
    enabled = "" if found["enabled"] else ", disabled"
    say(f"{found['slug']} is {health['state']}{enabled}{reason}; tools: {found['tools']}")


def _row(server: dict[str, Any]) -> list[object]:
    found = server["gatepost"]
    return [
        found["slug"],
        found["health"]["state"],
        found["enabled"],
        found["tools"],
        server["server"]["name"],
    ]
