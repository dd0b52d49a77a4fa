"""`gatepost group …`."""

from typing import Annotated

import typer

from app.cli.api import connect, segment
from app.cli.options import Json, TokenFile, Url
from app.cli.output import say, show_json, show_table

app = typer.Typer(help="What groups of identity providers count as.", no_args_is_help=True)
Provider = Annotated[str, typer.Argument(help="the identity provider's name, as in the settings")]
Group = Annotated[str, typer.Argument(help="the group, as the provider names it")]


@app.command("map")
def map_group(
    provider: Provider,
    group: Group,
    ours: Annotated[
        list[str] | None, typer.Argument(help="groups that scopes name; none takes the group away")
    ] = None,
    url: Url = None,
    token_file: TokenFile = None,
) -> None:
    """Let a group of a provider count as groups of ours, and no longer by its own name."""
    with connect(url, token_file) as api:
        saved = api.put(_path(provider, group), {"groups": ours or []})
    for warning in saved["warnings"]:
        say(f"warning: {warning}")
    say(f"{group} of {provider} counts as {', '.join(saved['groups']) or 'nothing'}")


@app.command("list")
def list_mappings(json: Json = False, url: Url = None, token_file: TokenFile = None) -> None:
    """All mappings; a group without one keeps its name."""
    with connect(url, token_file) as api:
        items = api.items("/api/group-mappings")
    if json:
        show_json(items)
        return
    rows = [[item["provider"], item["group"], item["groups"]] for item in items]
    show_table(["provider", "group", "counts as"], rows, empty="no mappings: groups keep their names")


@app.command()
def unmap(provider: Provider, group: Group, url: Url = None, token_file: TokenFile = None) -> None:
    """Let a group keep its own name again."""
    with connect(url, token_file) as api:
        api.delete(_path(provider, group))
    say(f"{group} of {provider} keeps its name")


def _path(provider: str, group: str) -> str:
    return f"/api/group-mappings/{segment(provider)}?group={segment(group)}"
