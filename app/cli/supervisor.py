"""Starts the processes, keeps them running, knows when the gateway answers, ends them together."""

import asyncio
import os
import resource
import signal
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx2

from app.cli.plan import Plan, local_url, metrics_url
from app.cli.process import Child, LogFile
from app.cli.readable import follow, readable
from app.cli.runfile import Run, RunningProcess
from app.cli.state import StateFolder

START_SECONDS = 60.0
START_ATTEMPTS = 3
POLL_SECONDS = 0.05
PORT_TAKEN = "address already in use"


class StartError(Exception):
    """The gateway never answered; `port_taken` where another program took a port that was free before."""

    def __init__(self, message: str, *, port_taken: bool = False) -> None:
        super().__init__(message)
        self.port_taken = port_taken


class Supervisor:
    """One run of all processes. `echo` gets each line: the process's name and the text."""

    def __init__(self, plan: Plan, state: StateFolder, echo: Callable[[str, str], None]) -> None:
        self._plan = plan
        self._state = state
        self._echo = echo
        self._logs = {
            name: LogFile(state.logs / f"{name}.log")
            for name in ("gatepost", *(c.name for c in plan.commands))
        }
        self._children = [Child(command, self._line, self._save) for command in plan.commands]
        self._run = Run(
            supervisor=RunningProcess.of(os.getpid()),
            url=plan.settings.public_url.rstrip("/"),
            metrics=metrics_url(plan.settings),
            username=plan.settings.admin_username,
        )
        self._stopping = asyncio.Event()

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Returns after SIGTERM or SIGINT, with everything ended. Raises StartError."""
        _allow_many_connections()
        loop = asyncio.get_running_loop()
        for request in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(request, self._stopping.set)
        tasks = [asyncio.create_task(child.run()) for child in self._children]
        errors = asyncio.create_task(self._gateway_errors())
        try:
            self._run.save(self._state)
            if await self._wait_until_ready():
                self._run.ready = True
                self._run.save(self._state)
                on_ready()
                await self._stopping.wait()
            self._line("gatepost", "going down")
        except StartError as failure:
            self._run.failure = str(failure)
            self._save()
            raise
        finally:
            for child, task in zip(reversed(self._children), reversed(tasks), strict=True):
                child.stop()
                await asyncio.wait([task])
            errors.cancel()
            if self._run.failure is None:
                self._state.run_file.unlink(missing_ok=True)

    async def _wait_until_ready(self) -> bool:
        """False where it is asked to end first."""
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        said = "no answer"
        url = local_url(self._plan.settings)
        headers = {"Host": urlsplit(self._plan.settings.public_url).netloc}
        # The certificate is for the public name; this request carries nothing worth protecting.
        async with httpx2.AsyncClient(base_url=url, headers=headers, verify=False, trust_env=False) as client:
            while not self._stopping.is_set():
                try:
                    answer = await client.get("/readyz", timeout=5)
                    if answer.status_code == 200:
                        return True
                    said = f"status {answer.status_code}"
                except httpx2.HTTPError as error:
                    said = str(error) or type(error).__name__
                self._require_alive()
                if asyncio.get_running_loop().time() > deadline:
                    raise StartError(f"{url}/readyz does not say ready after {START_SECONDS:g} s: {said}")
                await asyncio.sleep(POLL_SECONDS)
        return False

    def _require_alive(self) -> None:
        for child in self._children:
            if child.restarts >= START_ATTEMPTS:
                name = child.command.name
                last = "\n".join(readable(name, line) for line in child.recent)
                raise StartError(
                    f"{name} {child.ended} at each of {START_ATTEMPTS} starts. Its last lines:\n{last}",
                    port_taken=PORT_TAKEN in last.lower(),
                )

    async def _gateway_errors(self) -> None:
        """What NGINX writes to its own error log joins the other lines."""
        async for line in follow(self._state.nginx / "logs" / "error.log"):
            self._line("gateway", line)

    def _line(self, process: str, line: str) -> None:
        self._logs[process].write(line)
        self._echo(process, line)

    def _save(self) -> None:
        """A process between two starts stays listed: it is found not to be alive.

        A full disk must not keep a process from being watched: the file is written at the next change.
        """
        for child in self._children:
            name, pid = child.command.name, child.pid
            if pid is not None and (name not in self._run.processes or self._run.processes[name].pid != pid):
                self._run.processes[name] = RunningProcess.of(pid, child.restarts)
        try:
            self._run.save(self._state)
        except OSError as error:
            self._line("gatepost", f"{self._state.run_file} cannot be written: {error.strerror}")


def _allow_many_connections() -> None:
    """Children inherit the limit: NGINX needs a file for each stream, and many systems start with 1024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
