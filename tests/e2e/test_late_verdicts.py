"""A verdict that was asked for before a change and comes after it: it counts no longer than any other."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx2
import pytest

from tests.e2e.beside import second_gateway, settings_of
from tests.e2e.late import LateAuth, late_auth
from tests.e2e.recorder import Recorder
from tests.e2e.revoking import granted
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
FORCE_S, POLL_S = 2.0, 0.5
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": {}}}


@dataclass
class Beside:
    """A gateway that hears late from auth, at `url`."""

    stack: Stack
    url: str
    late: LateAuth

    def call(self, slug: str, **headers: str) -> str:
        """ "ran", or the rule that refused."""
        sent = {"Accept": "application/json, text/event-stream", **headers}
        answer = httpx2.post(f"{self.url}/mcp/{slug}", json=CALL, headers=sent, timeout=20).json()
        return "ran" if "result" in answer else str(answer["error"]["data"]["rule"])

    def knows(self) -> None:
        """Wait until the gateway has heard of every change up to now: one question may be under way."""
        before = self.late.polls
        until(lambda: self.late.polls >= before + 2, what="the gateway's next questions for changes")

    def asked_before(
        self, change: Callable[[], object], call: Callable[[], str], *, known: bool
    ) -> tuple[str, float]:
        """How a call ends whose verdict auth gives before `change`; and when that was made.

        The gateway gets the verdict after it; where the change is `known`, after it has heard of it.
        """
        outcome: list[str] = []
        self.late.hold()
        asking = threading.Thread(target=lambda: outcome.append(call()))
        asking.start()
        try:
            until(lambda: self.late.waiting == 1, what="the question to auth")
            change()
            changed = time.monotonic()
            if known:
                self.knows()
        finally:
            self.late.release()
        asking.join(20)
        return outcome[0], changed


@pytest.fixture(scope="module")
def beside(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    port = int(settings_of(stack)["GATEPOST_AUTH_INTERNAL_PORT"])
    folder = tmp_path_factory.mktemp("late-gateway")
    with (
        late_auth(port) as late,
        second_gateway(stack, folder, GATEPOST_AUTH_INTERNAL_PORT=str(late.port)) as url,
    ):
        yield Beside(stack, url, late)


def narrow(stack: Stack, name: str) -> None:
    """Take all tools out of a scope."""
    answer = stack.api("GET", f"/api/scopes/{name}", expect=200)
    scope = {key: value for key, value in answer.json().items() if key != "warnings"}
    scope["servers"][0]["tools"] = ["other"]
    stack.api("PUT", f"/api/scopes/{name}", scope, expect=200, if_match=answer.headers["ETag"])


@pytest.mark.parametrize("known", [False, True], ids=["before-the-gateway-knows", "after-it-knows"])
@pytest.mark.parametrize("kind", ["token", "session", "scope"])
def test_a_late_verdict_does_not_survive_the_change(
    beside: Beside, upstream: Recorder, kind: str, known: bool
) -> None:
    stack, slug = beside.stack, f"late-{kind}-{known}".lower()
    stack.register(slug, upstream.url)
    right = granted(stack, slug, kind)
    ended, changed = beside.asked_before(
        right.revoke, lambda: beside.call(slug, **right.headers), known=known
    )
    assert ended in ([right.rule] if known else ["ran", right.rule])
    until(lambda: beside.call(slug, **right.headers) == right.rule, what="the refusal")
    assert time.monotonic() - changed < FORCE_S + POLL_S
    asked = beside.late.verdicts
    assert {beside.call(slug, **right.headers) for _ in range(5)} == {right.rule}
    assert beside.late.verdicts == asked, "what is kept is the newer answer"
