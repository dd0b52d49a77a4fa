"""`gatepost agent identity …`: an agent's service account at a Keycloak."""

from typing import Annotated, Any

import typer

from app.cli.api import connect, segment
from app.cli.options import Json, TokenFile, Url
from app.cli.output import say, show, show_json

app = typer.Typer(help="An agent's service account at a Keycloak.", no_args_is_help=True)
Slug = Annotated[str, typer.Argument(help="the agent's slug")]


@app.command("set")
def set_identity(
    slug: Slug,
    provider: Annotated[str, typer.Option(help="the Keycloak's name, as `gatepost idp list` shows it")],
    *,
    group: Annotated[list[str] | None, typer.Option(help="the path of a group there, such as /fin")] = None,
    json: Json = False,
    url: Url = None,
    token_file: TokenFile = None,
) -> None:
    """Make the account, or change its groups. A new one's secret, on standard output, is shown this once."""
    with connect(url, token_file) as api:
        _shown(api.put(_path(slug), {"provider": provider, "groups": group or []}), json)


@app.command("show")
def show_identity(slug: Slug, json: Json = False, url: Url = None, token_file: TokenFile = None) -> None:
    """The account as it is at the provider."""
    with connect(url, token_file) as api:
        _shown(api.get(_path(slug)), json)


@app.command()
def secret(slug: Slug, json: Json = False, url: Url = None, token_file: TokenFile = None) -> None:
    """Give the account a new secret, on standard output; the old one ends at once."""
    with connect(url, token_file) as api:
        _shown(api.post(f"{_path(slug)}/secret"), json)


@app.command()
def rm(slug: Slug, url: Url = None, token_file: TokenFile = None) -> None:
    """Take the account away, at the provider too."""
    with connect(url, token_file) as api:
        api.delete(_path(slug))
    say(f"removed the identity of {slug}")


def _path(slug: str) -> str:
    return f"/api/agents/{segment(slug)}/identity"


def _shown(identity: dict[str, Any], json: bool) -> None:
    if json:
        show_json(identity)
        return
    groups = identity.get("groups")
    named = "" if groups is None else f", in {', '.join(groups) or 'no group'}"
    say(f"{identity['client_id']} at {identity['provider']} ({identity['issuer']}){named}")
    if identity.get("client_secret"):
        say("its secret is shown this once:")
        show(identity["client_secret"])
