"""Options that every command of the REST client takes."""

from pathlib import Path
from typing import Annotated

import typer

Url = Annotated[
    str | None, typer.Option("--url", help="another gateway; default: the one that runs from here")
]
TokenFile = Annotated[Path | None, typer.Option("--token-file", help="a file with the token for --url")]
Json = Annotated[bool, typer.Option("--json", help="for programs")]
