"""What the command line says: results on standard output, everything about them on standard error."""

import json
import sys
from collections.abc import Iterable, Sequence
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
    """A table for people: folded to the width of a terminal, one line a row in a pipe."""
    cells = [[_cell(value) for value in row] for row in rows]
    if not cells:
        say(empty)
    elif sys.stdout.isatty():
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in cells:
            table.add_row(*map(Text, row))
        Console().print(table)
    else:
        widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
        for row in [list(columns), *cells]:
            show("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return str(value)
