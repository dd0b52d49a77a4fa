"""How Gatepost proves who it is at a token endpoint."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import import_key

from app.auth.providers.base import ProviderUnavailable
from app.auth.providers.oidc.client import proof
from app.auth.providers.oidc.discovery import Discovery, read_discovery
from app.auth.providers.oidc.requests import ProviderRequests
from app.core.models.identity_provider import OidcProviderConfig
from tests.unit.auth.conftest import settings_for

pytestmark = pytest.mark.anyio
ISSUER = "https://login.example"
KEYS = {
    "RS256": ("RSA", lambda: rsa.generate_private_key(65537, 2048)),
    "ES256": ("EC", lambda: ec.generate_private_key(ec.SECP256R1())),
}


def discovery(*methods: str) -> Discovery:
    at = {f"{name}_endpoint": f"{ISSUER}/{name}" for name in ("authorization", "token")}
    more = {"token_endpoint_auth_methods_supported": list(methods)} if methods else {}
    return read_discovery({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks", **at, **more}, ISSUER)


def config(**more: Any) -> OidcProviderConfig:
    block = {"type": "oidc", "name": "corp", "issuer": ISSUER, "client_id": "gatepost", **more}
    return OidcProviderConfig.model_validate(block)


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_private_key_signs_an_assertion_for_the_token_endpoint(
    tmp_path: Path, algorithm: str
) -> None:
    kind, make = KEYS[algorithm]
    file = tmp_path / "key.pem"
    file.write_bytes(make().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    made = await proof(config(private_key_file=file, private_key_id="k1"), discovery("private_key_jwt"))
    token = jwt.decode(
        made.form["client_assertion"],
        import_key(file.read_text(), kind),  # type: ignore[arg-type]  (one of its names)
        algorithms=[algorithm],
    )
    assert (token.header["alg"], token.header["kid"]) == (algorithm, "k1")
    assert (token.claims["iss"], token.claims["sub"]) == ("gatepost", "gatepost")
    assert token.claims["aud"] == f"{ISSUER}/token"
    assert token.claims["exp"] - token.claims["iat"] <= 120


@pytest.mark.parametrize(("thumbprint", "header"), [("A" * 27, "x5t"), ("A" * 43, "x5t#S256")])
async def test_entra_knows_a_key_by_its_certificate(tmp_path: Path, thumbprint: str, header: str) -> None:
    file = tmp_path / "key.pem"
    key = KEYS["RS256"][1]().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(key)
    made = await proof(
        config(type="entra", private_key_file=file, private_key_id=thumbprint), discovery("private_key_jwt")
    )
    said = jwt.decode(made.form["client_assertion"], import_key(file.read_text(), "RSA")).header
    assert said[header] == thumbprint


@pytest.mark.parametrize(
    ("methods", "in_form"),
    [
        ([], False),
        (["client_secret_basic", "client_secret_post"], False),
        (["client_secret_post"], True),
    ],
)
async def test_a_secret_is_sent_as_the_provider_takes_it(
    monkeypatch: pytest.MonkeyPatch, methods: list[str], in_form: bool
) -> None:
    monkeypatch.setenv("CORP_SECRET", "s3cret")
    made = await proof(config(client_secret_env="CORP_SECRET"), discovery(*methods))
    assert ("client_secret" in made.form, "Authorization" in made.headers) == (in_form, not in_form)
    assert "s3cret" not in repr(made)


async def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CORP_SECRET", raising=False)
    with pytest.raises(ProviderUnavailable, match="CORP_SECRET is not set"):
        await proof(config(client_secret_env="CORP_SECRET"), discovery())


async def test_a_provider_may_be_in_a_private_network_but_at_no_metadata_address(tmp_path: Path) -> None:
    requests = ProviderRequests(settings_for(tmp_path, GATEPOST_UPSTREAM_NETWORKS=""), "corp")
    with pytest.raises(ProviderUnavailable, match="metadata service; Gatepost never connects there"):
        await requests.send("GET", "http://169.254.169.254/latest")
