import time

import structlog

AGAIN_S = 300.0
_log = structlog.get_logger("gatepost.audit")


class Notices:
    """Says a trouble when it begins, every five minutes while it lasts, and when it is over."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def trouble(self, kind: str, text: str, **facts: object) -> None:
        """There is trouble of this kind, now or still."""
        now = time.monotonic()
        if now - self._said.get(kind, -AGAIN_S) >= AGAIN_S:
            self._said[kind] = now
            _log.warning(text, **facts)

    def over(self, kind: str, text: str, **facts: object) -> None:
        """There is none of this kind; said only where there was."""
        if self._said.pop(kind, None) is not None:
            _log.info(text, **facts)
