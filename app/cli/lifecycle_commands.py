"""`up`, `down`, `status` and `logs`."""

import asyncio
import os
import time
from pathlib import Path
from typing import Annotated

import typer

from app.cli import lifecycle
from app.cli.output import CliError, show, show_json, show_table
from app.cli.readable import follow, last_lines, readable
from app.cli.runfile import Run
from app.cli.state import StateFolder

NOT_RUNNING = 3
LINES = 200


def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="return when it is ready")] = False,
) -> None:
    """Start auth, registry and gateway; in the foreground, with their logs, unless detached."""
    lifecycle.up(detach=detach)


def down() -> None:
    """End what `up` started from this folder."""
    lifecycle.down(StateFolder.find(os.environ))


def status(json: Annotated[bool, typer.Option("--json", help="for programs")] = False) -> None:
    """What runs from this folder; exit code 3 where nothing does."""
    state = StateFolder.find(os.environ)
    run = Run.current(state)
    if run is None:
        if json:
            show_json({"running": False, "processes": {}})
        else:
            show(f"nothing runs from {state.path}")
        raise typer.Exit(NOT_RUNNING)
    if json:
        processes = {
            name: {**process.model_dump(), "alive": process.is_alive()}
            for name, process in run.processes.items()
        }
        show_json(
            {
                "running": True,
                "ready": run.ready,
                "url": run.url,
                "metrics": run.metrics,
                "pid": run.supervisor.pid,
                "processes": processes,
            }
        )
        return
    show(f"{run.url}  {'ready' if run.ready else 'starting'}  (supervisor {run.supervisor.pid})")
    show(f"metrics at {run.metrics}\n")
    show_table(
        ["process", "pid", "state", "for", "restarts"],
        [
            [
                name,
                process.pid,
                "up" if process.is_alive() else "down",
                _since(process.since),
                process.restarts,
            ]
            for name, process in run.processes.items()
        ],
    )


def logs(
    process: Annotated[
        str | None, typer.Argument(help="auth, registry, gateway, audit or gatepost; default: all")
    ] = None,
    follow_them: Annotated[bool, typer.Option("--follow", "-f", help="go on with new lines")] = False,
) -> None:
    """The processes' last log lines."""
    folder = StateFolder.find(os.environ).logs
    names = sorted(path.stem for path in folder.glob("*.log")) if folder.is_dir() else []
    if process is not None and process not in names:
        raise CliError(
            f"there is no log of {process!r} in {folder}; there is: {', '.join(names) or 'none yet'}"
        )
    chosen = [process] if process else names
    for name in chosen:
        for line in last_lines(folder / f"{name}.log", LINES):
            show(readable(name, line))
    if follow_them:
        asyncio.run(_follow([(name, folder / f"{name}.log") for name in chosen]))


async def _follow(files: list[tuple[str, Path]]) -> None:
    async def one(name: str, path: Path) -> None:
        async for line in follow(path):
            show(readable(name, line))

    await asyncio.gather(*(one(name, path) for name, path in files))


def _since(moment: float) -> str:
    seconds = int(time.time() - moment)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (up, down, status, logs):
        app.command()(command)
