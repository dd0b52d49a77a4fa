from typing import Protocol

from app.auth.verdict.caller import Caller


class SubjectTokens(Protocol):
    """Knows tokens of identity providers."""

    async def verify(self, value: str) -> Caller | None:
        """Whose token it is; None where it is of no provider whose tokens are accepted.

        Raises InvalidCredential; a Problem where that cannot be told now.
        """
        ...
