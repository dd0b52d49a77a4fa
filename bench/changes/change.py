"""The changes that are made, and how each is seen to be in force at the gateway."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2

from tests.e2e.load import Target, tool_call
from tests.e2e.stack import Stack, until

LONGEST_S = 30.0
Change = tuple[str, Callable[[], float | None]]


class Changes:
    """Changes of one more server and its scope, for a caller who watches it."""

    def __init__(self, stack: Stack, good: Target) -> None:
        self._stack = stack
        self._url = good.url
        self._http = httpx2.Client(base_url=stack.url, timeout=20)
        self._watcher = good

    def of(self, slug: str) -> Iterator[Change]:
        """Nine changes, after which all is as before; None for one that no call can show alone."""
        self._watcher = Target(self._stack, slug, "")
        yield "scope added", lambda: self._add_scope(slug)
        yield "server added", lambda: self._in_force(lambda: self._stack.register(slug, self._url), "tool")
        yield "scope widened", lambda: self._in_force(lambda: self._tools(slug, "echo"), "ran")
        yield "server disabled", lambda: self._in_force(lambda: self._act(slug, "disable"), "disabled")
        yield "server enabled", lambda: self._in_force(lambda: self._act(slug, "enable"), "ran")
        yield "scope narrowed", lambda: self._in_force(lambda: self._tools(slug, "other"), "tool")
        yield "scope widened again", lambda: self._in_force(lambda: self._tools(slug, "echo", "other"), "ran")
        yield "server deleted", lambda: self._in_force(lambda: self._delete(f"/api/servers/{slug}"), "server")
        yield "scope deleted", lambda: self._delete(f"/api/scopes/{slug}")

    def _in_force(self, change: Callable[[], None], outcome: str) -> float:
        """Seconds from the change's answer until a call ends as it must from then on."""
        change()
        answered = time.monotonic()
        until(lambda: self._call() == outcome, LONGEST_S, f"the outcome {outcome}")
        return time.monotonic() - answered

    def _call(self) -> str:
        headers = self._watcher.headers()
        answer = self._http.post(self._watcher.path, content=tool_call(1, "echo", text="x"), headers=headers)
        found: dict[str, Any] = answer.json()
        return "ran" if "result" in found else str(found["error"]["data"]["rule"])

    def _add_scope(self, slug: str) -> None:
        self._stack.scope(slug, slug, tools=["other"])
        self._watcher = Target(self._stack, slug, self._stack.token(slug))

    def _tools(self, slug: str, *tools: str) -> None:
        answer = self._stack.api("GET", f"/api/scopes/{slug}", expect=200)
        scope = {name: value for name, value in answer.json().items() if name != "warnings"}
        scope["servers"][0]["tools"] = list(tools)
        self._stack.api("PUT", f"/api/scopes/{slug}", scope, expect=200, if_match=answer.headers["ETag"])

    def _act(self, slug: str, action: str) -> None:
        self._stack.api("POST", f"/api/servers/{slug}/{action}", expect=200)

    def _delete(self, path: str) -> None:
        etag = self._stack.api("GET", path, expect=200).headers["ETag"]
        self._stack.api("DELETE", path, expect=204, if_match=etag)
