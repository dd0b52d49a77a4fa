"""A verdict that was asked for before a change and comes after it: it counts no longer than any other."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx2
import pytest

from tests.e2e.abuse.logins import log_in, session_of
from tests.e2e.beside import second_gateway, settings_of
from tests.e2e.late import LateAuth, late_auth
from tests.e2e.recorder import Recorder
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

    def asked_before(self, change: Callable[[], object], call: Callable[[], str]) -> tuple[list[str], float]:
        """A call whose verdict auth gives before `change`, and which goes on until it is released; the moment
        of the change.
        """
        outcome: list[str] = []
        self.late.hold()
        asking = threading.Thread(target=lambda: outcome.append(call()))
        asking.start()
        try:
            until(lambda: self.late.waiting == 1, what="the question to auth")
            change()
            changed = time.monotonic()
        finally:
            self.late.release()
        asking.join(20)
        return outcome, changed


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


@pytest.mark.parametrize("pause", [0.0, 1.5], ids=["released-at-once", "released-when-the-gateway-knows"])
@pytest.mark.parametrize("kind", ["token", "session", "scope"])
def test_a_late_verdict_is_not_kept_beyond_the_change(
    beside: Beside, upstream: Recorder, kind: str, pause: float
) -> None:
    stack, slug = beside.stack, f"late-{kind}-{int(pause)}"
    stack.register(slug, upstream.url)
    stack.scope(slug, slug)
    made = stack.api("POST", "/api/tokens", {"name": "late", "scopes": [slug]}, expect=201).json()
    headers = {"Authorization": f"Bearer {made['value']}"}
    changes: dict[str, tuple[Callable[[], object], str]] = {
        "token": (lambda: stack.api("DELETE", f"/api/tokens/{made['id']}", expect=204), "revoked"),
        "scope": (lambda: narrow(stack, slug), "tool"),
        "session": (lambda: log_out(stack, headers), "unknown"),
    }
    if kind == "session":
        headers = {"Origin": stack.url, **session_of(log_in(stack))}
    change, rule = changes[kind]

    def change_and_wait() -> None:
        change()
        time.sleep(pause)  # the gateway asks once a second what changed; it must know by now

    outcome, changed = beside.asked_before(change_and_wait, lambda: beside.call(slug, **headers))
    assert outcome == [rule] if pause else outcome in (["ran"], [rule])
    until(lambda: beside.call(slug, **headers) == rule, FORCE_S + POLL_S, "the refusal")
    assert time.monotonic() - changed < FORCE_S + POLL_S
    asked = beside.late.verdicts
    assert {beside.call(slug, **headers) for _ in range(5)} == {rule}
    assert beside.late.verdicts == asked, "what is kept is the newer answer"


def log_out(stack: Stack, headers: dict[str, str]) -> None:
    assert httpx2.post(f"{stack.url}/logout", headers=headers).status_code == 303
