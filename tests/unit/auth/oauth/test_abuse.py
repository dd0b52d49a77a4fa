import time
from urllib.parse import urlencode

import pytest

from tests.unit.auth.oauth.conftest import (
    HERE,
    LEDGER,
    VERIFIER,
    Flow,
    hidden,
    preregister,
    returned,
)

pytestmark = pytest.mark.anyio


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


async def test_a_request_that_is_wrong_on_purpose_leads_no_stranger_to_a_site_that_registered_itself(
    flow: Flow,
) -> None:
    assert returned(await flow.authorize(response_type="token"))["error"] == "unsupported_response_type"
    flow.public.cookies.clear()
    answer = await flow.authorize(response_type="token")
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert returned(await flow.authorize(prompt="none"))["error"] == "login_required"


async def test_a_client_that_is_not_known_gets_a_page_and_no_redirect(flow: Flow) -> None:
    answer = await flow.authorize(client_id="nobody")
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert "add it again, so that it registers anew" in answer.text


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


async def test_a_client_s_name_says_nothing_of_how_the_client_is_known(flow: Flow) -> None:
    mallory = await Flow(flow.world).register(client_name="Notes, registered by an administrator")
    assert "<dd>registered by itself</dd>" in (await mallory.authorize()).text


async def test_a_state_is_given_back_and_adds_nothing_to_the_answer(flow: Flow) -> None:
    state = "a&code=stolen&iss=https://evil.example#x"
    back = returned(await flow.answer(await flow.authorize(state=state), decision="deny"))
    assert (back["state"], back["iss"], "code" in back) == (state, HERE, False)


async def test_a_client_with_a_secret_redeems_nothing_without_it(flow: Flow) -> None:
    await preregister(flow.world, "portal", "s3cret", redirect_uris=[flow.redirect_uri])
    portal = Flow(flow.world, "portal", secret="wrong")
    code = await portal.code()
    assert (await portal.redeem(code)).status_code == 401
    portal.secret = "s3cret"
    assert (await portal.redeem(code)).status_code == 200
