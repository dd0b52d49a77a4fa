"""`export` and `import`: all that a store holds, from one to another."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from app.cli.output import CliError, show, show_table
from app.cli.runfile import Run
from app.cli.state import StateFolder
from app.core.sealing import Sealer
from app.core.settings import PREFIX, Settings, load_settings
from app.core.store import Store, open_store
from app.core.transfer import TransferError, export_store, import_store
from app.core.transfer.archive import Totals
from app.core.transfer.exporting import Progress as Report

File = Annotated[Path, typer.Argument(help="the file; it holds hashes of tokens and sealed secrets")]
Work = Callable[[Store, Report], Awaitable[Totals]]


def export_command(file: File) -> None:
    """Write all that the store of these settings holds to a new file."""
    settings = load_settings()
    if settings.mongodb_uri is None and not (settings.state_dir / "gatepost.db").exists():
        raise CliError(
            f"there is no store in {settings.state_dir}; run this where `gatepost up` was run, "
            "or name the store with GATEPOST_STATE_DIR or GATEPOST_MONGODB_URI"
        )
    _run(settings, lambda store, progress: export_store(store, file, progress))
    show(str(file))


def import_command(file: File) -> None:
    """Fill the empty store of these settings from such a file, then compare."""
    state = StateFolder.find(os.environ)
    if Run.current(state):
        raise CliError(f"Gatepost runs from {state.path}; stop it first: gatepost down")
    settings = load_settings({**_sealing_keys(state), **os.environ})
    sealer = Sealer.from_settings(settings)
    _run(settings, lambda store, progress: import_store(store, sealer, file, progress))


def _sealing_keys(state: StateFolder) -> dict[str, str]:
    """Those that `up` made here, as `up` itself gives them."""
    given = {f"{PREFIX}SEALING_KEYS", f"{PREFIX}SEALING_KEYS_FILE"} & os.environ.keys()
    file = state.secret("sealing_keys")
    return {f"{PREFIX}SEALING_KEYS_FILE": str(file)} if file.exists() and not given else {}


def _run(settings: Settings, work: Work) -> None:
    async def run() -> Totals:
        store = await open_store(settings)
        try:
            with _progress() as progress:
                return await work(store, progress)
        finally:
            await store.close()

    try:
        totals = asyncio.run(run())
    except TransferError as error:
        raise CliError(str(error)) from None
    show_table(["collection", "documents"], [(name, total["count"]) for name, total in totals.items()])


@contextmanager
def _progress() -> Iterator[Report]:
    """A bar, on a terminal alone."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task("", total=None)

        def report(collection: str, more: int, total: int | None) -> None:
            shown.update(task, description=collection, advance=more, total=total)

        yield report


def add_to(app: typer.Typer) -> None:
    """Put them beside the other commands."""
    app.command("export")(export_command)
    app.command("import")(import_command)
