"""A real Keycloak with the realm of `realm.py`, and what tests do to it.

It is at `http://localhost`, a stack at `http://127.0.0.1`: for a browser two sites, as in life.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.e2e.idp import realm
from tests.e2e.stack import free_port, until

INSTALLED = Path(os.environ.get("KEYCLOAK") or "nowhere")
SMALL = "-Xms64m -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"  # a short start counts more than speed
ADMIN = "admin"


def missing() -> str | None:
    """What must be run before there is a Keycloak."""
    if INSTALLED.joinpath("complete").exists():
        return None
    return "no Keycloak: apt-get install default-jre-headless maven, then `tests/run e2e` installs it"


@dataclass
class Keycloak:
    """One Keycloak, whose files are in `folder`; `stop` and `start` keep its port and its data."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """The first start, and the realm."""
        self.folder.joinpath("bin").mkdir()
        shutil.copy(INSTALLED / "bin/kc.sh", self.folder / "bin")  # its home is the folder that it lies in
        for part in ("conf", "lib", "providers", "themes"):
            self.folder.joinpath(part).symlink_to(INSTALLED / part)
        self.start()
        self.admin("POST", "", realm.realm(), under="")

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def issuer(self) -> str:
        return f"{self.url}/realms/{realm.REALM}"

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/protocol/openid-connect/token"

    @property
    def saml_metadata(self) -> str:
        return f"{self.issuer}/protocol/saml/descriptor"

    def start(self) -> None:
        at = ["--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={self.port}"]
        environ = {
            **os.environ,
            "JAVA_OPTS": SMALL,
            "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
            "KC_BOOTSTRAP_ADMIN_PASSWORD": ADMIN,
        }
        with self.folder.joinpath("log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    self.folder / "bin/kc.sh",
                    "start",
                    "--optimized",
                    "--cache=local",
                    "--hostname-strict=false",
                    *at,
                ],
                env=environ,
                stdout=log,
                stderr=log,
            )
        until(self._answers, seconds=180, what=f"Keycloak's start ({self.folder / 'log'})")

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=60)
            self.process = None

    def provider(self, name: str, secret_file: Path, **more: object) -> dict[str, Any]:
        """The block of GATEPOST_IDENTITY_PROVIDERS; the client's secret is put in that file."""
        secret_file.write_text(realm.CLIENT_SECRET)
        return {
            "name": name,
            "type": "keycloak",
            "issuer": self.issuer,
            "client_id": realm.AUDIENCE,
            "client_secret_file": str(secret_file),
            "tokens": {"audiences": [realm.AUDIENCE]},
            **more,
        }

    def admit(self, origin: str) -> None:
        """Let people log in through the stack at that origin, and out again."""
        client = self._client(realm.AUDIENCE)
        attributes = {**client["attributes"], "post.logout.redirect.uris": "+"}
        uris = [*client["redirectUris"], f"{origin}/*"]
        self.admin(
            "PUT", f"/clients/{client['id']}", {**client, "redirectUris": uris, "attributes": attributes}
        )

    def admit_saml(self, origin: str, name: str) -> None:
        """The same by SAML, for the provider that the stack calls by that name."""
        at = f"{origin}/saml/{name}"
        self.admin("POST", "/clients", realm.saml_client(f"{at}/metadata", f"{at}/acs"))

    def service_token(self, client: str = realm.AGENT, secret: str = realm.AGENT_SECRET) -> str:
        """An access token of a service account, from the token endpoint."""
        return self._token(
            self.token_endpoint,
            grant_type="client_credentials",
            client_id=client,
            client_secret=secret,
        )

    def rotate_keys(self) -> None:
        """New tokens are signed by a new RSA key; the old one stays published for what it signed."""
        keys = self.admin("GET", "/components?type=org.keycloak.keys.KeyProvider").json()
        highest = max(int(key["config"].get("priority", ["0"])[0]) for key in keys)
        self.admin(
            "POST",
            "/components",
            {
                "name": f"rsa-{highest + 1}",
                "providerId": "rsa-generated",
                "providerType": "org.keycloak.keys.KeyProvider",
                "config": {"priority": [str(highest + 1)], "algorithm": ["RS256"]},
            },
        )

    @contextlib.contextmanager
    def without_group(self, person: str, group: str) -> Iterator[None]:
        """That person is not of the group meanwhile."""
        membership = f"/users/{self._person(person)['id']}/groups/{self._group(group)['id']}"
        self.admin("DELETE", membership)
        try:
            yield
        finally:
            self.admin("PUT", membership)

    @contextlib.contextmanager
    def disabled(self, person: str) -> Iterator[None]:
        """That person cannot log in meanwhile, nor be refreshed."""
        before = self._person(person)
        self.admin("PUT", f"/users/{before['id']}", {**before, "enabled": False})
        try:
            yield
        finally:
            self.admin("PUT", f"/users/{before['id']}", before)

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Nothing listens on its port meanwhile."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def sessions(self, person: str) -> list[dict[str, Any]]:
        """The browser sessions of a person."""
        return list(self.admin("GET", f"/users/{self._person(person)['id']}/sessions").json())

    def offline_sessions(self, person: str) -> list[dict[str, Any]]:
        """What Gatepost's refresh tokens of a person stand for, once it has asked for `offline_access`."""
        client = self._client(realm.AUDIENCE)["id"]
        path = f"/users/{self._person(person)['id']}/offline-sessions/{client}"
        return list(self.admin("GET", path).json())

    def end_sessions(self, person: str) -> None:
        """Every session of a person ends, those of refresh tokens for offline use too."""
        self.admin("POST", f"/users/{self._person(person)['id']}/logout")

    def admin(
        self, method: str, path: str, body: object = None, under: str = f"/{realm.REALM}"
    ) -> httpx2.Response:
        """One request to the administration API of the realm."""
        token = self._token(
            f"{self.url}/realms/master/protocol/openid-connect/token",
            grant_type="password",
            client_id="admin-cli",
            username=ADMIN,
            password=ADMIN,
        )
        answer = httpx2.request(
            method,
            f"{self.url}/admin/realms{under}{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def _answers(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.folder.joinpath("log").read_text()
        try:
            return httpx2.get(f"{self.url}/realms/master", timeout=10).is_success
        except httpx2.TransportError:
            return False

    def _token(self, endpoint: str, **form: str) -> str:
        answer = httpx2.post(endpoint, data=form, timeout=30)
        assert answer.is_success, f"{answer.status_code} {answer.text}"
        return str(answer.json()["access_token"])

    def _client(self, client_id: str) -> dict[str, Any]:
        return dict(self.admin("GET", f"/clients?clientId={client_id}").json()[0])

    def _person(self, name: str) -> dict[str, Any]:
        return dict(self.admin("GET", f"/users?username={name}&exact=true").json()[0])

    def _group(self, name: str) -> dict[str, Any]:
        return dict(self.admin("GET", f"/groups?search={name}&exact=true").json()[0])
