"""`gatepost`: the command line."""

import sys

import typer

from app.cli import lifecycle_commands, nginx_commands
from app.cli.output import CliError, say
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
app.add_typer(nginx_commands.app, name="nginx")


def main() -> None:
    """Run one command; what the user can mend is one message on standard error and exit code 1."""
    try:
        app(prog_name="gatepost")
    except (CliError, SettingsError, StoreError) as error:
        say(f"gatepost: {error}")
        sys.exit(1)
