"""The npm package `oidc-provider` in the shape of Entra ID or of Cognito: see `provider/server.mjs`."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2

from tests.e2e.stack import free_port, until

NODE = Path(os.environ.get("OPENID_PROVIDER_NODE") or "nowhere")
PROGRAM = Path(__file__).parent / "provider/server.mjs"
TENANT = "9f4f6a2e-1f6b-4f0e-8d2a-53c1b5d7a001"
PATHS = {"entra": f"/{TENANT}/v2.0", "cognito": "/eu-central-1_Ab12Cd34E"}
CLIENT, CLIENT_SECRET = "gatepost", "gatepost-secret"
AGENT, AGENT_SECRET = "report-agent", "report-agent-secret"
Person = dict[str, Any]
FEW = ["group-finance", "group-all"]
MANY = [f"group-{number}" for number in range(5)]


def missing() -> str | None:
    """What must be run before there is such a provider."""
    return None if NODE.exists() else "no OpenID provider: `tests/run e2e` installs it, with npm"


def _people() -> dict[str, Person]:
    return {
        "dora": {"name": "Dora Example", "mail": "dora@corp.example", "oid": "oid-dora", "groups": FEW},
        "emil": {
            "name": "Emil Example",
            "mail": "emil@corp.example",
            "oid": "oid-emil",
            "groups": MANY,
            "roles": ["Tools.Call"],
        },
    }


@dataclass
class OpenIdProvider:
    """`dora` has few groups and `emil` has so many that Entra leaves them to Graph; neither has a password.

    The stack that people log in through has any port of 127.0.0.1, and calls its provider what `shape` says.
    """

    shape: Literal["entra", "cognito"]
    log: Path
    port: int = field(default_factory=free_port)
    people: dict[str, Person] = field(default_factory=_people)
    process: subprocess.Popen[bytes] | None = None

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def issuer(self) -> str:
        return self.origin + PATHS[self.shape]

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [NODE, PROGRAM, self.shape, str(self.port)], stdout=log, stderr=log
            )
        until(self._answers, what=f"the start of the provider ({self.log})")

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=20)
            self.process = None

    def put(self, name: str, **changes: object) -> None:
        """Change what is told of a person from now on; `put("dora", groups=[])`."""
        self.people[name] |= changes
        self._tell()

    def restore(self) -> None:
        """Everybody is as at the start."""
        self.people = _people()
        self._tell()

    def provider(self, secret_file: Path, **more: object) -> dict[str, Any]:
        """The block of GATEPOST_IDENTITY_PROVIDERS; the client's secret is put in that file."""
        secret_file.write_text(CLIENT_SECRET)
        at = {"graph_url": f"{self.origin}/v1.0"} if self.shape == "entra" else {"hosted_ui": self.origin}
        return {
            "name": self.shape,
            "type": self.shape,
            "issuer": self.issuer,
            "client_id": CLIENT,
            "client_secret_file": str(secret_file),
            **at,
            **more,
        }

    def service_token(self) -> str:
        """The access token of an application of its own; its audience at Entra is `api://gatepost`."""
        scope = "api://gatepost/.default" if self.shape == "entra" else "gatepost/call"
        form = {"grant_type": "client_credentials", "scope": scope}
        basic = None
        if self.shape == "entra":
            form |= {"client_id": AGENT, "client_secret": AGENT_SECRET}
        else:
            basic = (AGENT, AGENT_SECRET)
        endpoint = self.discovery()["token_endpoint"]
        answer = httpx2.post(endpoint, data=form, auth=basic, timeout=20)
        assert answer.is_success, answer.text
        return str(answer.json()["access_token"])

    def discovery(self) -> dict[str, Any]:
        answer = httpx2.get(f"{self.issuer}/.well-known/openid-configuration", timeout=20)
        return dict(answer.raise_for_status().json())

    def sign_in(self, client: httpx2.Client, page: httpx2.Response, name: str) -> httpx2.Response:
        """Without a browser: answer the login page that `client` was led to, and follow on."""
        assert urlsplit(str(page.url)).port == self.port, page.text
        return client.post(page.url, data={"name": name}, follow_redirects=True)

    def _answers(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.log.read_text()
        try:
            self._tell()
        except httpx2.TransportError:
            return False
        return True

    def _tell(self) -> None:
        httpx2.put(f"{self.origin}/people", json=self.people, timeout=10).raise_for_status()
