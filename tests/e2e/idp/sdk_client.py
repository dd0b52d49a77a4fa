"""An MCP client with the SDK's `OAuthClientProvider`, which is told nothing but a server's URL."""

import queue
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anyio
import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)
from pydantic import AnyUrl

from tests.e2e.recorder import Recorder

Person = Callable[[str], None]
"""Opens the URL that the client gives and does there what a person does."""


class PersonWanted(Exception):  # noqa: N818  (what happened)
    """The client sends a person to log in, where a test has none."""


@dataclass
class Kept:
    """What the client keeps between its runs."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@dataclass
class SdkClient(AbstractContextManager["SdkClient"]):
    """Each `call` connects anew with what is kept; `asked` lists the addresses that a person was led to.

    The browser is driven by the thread of the test, and the client runs in another.
    """

    url: str
    document: str | None = None
    scope: str | None = None
    kept: Kept = field(default_factory=Kept)
    asked: list[str] = field(default_factory=list)

    def __enter__(self) -> "SdkClient":
        self._listener = Recorder()
        self._addresses: queue.Queue[str] = queue.Queue()
        self._starting = start_blocking_portal()
        self._portal: BlockingPortal = self._starting.__enter__()
        self._provider = OAuthClientProvider(
            self.url,
            OAuthClientMetadata(
                client_name="SDK client of a test",
                redirect_uris=[AnyUrl(self.redirect_uri)],
                grant_types=["authorization_code", "refresh_token"],
                scope=self.scope,
            ),
            self.kept,
            redirect_handler=self._send_the_person,
            callback_handler=self._comes_back,
            client_metadata_url=self.document,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._starting.__exit__(kind, exception, trace)
        self._listener.stop()

    @property
    def redirect_uri(self) -> str:
        return f"http://127.0.0.1:{self._listener.port}/callback"

    def expire(self) -> None:
        """The client takes its access token for expired, and asks for another before it calls again."""
        self._provider.context.token_expiry_time = 0.001

    def call(self, tool: str, arguments: dict[str, Any], person: Person | None = None) -> Any:
        """The structured result of a tool; `person` is who is sent to log in, or PersonWanted is raised."""
        future: Future[Any] = self._portal.start_task_soon(self._call, tool, arguments)
        while not future.done():
            try:
                address = self._addresses.get(timeout=0.05)
            except queue.Empty:
                continue
            self.asked.append(address)
            if person is None:
                future.cancel()
                raise PersonWanted(address)
            person(address)
        return future.result()

    async def _call(self, tool: str, arguments: dict[str, Any]) -> Any:
        try:
            async with (
                httpx2.AsyncClient(auth=self._provider, timeout=60) as http,
                Client(streamable_http_client(self.url, http_client=http)) as mcp,
            ):
                return (await mcp.call_tool(tool, arguments)).structured_content
        except BaseExceptionGroup as group:  # of the task groups within
            raise _innermost(group) from group

    async def _send_the_person(self, address: str) -> None:
        self._listener.received.clear()
        self._addresses.put(address)

    async def _comes_back(self) -> AuthorizationCodeResult:
        with anyio.fail_after(60):
            while not (
                targets := [one.target for one in self._listener.received if "/callback?" in one.target]
            ):
                await anyio.sleep(0.02)
        given = dict(parse_qsl(urlsplit(targets[0]).query))
        assert "code" in given, given
        return AuthorizationCodeResult(code=given["code"], state=given.get("state"), iss=given.get("iss"))


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
