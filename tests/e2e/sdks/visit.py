"""One client at one server: what it saw, and what the gateway wrote down of it."""

from dataclasses import dataclass
from typing import Any

from tests.e2e.stack import Stack

TOOLS = ["add", "fail", "ticks", "interrupted", "ask"]


@dataclass(frozen=True)
class Visit:
    """A client that connected, used all that the server has, and closed."""

    stack: Stack
    slug: str
    token_id: str
    seen: dict[str, Any] | None
    complaints: str

    @property
    def saw(self) -> dict[str, Any]:
        assert self.seen is not None, f"the client ended before it was done here: {self.complaints}"
        return self.seen

    def audited(self, method: str) -> list[tuple[str | None, str, int]]:
        """Tool, decision and status of each of its requests with that method."""
        return [
            (line["tool"], line["decision"], line["status"])
            for line in self.stack.audit()
            if (line["client"], line["server"]) == (f"token:{self.token_id}", self.slug)
            and line["method"] == method
        ]
