"""`gatepost audit …`."""

from datetime import datetime
from typing import Annotated, Any

import typer

from app.cli.api import connect
from app.cli.options import Json, TokenFile, Url
from app.cli.output import show_json, show_table
from app.core import logs
from app.core.settings import load_settings

PAGE = 1000
COLUMNS = ("subject", "server", "method", "tool", "decision", "rule", "status")
Exactly = Annotated[str | None, typer.Option(help="only of this one")]
Moment = Annotated[datetime | None, typer.Option(help="in local time, such as 2026-01-31T12:00:00")]
app = typer.Typer(help="The audit log.", no_args_is_help=True)


@app.command()
def ship() -> None:
    """Send the audit log of the NGINX on this machine to the registry, until ended; `up` runs it."""
    from app.cli.shipping import ship as run  # noqa: PLC0415  (only this command needs it)

    settings = load_settings()
    logs.configure(settings, "audit")
    run(settings)


@app.command("list")
def list_events(
    *,
    subject: Exactly = None,
    server: Exactly = None,
    method: Exactly = None,
    tool: Exactly = None,
    decision: Annotated[str | None, typer.Option(help="allow or deny")] = None,
    rule: Exactly = None,
    since: Moment = None,
    until: Moment = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="how many at most")] = 50,
    json: Json = False,
    url: Url = None,
    token_file: TokenFile = None,
) -> None:
    """The newest requests to MCP servers, allowed and refused; they arrive here within seconds."""
    asked = {
        "subject": subject,
        "server": server,
        "method": method,
        "tool": tool,
        "decision": decision,
        "rule": rule,
        "since": since.astimezone().isoformat() if since else None,
        "until": until.astimezone().isoformat() if until else None,
    }
    query = {name: value for name, value in asked.items() if value is not None}
    items: list[dict[str, Any]] = []
    with connect(url, token_file) as api:
        page = api.get("/api/audit", limit=min(limit, PAGE), **query)
        items += page["items"]
        while page["next_cursor"] and len(items) < limit:
            left = min(limit - len(items), PAGE)
            page = api.get("/api/audit", limit=left, cursor=page["next_cursor"], **query)
            items += page["items"]
    if json:
        show_json(items)
        return
    show_table(
        ["time", *COLUMNS],
        [[_local(item["time"]), *(item[name] for name in COLUMNS)] for item in items],
    )


def _local(time: str) -> str:
    return datetime.fromisoformat(time).astimezone().isoformat(sep=" ", timespec="seconds")
