"""`up` in the foreground or detached, and `down`."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable

from app.cli.accounts import PASSWORD, prepare_accounts
from app.cli.nginx import find_or_install, warn_of_proxy
from app.cli.output import CliError, say, show
from app.cli.plan import environment, make_plan
from app.cli.ports import require_free
from app.cli.process import end_group, group_exists
from app.cli.readable import readable
from app.cli.runfile import Run, locked, start_time
from app.cli.state import StateFolder
from app.cli.supervisor import StartError, Supervisor
from app.core.settings import load_settings

Start = Callable[[Callable[[str, str], None], Callable[[], None]], None]
DOWN_SECONDS = 40.0
LEFTOVERS_S = 10.0
POLL_SECONDS = 0.05


def up(*, detach: bool) -> None:
    """Start everything, or say what runs already. Raises CliError, SettingsError and StoreError."""
    given = load_settings(os.environ)
    state = StateFolder.find(os.environ)
    state.prepare()
    with locked(state) as mine:
        if not mine:
            _say_what_runs(state)
            return
        was_killed = state.run_file.exists()
        end_leftovers(state)
        state.run_file.unlink(missing_ok=True)
        # What was ended just now holds its port for a moment yet.
        patience_s = LEFTOVERS_S if was_killed else 0.0
        require_free(given.gateway_host, given.gateway_port, patience_s)
        nginx = find_or_install()
        state.make_keys()
        asyncio.run(prepare_accounts(state, load_settings(environment(state, os.environ)), os.environ))

        plan = make_plan(state, os.environ, nginx)
        warn_of_proxy(plan.settings)

        def start(echo: Callable[[str, str], None], on_ready: Callable[[], None]) -> None:
            try:
                asyncio.run(Supervisor(plan, state, echo).run(on_ready))
            except StartError as failure:
                if not failure.port_taken:
                    raise CliError(str(failure)) from failure
                asyncio.run(Supervisor(make_plan(state, os.environ, nginx), state, echo).run(on_ready))

        if detach:
            _detached(state, start)
        else:
            say("starting auth, registry, gateway and the audit log's shipper; Ctrl-C ends them")
            start(lambda process, line: show(readable(process, line)), lambda: announce(state))


def _detached(state: StateFolder, start: Start) -> None:
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _become_daemon(state)
        start(lambda _process, _line: None, lambda: None)
        sys.exit(0)
    while not ((run := Run.load(state)) and run.ready):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            run = Run.load(state)
            reason = run.failure if run and run.failure else f"see {state.logs / 'gatepost.log'}"
            raise CliError(f"could not start (code {os.waitstatus_to_exitcode(status)}): {reason}")
        time.sleep(POLL_SECONDS)
    announce(state)


def _become_daemon(state: StateFolder) -> None:
    """Leave the terminal; what would be said there goes to the supervisor's log."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    log = os.open(state.logs / "gatepost.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream, target in ((0, null), (1, null), (2, log)):
        os.dup2(target, stream)


def announce(state: StateFolder) -> None:
    """What a user needs next. A generated password is shown on a terminal once; then only its hash exists."""
    run = Run.load(state)
    if run is None:
        return
    password = state.read_secret(PASSWORD)
    hint = ""
    if password and sys.stdout.isatty():
        hint = f", password {password} (shown this once)"
        state.secret(PASSWORD).unlink()
    elif password:
        hint = f", password in {state.secret(PASSWORD)}"
    show(f"""
Gatepost is up.

  address   {run.url}
  login     {run.url}/login  (user {run.username}{hint})
  MCP URL   {run.url}/mcp/registry

An MCP client that logs in by OAuth needs the MCP URL alone; any other, `gatepost token create laptop`, and
  {{"mcpServers": {{"gatepost": {{"type": "http", "url": "{run.url}/mcp/registry",
    "headers": {{"Authorization": "Bearer <token>"}}}}}}}}
""")


def _say_what_runs(state: StateFolder) -> None:
    run = Run.current(state)
    if run is None or not run.ready:
        show(f"Gatepost is being started from {state.path} by another command; see gatepost status")
        return
    show(f"Gatepost runs already at {run.url} (state folder {state.path}, supervisor {run.supervisor.pid}):")
    for name, process in run.processes.items():
        show(f"  {name:<8}  pid {process.pid}")


def down(state: StateFolder) -> None:
    """End what runs from this state folder and wait until it has ended. Raises CliError where it does not."""
    run = Run.current(state)
    if run is None:
        if state.path.exists():
            end_leftovers(state)
        show(f"nothing runs from {state.path}")
        return
    os.kill(run.supervisor.pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS
    while run.supervisor.is_alive():
        if time.monotonic() > deadline:
            raise CliError(
                f"process {run.supervisor.pid} did not end in {DOWN_SECONDS:g} s; see gatepost logs gatepost"
            )
        time.sleep(POLL_SECONDS)
    show("Gatepost is down")


def end_leftovers(state: StateFolder) -> None:
    """End processes of an earlier run whose supervisor was killed; they would keep the gateway's port."""
    run = Run.load(state)
    for name, process in run.processes.items() if run and not run.supervisor.is_alive() else ():
        left_alone = start_time(process.pid) is None and group_exists(process.pid)
        if not (process.is_alive() or left_alone):
            continue
        say(f"ending {name} (pid {process.pid}), left behind by an earlier run")
        end_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + 5
        while process.is_alive() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        end_group(process.pid, signal.SIGKILL)
