"""What came back from the gateway, and what tests ask of it."""

import json
from dataclasses import dataclass
from typing import Any

RESET = 0
"""The status of a request that was answered by nothing but the end of its stream or connection."""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def error(self) -> dict[str, Any]:
        """The JSON-RPC error; fails where the answer is none."""
        message = json.loads(self.body)
        assert "result" not in message, f"this was let through: {self}"
        error: dict[str, Any] = message["error"]
        return error

    @property
    def rule(self) -> str | None:
        """The rule that refused the call."""
        rule: str | None = self.error["data"]["rule"]
        return rule

    @property
    def passed(self) -> bool:
        return self.status == 200 and "result" in json.loads(self.body)

    def everything(self) -> bytes:
        """All bytes of it, to look for what must not be there."""
        return repr(self.headers).encode() + self.body
