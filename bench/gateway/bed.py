"""The parts of a run, started and stopped together: backends, plain proxying, and a whole Gatepost."""

import http.client
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from app.cli.nginx import find
from bench.gateway import backends, calls
from bench.gateway.calls import Content, Credential, Era
from bench.gateway.load import Target, WrongAnswerError, only_child
from bench.gateway.seed import seed
from tests.e2e.faults.processes import Paused
from tests.e2e.stack import Stack, free_port

SERVERS = TOKENS = 400
SDK_SLUG = "sdk"


@dataclass
class Bed:
    """What runs. `tokens` and `slugs` are those of the static backend's servers."""

    folder: Path
    stack: Stack
    gateway_worker: int
    plain_url: str
    plain_worker: int
    sdk_url: str
    sdk_worker: int
    tokens: list[str]
    slugs: list[str]

    def targets(self, era: Era, content: Content, callers: Sequence[Credential]) -> tuple[Target, Target]:
        """Plain proxying and the gateway, with the same calls in the same order."""
        return (
            self._target("plain", self.plain_url, era, content, callers, self.plain_worker),
            self._target("gateway", self.stack.url, era, content, callers, self.gateway_worker),
        )

    def sdk_targets(self) -> tuple[Target, Target]:
        """The SDK's server called directly and through the gateway; the CPU time is that server's in both."""
        caller = [Credential(SDK_SLUG, self.tokens[0])]
        direct = calls.request(
            self.sdk_url, Era.MODERN, calls.body(Era.MODERN, Content.SMALL), self.tokens[0]
        )
        return (
            Target(
                "direct",
                self.sdk_url,
                calls.write(self.folder / "direct.requests", [direct]),
                self.sdk_worker,
            ),
            self._target("gateway", self.stack.url, Era.MODERN, Content.SMALL, caller, self.sdk_worker),
        )

    def _target(
        self, name: str, url: str, era: Era, content: Content, callers: Sequence[Credential], worker: int
    ) -> Target:
        body = calls.body(era, content)
        requests = [calls.request(f"{url}/mcp/{one.slug}", era, body, one.token) for one in callers]
        return Target(name, url, calls.write(self.folder / f"{name}.requests", requests), worker)

    def warm(self, callers: Sequence[Credential]) -> None:
        """One call of each caller through the gateway, its answer read whole. Raises WrongAnswerError."""
        content = calls.body(Era.LEGACY, Content.SMALL)
        connection = http.client.HTTPConnection(urlsplit(self.stack.url).netloc, timeout=20)
        for caller in callers:
            headers = {
                "Authorization": f"Bearer {caller.token}",
                "Content-Type": "application/json",
                "Accept": "application/json, text/event-stream",
            }
            connection.request("POST", f"/mcp/{caller.slug}", content, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200 or "content" not in json.loads(text).get("result", {}):
                raise WrongAnswerError(f"/mcp/{caller.slug} answered {answer.status}: {text[:300]!r}")
        connection.close()

    def check_audit(self, calls_made: int, cut_off: int) -> None:
        """Every call must have its line, and no other call one; `cut_off` may have ended with the load's end.

        The file is emptied, for the next figure. Raises WrongAnswerError.
        """
        file = self.stack.file("logs", "audit.jsonl")
        with file.open("rb") as lines:
            answered = total = 0
            for line in lines:
                total += 1
                answered += b'"decision":"allow"' in line and b'"status":200,' in line
        if not calls_made <= answered <= total <= calls_made + cut_off:
            raise WrongAnswerError(
                f"{file} has {total} lines, {answered} of calls that were answered, after {calls_made} calls"
            )
        file.write_bytes(b"")


@contextmanager
def running() -> Iterator[Bed]:
    """Everything that is measured, in a temporary folder, as long as the block runs."""
    nginx = find()
    assert nginx, "no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core"
    with ExitStack() as parts:
        folder = Path(tempfile.mkdtemp(prefix="gatepost-bench-"))
        parts.callback(shutil.rmtree, folder, ignore_errors=True)
        static, plain, sdk = free_port(), free_port(), free_port()
        parts.enter_context(
            backends.running_nginx(nginx, folder / "static", backends.static_backend(static), static)
        )
        plain_pid = parts.enter_context(
            backends.running_nginx(nginx, folder / "plain", backends.plain_proxy(plain, static), plain)
        )
        sdk_pid = parts.enter_context(backends.running_sdk_server(sdk))
        slugs = [f"static-{number}" for number in range(SERVERS)]
        servers = {slug: f"http://127.0.0.1:{static}/mcp/{slug}" for slug in slugs}
        sdk_url = f"http://127.0.0.1:{sdk}/mcp"
        (folder / "gatepost").mkdir()
        tokens = seed(folder / "gatepost" / ".gatepost", {**servers, SDK_SLUG: sdk_url}, TOKENS)
        stack = Stack.start(folder / "gatepost")
        parts.callback(stack.stop)
        # It would send on the lines of each round in the next, on the cores that are measured.
        parts.enter_context(Paused(stack.pid("audit")))
        yield Bed(
            folder=folder,
            stack=stack,
            gateway_worker=only_child(stack.pid("gateway")),
            plain_url=f"http://127.0.0.1:{plain}",
            plain_worker=only_child(plain_pid),
            sdk_url=sdk_url,
            sdk_worker=sdk_pid,
            tokens=tokens,
            slugs=slugs,
        )
