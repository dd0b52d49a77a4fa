"""The SDK's OAuth client, told a server's URL alone: alice logs in at Keycloak, allows it; it calls a tool.

Runs on the host, by the program's own Python: login.py <url of the gateway> <file of its certificate>
"""

import asyncio
import re
import socket
import ssl
import subprocess
import sys
import time
from html import unescape
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
from pydantic import AnyUrl

URL, CERTIFICATE = sys.argv[1:]
BACK = "http://127.0.0.1:9901/callback"
PORT = 9900
VERIFY = ssl.create_default_context(cafile=CERTIFICATE)


class Kept:
    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


def field(page: str, pattern: str) -> str:
    found = re.search(pattern, page)
    assert found, page
    return unescape(found[1])


class Person:
    """What a person does in a browser."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.came_back = ""
        self.cookies: dict[str, str] = {}

    async def __call__(self, address: str) -> None:
        hooks = {"request": [self.give_cookies], "response": [self.keep_cookies]}
        async with httpx2.AsyncClient(verify=VERIFY, timeout=30, event_hooks=hooks) as http:
            page = await self.follow(http, address)
            if 'name="username"' in page.text and "kc-form-login" not in page.text:
                link = field(page.text, r'href="([^"]*keycloak[^"]*)"')
                page = await self.follow(http, urljoin(str(page.url), link))
            action = field(page.text, r'action="([^"]*)"')
            page = await self.follow(http, action, {"username": "alice", "password": self.password})
            if "Invalid username or password" in page.text:
                raise PermissionError
            request = field(page.text, r'name="request" value="([^"]*)"')
            form = {"request": request, "decision": "allow", "reach": "all"}
            answer = await http.post(f"{URL}/oauth/consent", data=form, headers={"Origin": URL})
            self.came_back = answer.headers["location"]

    async def give_cookies(self, request: httpx2.Request) -> None:
        """As browsers do: what is secure goes to http://localhost too."""
        if request.url.host == "localhost":
            request.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def keep_cookies(self, answer: httpx2.Response) -> None:
        if answer.url.host == "localhost":
            for given in answer.headers.get_list("set-cookie"):
                name, _, value = given.partition(";")[0].partition("=")
                self.cookies[name] = value

    async def follow(
        self, http: httpx2.AsyncClient, address: str, form: dict[str, str] | None = None
    ) -> httpx2.Response:
        answer = await (http.post(address, data=form) if form else http.get(address))
        while answer.is_redirect:
            answer = await http.get(urljoin(str(answer.url), answer.headers["location"]))
        return answer

    async def result(self) -> AuthorizationCodeResult:
        given = dict(parse_qsl(urlsplit(self.came_back).query))
        return AuthorizationCodeResult(code=given["code"], state=given.get("state"), iss=given.get("iss"))


async def call(person: Person) -> str:
    provider = OAuthClientProvider(
        f"{URL}/mcp/demo",
        OAuthClientMetadata(
            client_name="A client",
            redirect_uris=[AnyUrl(BACK)],
            grant_types=["authorization_code", "refresh_token"],
        ),
        Kept(),
        redirect_handler=person,
        callback_handler=person.result,
    )
    async with (
        httpx2.AsyncClient(auth=provider, verify=VERIFY, timeout=60) as http,
        Client(streamable_http_client(f"{URL}/mcp/demo", http_client=http)) as client,
    ):
        return (await client.call_tool("add", {"a": 2, "b": 3})).content[0].text


demo = subprocess.Popen([sys.executable, "-P", "-m", "app.cli.demo_server", str(PORT)])
try:
    while socket.socket().connect_ex(("127.0.0.1", PORT)):
        assert demo.poll() is None, "the demo server ended"
        time.sleep(0.1)
    assert asyncio.run(call(Person("correct-horse"))) == "5"
    try:
        asyncio.run(call(Person("wrong")))
        raise AssertionError("a wrong password was enough")
    except* PermissionError:
        pass
finally:
    demo.terminate()
    demo.wait()
print("logged in at Keycloak and called; a wrong password did not")
