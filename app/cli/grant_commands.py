"""`gatepost grant …`."""

from typing import Annotated

import typer

from app.cli.api import connect, segment
from app.cli.options import Json, TokenFile, Url
from app.cli.output import say, show_json, show_table

app = typer.Typer(help="What OAuth clients were given by people.", no_args_is_help=True)

Subject = Annotated[
    str | None, typer.Option(help="whose, e.g. local:admin; default: yours. Another's needs grants:write")
]


@app.command("list")
def list_grants(
    subject: Subject = None, json: Json = False, url: Url = None, token_file: TokenFile = None
) -> None:
    """Which clients hold what of yours, or of somebody."""
    with connect(url, token_file) as api:
        items = api.items("/api/grants", **({"subject": subject} if subject else {}))
    if json:
        show_json(items)
        return
    rows = [
        [
            item["id"],
            item["client_name"],
            item["resource"],
            "all" if item["scopes"] is None else item["scopes"],
            item["used_at"],
        ]
        for item in items
    ]
    show_table(["id", "client", "for", "scopes", "last token"], rows, empty="no client holds anything")


@app.command()
def revoke(
    grant_id: Annotated[str, typer.Argument(metavar="ID", help="the id that `gatepost grant list` shows")],
    subject: Subject = None,
    url: Url = None,
    token_file: TokenFile = None,
) -> None:
    """End what a client holds; it has to ask the person again."""
    query = f"?subject={segment(subject)}" if subject else ""
    with connect(url, token_file) as api:
        api.delete(f"/api/grants/{segment(grant_id)}{query}")
    say(f"revoked {grant_id}")
