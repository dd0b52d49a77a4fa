"""What the command line says: results on standard output, everything about them on standard error."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


class CliError(Exception):
    """Something the user can mend: the message names the thing, the reason and the fix. Exit code 1."""


def say(line: str = "") -> None:
    """A line for people, on standard error, so that standard output stays the result alone."""
    print(line, file=sys.stderr, flush=True)


def show(line: str = "") -> None:
    """A line of the result, on standard output."""
    print(line, flush=True)


def show_json(value: Any) -> None:
    """A result for programs: JSON on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str), flush=True)


def show_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "nothing yet"
) -> None:
    """A table for people; words are never cut off in a pipe, only wrapped on a terminal."""
    rows = [list(row) for row in rows]
    if not rows:
        say(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    console = Console() if sys.stdout.isatty() else Console(width=_width(columns, rows), no_color=True)
    console.print(table)


def show_fields(fields: Mapping[str, object]) -> None:
    """One thing for people: a name and a value a line."""
    width = max(map(len, fields), default=0)
    for name, value in fields.items():
        show(f"{name:<{width}}  {_cell(value)}")


def _cell(value: object) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return str(value)


def _width(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> int:
    widths = [max(len(_cell(cell)) for cell in column) for column in zip(columns, *rows, strict=True)]
    return sum(widths) + 2 * len(widths) + 1
