"""`gatepost`: the command line."""

import sys

import typer

from app.cli import (
    agent_commands,
    audit_commands,
    client_commands,
    doctor_commands,
    grant_commands,
    group_commands,
    idp_commands,
    lifecycle_commands,
    nginx_commands,
    scope_commands,
    search_commands,
    server_commands,
    token_commands,
    transfer_commands,
)
from app.cli.output import CliError, say
from app.core.sealing import SealError
from app.core.settings import SettingsError
from app.core.store import StoreError

app = typer.Typer(
    name="gatepost",
    help="An MCP gateway and registry: run it here, or administer one.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
lifecycle_commands.add_to(app)
app.add_typer(server_commands.app, name="server")
app.add_typer(agent_commands.app, name="agent")
app.add_typer(scope_commands.app, name="scope")
app.add_typer(group_commands.app, name="group")
app.add_typer(token_commands.app, name="token")
app.add_typer(idp_commands.app, name="idp")
app.add_typer(client_commands.app, name="client")
app.add_typer(grant_commands.app, name="grant")
app.add_typer(audit_commands.app, name="audit")
search_commands.add_to(app)
doctor_commands.add_to(app)
transfer_commands.add_to(app)
app.add_typer(nginx_commands.app, name="nginx")


@app.command()
def demo() -> None:
    """See it work: a small MCP server, a scope for one of its tools, calls through the gateway."""
    from app.cli.demo import run  # noqa: PLC0415  (the MCP SDK takes a second to load)

    run()


def main() -> None:
    """Run one command; what the user can mend is one message on standard error and exit code 1."""
    try:
        app(prog_name="gatepost")
    except (CliError, SealError, SettingsError, StoreError) as error:
        say(f"gatepost: {error}")
        sys.exit(1)
