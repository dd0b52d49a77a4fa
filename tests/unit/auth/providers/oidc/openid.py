"""A small OpenID provider on loopback, of which a test may change every part of what it says."""

import base64
import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "gatepost", "a secret: 100%"


def new_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


FIRST = new_key("first")


@dataclass
class OpenId:
    """`id_claims` and `discovery` are laid over what an honest provider says; None takes a member away."""

    keys: list[RSAKey] = field(default_factory=lambda: [FIRST])
    id_claims: dict[str, Any] = field(default_factory=dict)
    access_claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=lambda: {"sub": "alice"})
    discovery: dict[str, Any] = field(default_factory=dict)
    discovery_status: int = 200
    refusal: str | None = None
    authorization: int = 200
    rotates: bool = True
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    nonces: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Of a code: the nonce and the PKCE challenge of the authorization request."""

    def start(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", getattr(self, "port", 0)), _handler(self))
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}/corp"

    def rotate(self) -> None:
        """A new key signs from now on."""
        self.keys.insert(0, new_key(f"key-{len(self.keys)}"))

    def code(self, location: str) -> tuple[str, str]:
        """The code and the state that a browser brings back from an authorization request."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = f"code-{len(self.nonces)}"
        self.nonces[code] = (query["nonce"], query["code_challenge"])
        return code, query["state"]

    def access_token(
        self, header: dict[str, str] | None = None, key: RSAKey | None = None, **claims: Any
    ) -> str:
        said = {"sub": "agent", "aud": "api://gatepost", "azp": "agent", "groups": ["fin-team"], **claims}
        return self.signed(said, header, key)

    def signed(
        self, claims: dict[str, Any], header: dict[str, str] | None = None, key: RSAKey | None = None
    ) -> str:
        by = key or self.keys[0]
        now = int(time.time())
        whole = {"iss": self.issuer, "iat": now, "exp": now + 300, **claims}
        kept = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": by.kid or "", **(header or {})}, kept, by)

    def answer(self, method: str, url: str, form: dict[str, str], basic: str | None) -> tuple[int, Any]:
        path = urlsplit(url).path.removeprefix("/corp")
        self.asked.append((path, form))
        match path:
            case "/.well-known/openid-configuration":
                return self.discovery_status, self._discovery()
            case "/jwks":
                return 200, {"keys": [key.as_dict(private=False) for key in self.keys]}
            case "/authorization":
                return self.authorization, {}
            case "/userinfo":
                return 200, self.userinfo
            case "/token":
                return self._tokens(form, basic)
        return 404, {"error": "not_found"}

    def _discovery(self) -> dict[str, Any]:
        at = {f"{name}_endpoint": f"{self.issuer}/{name}" for name in ("authorization", "token", "userinfo")}
        more = {"jwks_uri": f"{self.issuer}/jwks", "end_session_endpoint": f"{self.issuer}/out"}
        whole = {"issuer": self.issuer, **at, **more, **self.discovery}
        return {name: value for name, value in whole.items() if value is not None}

    def _tokens(self, form: dict[str, str], basic: str | None) -> tuple[int, Any]:
        if self.refusal:
            return 400, {"error": self.refusal, "error_description": SECRET}
        wanted = base64.b64encode(b"gatepost:a+secret%3A+100%25").decode()
        if basic != f"Basic {wanted}":
            return 401, {"error": "invalid_client"}
        nonce = None
        if form.get("code") and form["code"] not in self.nonces:
            return 400, {"error": "invalid_grant"}
        if form["grant_type"] == "authorization_code":
            nonce, challenge = self.nonces.pop(form["code"], ("", ""))
            made = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest())
            if made.rstrip(b"=").decode() != challenge:
                return 400, {"error": "invalid_grant"}
        said = {"sub": "alice", "aud": CLIENT, "nonce": nonce, "groups": ["fin-team"], "name": "Alice"}
        token = self.signed({**said, "email": "alice@corp.example", **self.id_claims})
        more = {"refresh_token": f"refresh-{len(self.asked)}"} if self.rotates else {}
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": token, **more}


def _handler(provider: OpenId) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, form: dict[str, str]) -> None:
            status, document = provider.answer(
                self.command, self.path, form, self.headers.get("Authorization")
            )
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    return Handler
