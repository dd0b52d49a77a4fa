"""`gatepost token …`."""

import asyncio
from typing import Annotated, Any

import typer

from app.cli.accounts import prepare_token
from app.cli.api import connect, segment
from app.cli.options import Json, TokenFile, Url
from app.cli.output import say, show, show_json, show_table
from app.cli.state import StateFolder
from app.core.settings import load_settings

app = typer.Typer(help="Personal access tokens.", no_args_is_help=True)

Subject = Annotated[
    str | None, typer.Option(help="whose, e.g. local:admin; default: yours. Another's needs tokens:write")
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="what it is for")],
    *,
    scope: Annotated[
        list[str] | None, typer.Option(help="only what this scope allows; default: all you may do")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="how long it is valid; default: 30")
    ] = None,
    json: Json = False,
    url: Url = None,
    token_file: TokenFile = None,
) -> None:
    """Make a token. Its value, on standard output, is shown this once: only its hash is kept."""
    with connect(url, token_file) as api:
        body = {"name": name, "scopes": scope or None, "expires_days": days}
        created = api.post("/api/tokens", body)
    if json:
        show_json(created)
        return
    say(f"token {created['id']} ({name}); its value is shown this once:")
    show(created["value"])


@app.command()
def bootstrap() -> None:
    """The administrator's token of this host, for its own commands; prints the path of its file.

    It is made in the store that the settings (GATEPOST_ environment) name, where the one of the state folder
    does not work: for hosts whose auth server is started by something else than `up`.
    """
    settings = load_settings()
    state = StateFolder(settings.state_dir.absolute())
    state.prepare()
    show(str(asyncio.run(prepare_token(state, settings))))


@app.command("list")
def list_tokens(
    subject: Subject = None, json: Json = False, url: Url = None, token_file: TokenFile = None
) -> None:
    """Your tokens, or somebody's, without their values."""
    with connect(url, token_file) as api:
        items = api.items("/api/tokens", **_of(subject))
    if json:
        show_json(items)
        return
    show_table(
        ["id", "name", "scopes", "expires", "last use", "revoked"],
        [_row(item) for item in items],
        empty="no tokens yet",
    )


@app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="the id that `gatepost token list` shows")],
    subject: Subject = None,
    url: Url = None,
    token_file: TokenFile = None,
) -> None:
    """End a token; gateways refuse it within two seconds."""
    query = f"?subject={segment(subject)}" if subject else ""
    with connect(url, token_file) as api:
        api.delete(f"/api/tokens/{segment(token_id)}{query}")
    say(f"revoked {token_id}")


def _of(subject: str | None) -> dict[str, str]:
    return {"subject": subject} if subject else {}


def _row(token: dict[str, Any]) -> list[object]:
    scopes = "all" if token.get("scopes") is None else token["scopes"]
    return [
        token["id"],
        token["name"],
        scopes,
        *(token.get(name) for name in ("expires_at", "last_used_at", "revoked_at")),
    ]
