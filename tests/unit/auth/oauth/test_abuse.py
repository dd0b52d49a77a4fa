import asyncio
import base64
import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from tests.unit.auth.oauth.conftest import (
    CHALLENGE,
    HERE,
    LEDGER,
    VERIFIER,
    Flow,
    hidden,
    preregister,
    returned,
)

pytestmark = pytest.mark.anyio


async def test_a_code_that_comes_again_ends_what_was_made_of_it(flow: Flow) -> None:
    code = await flow.code()
    tokens = (await flow.redeem(code)).json()
    again = await flow.redeem(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    answer = await flow.world.ask(tokens["access_token"], "/mcp/ledger")
    assert (answer.status_code, answer.json()["reason"]) == (401, "revoked")
    assert (await flow.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_of_many_redemptions_at_once_one_gets_tokens_at_most_and_they_end(flow: Flow) -> None:
    code = await flow.code()
    answers = await asyncio.gather(*[flow.redeem(code) for _ in range(5)])
    made = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(made) <= 1
    for tokens in made:
        assert (await flow.world.ask(tokens["access_token"], "/mcp/ledger")).status_code == 401


async def test_a_code_is_over_after_a_minute(flow: Flow) -> None:
    code = await flow.code()
    (kept,) = (await flow.world.parts.store.list("codes")).items
    await flow.world.parts.store.put("codes", kept.id, kept.body, expires_at=time.time() - 1)
    assert (await flow.redeem(code)).json()["error"] == "invalid_grant"


async def test_a_code_of_another_client_is_refused_and_spent(flow: Flow) -> None:
    other = await Flow(flow.world).register()
    code = await flow.code()
    assert (await other.redeem(code)).json()["error"] == "invalid_grant"
    assert (await flow.redeem(code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "asked",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain", "code_challenge": VERIFIER},
        {"code_challenge_method": None},
        {"code_challenge": "short"},
        {"code_challenge": f"{CHALLENGE}="},
    ],
)
async def test_pkce_has_no_weaker_form(flow: Flow, asked: dict[str, str | None]) -> None:
    assert returned(await flow.authorize(**asked))["error"] == "invalid_request"


@pytest.mark.parametrize("verifier", [None, "v" * 63, "v" * 42, "v" * 129, CHALLENGE, "ü" * 43])
async def test_a_code_counts_only_with_its_verifier(flow: Flow, verifier: str | None) -> None:
    answer = await flow.redeem(await flow.code(), code_verifier=verifier)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "uri",
    ["https://app.example/callback/", "https://app.example/callback?x=1", "https://app.example/Callback",
     "https://app.example.evil.example/callback", "https://evil.example/callback", "http://app.example/callback",
     "https://app.example/callback/../x", "https://app.example@evil.example/callback",
     "https://app.example/callback#x", "//app.example/callback", "javascript:alert(1)", None],
)  # fmt: skip
async def test_a_redirect_uri_of_another_form_gets_a_page_and_no_redirect(
    flow: Flow, uri: str | None
) -> None:
    answer = await flow.authorize(redirect_uri=uri)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_a_client_that_is_not_known_gets_a_page_and_no_redirect(flow: Flow) -> None:
    answer = await flow.authorize(client_id="nobody")
    assert (answer.status_code, "location" in answer.headers) == (401, False)


async def test_the_redirect_uri_of_the_token_request_must_be_the_same(flow: Flow) -> None:
    answer = await flow.redeem(await flow.code(), redirect_uri="https://app.example/other")
    assert answer.json()["error"] == "invalid_grant"


async def test_a_parameter_that_is_repeated_gets_a_page_and_no_redirect(flow: Flow) -> None:
    query = [("client_id", flow.client_id), ("redirect_uri", flow.redirect_uri), ("redirect_uri", HERE)]
    answer = await flow.public.get(f"/oauth/authorize?{urlencode(query)}")
    assert (answer.status_code, "location" in answer.headers) == (400, False)


@pytest.mark.parametrize("repeated", ["code", "client_id", "grant_type", "unknown"])
async def test_a_field_of_a_token_request_that_is_repeated_is_refused(flow: Flow, repeated: str) -> None:
    code = await flow.code()
    fields = [("grant_type", "authorization_code"), ("code", code), ("client_id", flow.client_id)]
    fields += [("code_verifier", VERIFIER), ("unknown", "x"), (repeated, "x")]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await flow.public.post("/oauth/token", content=urlencode(fields), headers=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_token_request_is_a_form_of_a_usual_size(flow: Flow) -> None:
    as_json = await flow.public.post("/oauth/token", json={"grant_type": "authorization_code"})
    assert as_json.json()["error"] == "invalid_request"
    huge = await flow.public.post("/oauth/token", data={"code": "x" * 70_000})
    assert huge.status_code == 413
    many = await flow.public.post("/oauth/token", data={f"f{number}": "x" for number in range(200)})
    assert many.json()["error"] == "invalid_request"


async def test_another_site_cannot_answer_for_the_person(flow: Flow) -> None:
    page = await flow.authorize()
    form = {"request": hidden(page), "decision": "allow", "reach": "all"}
    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await flow.public.post("/oauth/consent", data=form, headers=headers)
        assert (answer.status_code, "location" in answer.headers) == (403, False)


async def test_a_question_that_was_altered_is_none(flow: Flow) -> None:
    sealed = hidden(await flow.authorize())
    middle = len(sealed) // 2
    altered = sealed[:middle] + ("A" if sealed[middle] != "A" else "B") + sealed[middle + 1 :]
    for field in (altered, "", "x", "v1.x.y"):
        form = {"request": field, "decision": "allow", "reach": "all"}
        answer = await flow.public.post("/oauth/consent", data=form, headers={"Origin": HERE})
        assert (answer.status_code, "location" in answer.headers) == (400, False)


async def test_a_question_of_another_session_is_none(flow: Flow) -> None:
    page = await flow.authorize()
    await flow.world.log_in()
    answer = await flow.answer(page)
    assert (answer.status_code, "location" in answer.headers) == (400, False)


async def test_a_question_is_over_after_ten_minutes(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    page = await flow.authorize()
    monkeypatch.setattr("app.auth.oauth.consent_form.time.time", lambda clock=time.time: clock() + 601)
    assert (await flow.answer(page)).status_code == 400


async def test_a_consent_for_one_client_is_none_for_a_second_of_the_same_name_and_redirect_uri(
    flow: Flow,
) -> None:
    await flow.tokens()
    second = await Flow(flow.world).register()
    assert (await second.authorize()).status_code == 200


@pytest.mark.parametrize("host", ["a.example;sandbox", "a.example,b.example", "a.example'"])
async def test_a_redirect_uri_adds_nothing_to_the_page_s_policy(flow: Flow, host: str) -> None:
    odd = await Flow(flow.world, redirect_uri=f"https://{host}/cb").register()
    policy = (await odd.authorize()).headers["content-security-policy"]
    assert policy.split("; ")[2] == "form-action 'self' https:"


async def test_what_a_client_says_of_itself_is_escaped(flow: Flow) -> None:
    mallory = await Flow(flow.world).register(client_name='<script>x</script>"')
    page = await mallory.authorize(state='"><script>', resource=LEDGER)
    assert "<script" not in page.text


async def test_a_state_is_given_back_and_adds_nothing_to_the_answer(flow: Flow) -> None:
    state = "a&code=stolen&iss=https://evil.example#x"
    back = returned(await flow.answer(await flow.authorize(state=state), decision="deny"))
    assert (back["state"], back["iss"], "code" in back) == (state, HERE, False)


@pytest.fixture
async def token(flow: Flow) -> str:
    return str((await flow.tokens())["access_token"])


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims, _ = token.split(".")
    read = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims)]
    return read[0], read[1]


def _unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)
    ]
    return f"{'.'.join(parts)}."


