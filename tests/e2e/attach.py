"""Servers of `tests.e2e.troubled` behind a gateway, each started once and reachable by a scope of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from tests.e2e import troubled
from tests.e2e.load import Target
from tests.e2e.stack import Stack

Attach = Callable[[str], Target]


@contextmanager
def attaching(stack: Stack) -> Iterator[Attach]:
    """A function from the kind of trouble to its target; the servers run until the block ends."""
    known: dict[str, Target] = {}
    with ExitStack() as running:

        def attach(kind: str) -> Target:
            if kind not in known:
                url = running.enter_context(troubled.running(kind))
                stack.register(kind, url)
                stack.scope(kind, kind)
                known[kind] = Target(stack, kind, stack.token(kind), url)
            return known[kind]

        yield attach
