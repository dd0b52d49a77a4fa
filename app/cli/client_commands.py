"""`gatepost client …`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.api import connect, segment
from app.cli.documents import read_document
from app.cli.options import Json, TokenFile, Url
from app.cli.output import CliError, say, show, show_json, show_table

app = typer.Typer(help="OAuth clients: programs that people log in with, or that act for themselves.")
SecretFile = Annotated[
    Path | None, typer.Option("--secret-file", help="write the secret there, for its owner alone")
]


@app.command()
def add(
    source: Annotated[
        str, typer.Argument(help="a client's JSON file (- for stdin); or, with options, its name")
    ],
    *,
    client_id: Annotated[str | None, typer.Option("--id", help="default: one is made")] = None,
    redirect: Annotated[
        list[str] | None, typer.Option(help="a redirect URI; people log in with the client")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="a group; the client acts for itself, with what that group may")
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="without a secret, for programs of users")] = False,
    secret_file: SecretFile = None,
    json: Json = False,
    url: Url = None,
    token_file: TokenFile = None,
) -> None:
    """Register a client. Its secret, on standard output or in a file, is shown this once."""
    short = _short_form(source, client_id, redirect, group, public=public)
    document = short if redirect or group else read_document(source)
    with connect(url, token_file) as api:
        created = api.post("/api/clients", document)
    secret = created.get("client_secret")
    if secret and secret_file:
        _keep(secret_file, created.pop("client_secret"))
    if json:
        show_json(created)
        return
    say(f"client {created['client_id']} ({created['name']})")
    if secret and not secret_file:
        say("its secret is shown this once:")
        show(secret)


@app.command("list")
def list_clients(json: Json = False, url: Url = None, token_file: TokenFile = None) -> None:
    """Registered clients, those that registered themselves too."""
    with connect(url, token_file) as api:
        items = api.items("/api/clients")
    if json:
        show_json(items)
        return
    columns = ["client_id", "name", "kind", "auth_method", "groups", "used_at"]
    rows = [[item.get(column) for column in columns] for item in items]
    show_table(
        ["id", "name", "kind", "authenticates by", "groups", "last token"], rows, empty="no clients yet"
    )


@app.command("show")
def show_client(client_id: str, url: Url = None, token_file: TokenFile = None) -> None:
    """One client, as JSON."""
    with connect(url, token_file) as api:
        show_json(api.get(f"/api/clients/{segment(client_id)}"))


@app.command("rm")
def remove(client_id: str, url: Url = None, token_file: TokenFile = None) -> None:
    """Take a client away; its tokens, and what people gave to it, end within two seconds."""
    with connect(url, token_file) as api:
        api.delete(f"/api/clients/{segment(client_id)}")
    say(f"removed {client_id}")


@app.command()
def secret(
    client_id: str, secret_file: SecretFile = None, url: Url = None, token_file: TokenFile = None
) -> None:
    """Make a new secret, shown this once; the one before ends at once."""
    with connect(url, token_file) as api:
        made = api.post(f"/api/clients/{segment(client_id)}/secret")["client_secret"]
    if secret_file:
        _keep(secret_file, made)
    else:
        show(made)


def _short_form(
    name: str, client_id: str | None, redirect: list[str] | None, group: list[str] | None, *, public: bool
) -> dict[str, Any]:
    grants = [
        *(["authorization_code", "refresh_token"] if redirect else []),
        *(["client_credentials"] if group else []),
    ]
    return {
        "name": name,
        "grant_types": grants,
        "redirect_uris": redirect or [],
        "groups": group or [],
        "auth_method": "none" if public else "client_secret_basic",
        **({"client_id": client_id} if client_id else {}),
    }


def _keep(file: Path, value: str) -> None:
    try:
        file.touch(mode=0o600)
        file.chmod(0o600)
        file.write_text(value + "\n")
    except OSError as error:
        reason = error.strerror or str(error)
        raise CliError(
            f"{file} cannot be written: {reason}; the secret is lost, make another: gatepost client secret"
        ) from error
    say(f"the secret is in {file}")