async def test_forged_tokens_open_nothing(flow: Flow, token: str) -> None:
    header, claims = _parts(token)
    public = (await flow.public.get("/oauth/jwks")).json()["keys"][0]
    as_secret = OctKey.import_key(json.dumps(public).encode())
    own = ECKey.generate_key("P-256")
    first, _, last = token.split(".")
    forged = {
        "alg none": _unsigned({**header, "alg": "none"}, claims),
        "HS256 with the public key": jwt.encode({**header, "alg": "HS256"}, claims, as_secret, ["HS256"]),
        "a key of somebody's own": jwt.encode(header, claims, own, ["ES256"]),
        "a kid of somebody's own": jwt.encode({**header, "kid": "../../x"}, claims, own, ["ES256"]),
        "a key in the header": jwt.encode(
            {**header, "jwk": own.as_dict(private=False)}, claims, own, ["ES256"]
        ),
        "other claims": ".".join([first, _unsigned({}, {**claims, "sub": "x:y"}).split(".")[1], last]),
        "an identity token": flow.world.parts.keys.sign(claims, "gatepost-identity+jwt"),
        "of another issuer": flow.world.parts.keys.sign({**claims, "iss": "https://evil.example"}, "at+jwt"),
        "without an end": flow.world.parts.keys.sign(
            {name: value for name, value in claims.items() if name != "exp"}, "at+jwt"
        ),
        "nested": _unsigned(header, {}).replace("e30", base64.urlsafe_b64encode(b"[" * 5000).decode()),
    }  # fmt: skip
    for name, value in forged.items():
        answer = await flow.world.ask(value, "/mcp/ledger")
        assert answer.status_code == 401, name


async def test_an_expired_token_says_so(flow: Flow, token: str) -> None:
    _, claims = _parts(token)
    old = flow.world.parts.keys.sign({**claims, "exp": int(time.time()) - 60}, "at+jwt")
    assert (await flow.world.ask(old, "/mcp/ledger")).json()["reason"] == "expired"


async def test_a_token_of_one_resource_is_refused_at_every_other(flow: Flow, token: str) -> None:
    for path in ("/mcp/other", "/mcp/registry", "/a2a/ledger", "/api", "/ui"):
        answer = await flow.world.ask(token, path)
        assert (answer.status_code, answer.json()["reason"]) == (401, "audience"), path


async def test_an_access_token_has_no_groups_in_it(token: str) -> None:
    header, claims = _parts(token)
    assert header["typ"] == "at+jwt"
    assert set(claims) == {"iss", "aud", "sub", "client_id", "iat", "exp", "jti", "gid"}


async def test_a_client_with_a_secret_redeems_nothing_without_it(flow: Flow) -> None:
    await preregister(flow.world, "portal", "s3cret", redirect_uris=[flow.redirect_uri])
    portal = Flow(flow.world, "portal", secret="wrong")
    code = await portal.code()
    assert (await portal.redeem(code)).status_code == 401
    portal.secret = "s3cret"
    assert (await portal.redeem(code)).status_code == 200
