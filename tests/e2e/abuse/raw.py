"""Requests whose every header a test writes itself."""

from urllib.parse import urlsplit

from tests.e2e.bypass.http1 import exchange, head
from tests.e2e.bypass.reply import Reply
from tests.e2e.stack import Stack

Headers = list[tuple[str, str]]
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def raw(stack: Stack, method: str, target: str, headers: Headers, body: bytes = b"") -> Reply:
    """The answer to one request; a Host is added where the test names none."""
    host = [] if any(name == "Host" for name, _ in headers) else [("Host", urlsplit(stack.url).netloc)]
    length = [("Content-Length", str(len(body)))] if body else []
    sent = [*host, *headers, *length, ("Connection", "close")]
    (reply,) = exchange(stack.url, head(method, target, sent) + body)
    return reply
