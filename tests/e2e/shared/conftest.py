"""Two whole Gateposts on one database, as on two hosts, and a load balancer that knows nothing of either."""

import itertools
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from app.cli.nginx import find
from tests.e2e.servers import serving, tools_server
from tests.e2e.stack import Stack, free_port
from tests.mongodb.server import INSTALL, MongoServer

SEALING_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Pair:
    """`first` and `second` by their own ports; `both` by the balancer, which takes them in turn."""

    first: Stack
    second: Stack
    both: Stack
    database: MongoServer

    @property
    def sides(self) -> tuple[Stack, Stack]:
        return self.first, self.second


def balancer(*origins: str) -> Starlette:
    """Hands on each request to the next of these gateways."""
    turn = itertools.cycle(origins)
    client = httpx2.AsyncClient(timeout=60)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    async def hand_on(request: Request) -> StreamingResponse:
        client.cookies.clear()
        sent = client.build_request(
            request.method,
            f"{next(turn)}{request.url.path}",
            params=request.url.query,
            headers=request.headers.raw,
            content=await request.body(),
        )
        answer = await client.send(sent, stream=True)

        async def body() -> AsyncIterator[bytes]:
            try:
                async for part in answer.aiter_raw():
                    yield part
            finally:
                await answer.aclose()

        response = StreamingResponse(body(), answer.status_code)
        raw = answer.headers.raw
        response.raw_headers = [header for header in raw if header[0].decode().lower() not in HOP_BY_HOP]
        return response

    methods = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
    return Starlette(routes=[Route("/{path:path}", hand_on, methods=methods)], lifespan=lifespan)


@contextmanager
def two_hosts(folder: Path) -> Iterator[Pair]:
    """Both are given the database, the sealing key and the public address, and nothing else."""
    database = MongoServer(folder / "database")
    database.start()
    ports = [free_port(), free_port()]
    origins = [f"http://127.0.0.1:{port}" for port in ports]
    plain = tools_server().streamable_http_app(stateless_http=True, json_response=True)
    with serving(balancer(*origins)) as address, serving(plain) as tools:
        given = {
            "GATEPOST_MONGODB_URI": database.database("shared"),
            "GATEPOST_SEALING_KEYS": SEALING_KEY,
            "GATEPOST_PUBLIC_URL": address,
        }
        stacks = []
        for name, port in zip(("first", "second"), ports, strict=True):
            (folder / name).mkdir()
            stacks.append(Stack.start(folder / name, **given, GATEPOST_GATEWAY_PORT=str(port)))
        first, second = stacks
        first.register("tools", f"{tools}/mcp")
        first.scope("adding", "tools", tools=["add"])
        yield Pair(first, second, replace(first, url=address), database)
        for stack in stacks:
            stack.stop()
    database.stop()


@pytest.fixture(scope="package")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    if not os.environ.get("FERRETDB"):
        pytest.skip(INSTALL)
    with two_hosts(tmp_path_factory.mktemp("pair")) as hosts:
        yield hosts
