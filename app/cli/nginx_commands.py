from pathlib import Path
from typing import Annotated

import typer

from app.cli.nginx import check, find_or_install, render, warn_of_proxy
from app.cli.output import say, show
from app.core.settings import load_settings

app = typer.Typer(help="NGINX's configuration.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """NGINX's configuration."""


@app.command("render")
def render_command(
    prefix: Annotated[
        Path, typer.Option(help="the folder for NGINX's configuration, logs and temporary files")
    ],
) -> None:
    """Make nginx.conf from the settings (GATEPOST_ environment), check it with `nginx -t`, print its path."""
    nginx = find_or_install()
    settings = load_settings()
    warn_of_proxy(settings)
    configuration = render(settings, nginx, prefix)
    say(check(nginx, prefix.absolute(), configuration))
    show(str(configuration))
