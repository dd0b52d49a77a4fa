"""A thin client of the REST API: of this machine's Gatepost, or of the one that options name."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from app.cli.accounts import TOKEN
from app.cli.output import CliError
from app.cli.runfile import Run
from app.cli.state import StateFolder

TIMEOUT_S = 60.0
PAGE = 100
DIRECT = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
"""For httpx2: a proxy that the environment names is never asked for this machine, nor shown its token."""


def segment(name: str) -> str:
    """A name as one segment of a path, whatever characters it has."""
    return quote(name, safe="")


@dataclass(frozen=True)
class Target:
    """Where to ask and with what credential; the token is never an argument, so no process list shows it."""

    url: str
    token: str

    @classmethod
    def choose(cls, url: str | None, token_file: Path | None) -> "Target":
        """Raises CliError where nothing runs here and no address is given, or the token cannot be read."""
        state = StateFolder.find(os.environ)
        if url is None:
            run = Run.current(state)
            if run is None:
                raise CliError(
                    f"nothing runs from {state.path}. Start it with: gatepost up   (or name a gateway: --url)"
                )
            url = run.url
        elif token_file is None:
            raise CliError(
                "--url needs --token-file too: the token of this machine is not sent to another one"
            )
        return cls(url.rstrip("/"), _read_token(token_file or state.secret(TOKEN)))

    def __repr__(self) -> str:
        return f"Target({self.url!r})"


class Api:
    """Requests to `/api`. Every refusal becomes a CliError with the problem's title and detail (RFC 9457)."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._client = httpx2.Client(
            base_url=target.url,
            headers={"Authorization": f"Bearer {target.token}"},
            timeout=TIMEOUT_S,
            mounts=DIRECT,
        )

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON at a path."""
        return self._send("GET", path, query=query).json()

    def post(self, path: str, body: object = None) -> Any:
        """The JSON answer; None for an empty one."""
        answer = self._send("POST", path, body=body)
        return answer.json() if answer.content else None

    def put(self, path: str, body: object) -> Any:
        """Replace what is there; the JSON answer, None for an empty one."""
        answer = self._send("PUT", path, body=body)
        return answer.json() if answer.content else None

    def delete(self, path: str) -> None:
        """Delete what is there."""
        self._send("DELETE", path)

    def items(self, path: str, **query: str | int) -> list[Any]:
        """Every item of a list, all pages."""
        found: list[Any] = []
        page = self.get(path, limit=PAGE, **query)
        while True:
            found += page["items"]
            if not page.get("next_cursor"):
                return found
            page = self.get(path, limit=PAGE, cursor=page["next_cursor"], **query)

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: object = None,
    ) -> httpx2.Response:
        try:
            answer = self._client.request(method, path, params=query, json=body)
        except httpx2.HTTPError as error:
            raise CliError(_unanswered(self.target.url, error)) from error
        if answer.is_success:
            return answer
        raise (NotFoundError if answer.status_code == 404 else CliError)(_refusal(answer))

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


class NotFoundError(CliError):
    """There is no such thing, or the caller may not see it."""


@contextlib.contextmanager
def connect(url: str | None, token_file: Path | None) -> Iterator[Api]:
    """An Api that is closed when the block ends. Raises CliError."""
    api = Api(Target.choose(url, token_file))
    try:
        yield api
    finally:
        api.close()


def _refusal(answer: httpx2.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict) or "title" not in problem:
        return f"{answer.request.method} {answer.request.url.path}: status {answer.status_code}"
    detail = problem.get("detail")
    return f"{problem['title']}: {detail}" if detail else str(problem["title"])


def _unanswered(url: str, error: httpx2.HTTPError) -> str:
    text = f"{url} does not answer: {error or type(error).__name__}"
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return f"{text}; for a certificate of your own authority, name its PEM file in SSL_CERT_FILE"
    return text


def _read_token(path: Path) -> str:
    try:
        value = path.read_text().strip()
    except OSError as error:
        raise CliError(f"the token file {path} cannot be read: {error.strerror}") from error
    if not value:
        raise CliError(f"the token file {path} is empty")
    return value
