"""Both columns of every requirement set: the fixture server directly, and the same behind Gatepost."""

from collections.abc import Iterator
from pathlib import Path

from app.cli.nginx import Nginx
from bench.conformance import suite
from bench.conformance.compare import Columns
from bench.conformance.injector import injecting
from bench.gateway.backends import running_sdk_server
from tests.e2e.stack import Stack, free_port

SLUG = "conformance"


def both(program: Path, nginx: Nginx, stack: Stack, folder: Path) -> Iterator[Columns]:
    """Run the suite, one revision after the other; the results stay in `folder`."""
    port = free_port()
    with running_sdk_server(port, "bench.conformance.fixture.server:app"):
        direct = f"http://127.0.0.1:{port}/mcp"
        stack.register(SLUG, direct)
        stack.scope(SLUG, SLUG)
        with injecting(nginx, folder / "injector", stack.url, stack.token(SLUG)) as origin:
            for revision in suite.REVISIONS:
                yield Columns(
                    revision,
                    suite.required(program, revision),
                    suite.run(program, revision, direct, folder / revision / "direct"),
                    suite.run(program, revision, f"{origin}/mcp/{SLUG}", folder / revision / "gateway"),
                )
