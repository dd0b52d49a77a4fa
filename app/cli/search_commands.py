"""`search`, `settings` and `version`."""

import os
from typing import Annotated

import typer

from app import __version__
from app.cli.api import connect
from app.cli.options import Json, TokenFile, Url
from app.cli.output import say, show, show_json, show_table
from app.core.settings_table import settings_table


def search(
    query: Annotated[str, typer.Argument(help="what is looked for, in plain words")],
    limit: Annotated[int, typer.Option(min=1, max=100)] = 10,
    json: Json = False,
    url: Url = None,
    token_file: TokenFile = None,
) -> None:
    """Find servers and tools by words."""
    with connect(url, token_file) as api:
        answer = api.get("/api/search", q=query, limit=limit)
    if json:
        show_json(answer)
        return
    show_table(
        ["score", "kind", "server", "name", "description"],
        [
            [f"{hit['score']:.2f}", hit["kind"], hit["server"], hit["name"], hit["description"]]
            for hit in answer["results"]
        ],
        empty="nothing fits",
    )
    say(f"mode: {answer['mode']}")


def settings(json: Json = False) -> None:
    """Every setting: its variable, its default, where its value comes from now."""
    rows = settings_table(os.environ)
    if json:
        show_json([vars(row) for row in rows])
        return
    show_table(
        ["variable", "default", "set by", "meaning"],
        [
            [
                f"{row.variable}[_FILE]" if row.secret else row.variable,
                row.default,
                row.origin,
                row.description,
            ]
            for row in rows
        ],
    )


def version() -> None:
    """The version of this command."""
    show(__version__)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (search, settings, version):
        app.command()(command)
