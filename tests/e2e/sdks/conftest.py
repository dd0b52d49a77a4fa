import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.sdks.programs import running, skip_unless_installed
from tests.e2e.stack import Stack

TOOLS = ["add", "fail", "ticks", "interrupted", "ask"]
Attach = Callable[[str], str]


@pytest.fixture(scope="session")
def attach(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attach]:
    """Starts the server of that name behind the gateway, once; gives its slug."""
    logs = tmp_path_factory.mktemp("sdks")
    with contextlib.ExitStack() as servers:
        attached: dict[str, str] = {}

        def attach(name: str) -> str:
            skip_unless_installed(name)
            if name not in attached:
                attached[name] = slug = f"sdk-{name}"
                stack.register(slug, servers.enter_context(running(name, logs / f"{name}.log")))
                stack.scope(slug, slug, tools=TOOLS)
            return attached[name]

        yield attach
