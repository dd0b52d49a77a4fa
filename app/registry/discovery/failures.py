from collections.abc import Collection, Iterator, Mapping

import httpx2
from mcp import MCPError

from app.core.ssrf import UpstreamRefused
from app.registry.discovery.limits import AnswerTooLong

_LONGEST = 300


class Failure(Exception):  # noqa: N818  (the outcome of a probe)
    """A server could not be looked at: `state` is a health state, the message its reason."""

    def __init__(self, state: str, reason: str) -> None:
        super().__init__(reason)
        self.state = state

    @classmethod
    def of(cls, refused: Collection[int], reason: str, headers: Mapping[str, str]) -> "Failure":
        """The failure behind a reason; a 401 or 403 is the credential's, whatever else went wrong."""
        if refused:
            status = min(refused)
            said = "refuses its credential" if headers else "wants a credential"
            fix = "set a new one" if headers else "set one"
            return cls("credential_expired", f"the server {said} (status {status}); {fix}")
        return cls("unreachable", without_secrets(reason, headers)[:_LONGEST])


def describe(error: Exception, deadline_s: float) -> str:
    """One sentence for whatever went wrong, the most telling part of a group of errors."""
    causes = list(_leaves(error))
    for kind in (UpstreamRefused, AnswerTooLong):
        for cause in causes:
            if isinstance(cause, kind):
                return str(cause)
    for cause in causes:
        if isinstance(cause, MCPError):
            return f"the server answers with an error: {cause.error.message}"
        if isinstance(cause, httpx2.TimeoutException | TimeoutError):
            return f"the server did not answer all within {deadline_s:g} s"
        if isinstance(cause, httpx2.HTTPError | OSError):
            return f"no connection: {cause or type(cause).__name__}; is it running, and its URL right?"
    return f"the server's answer cannot be read ({type(causes[0]).__name__})"


def without_secrets(text: str, headers: Mapping[str, str]) -> str:
    """The text with the values of these headers struck out, and their last words (a bearer token)."""
    secrets = {part for value in headers.values() for part in (value, value.rpartition(" ")[2])}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "[redacted]")
    return text


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
        return
    yield error
    if error.__cause__ is not None:
        yield from _leaves(error.__cause__)
