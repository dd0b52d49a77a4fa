import re
import time
from typing import Any

import pytest

from app.auth.providers.local import LocalProvider

pytestmark = pytest.mark.anyio
HERE = "http://127.0.0.1:8080"


async def test_the_right_password_starts_a_session(world: Any) -> None:
    answer = await world.log_in(next="/ui/servers?q=a")
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/servers?q=a")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("gatepost_session=")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Max-Age=43200"} <= set(cookie.split("; "))


async def test_an_unknown_name_and_a_wrong_password_get_one_answer(world: Any) -> None:
    wrong = await world.log_in(password="no")
    unknown = await world.log_in(username="ADMIN")
    assert wrong.status_code == unknown.status_code == 403
    assert wrong.text == unknown.text.replace('value="ADMIN"', 'value="admin"')
    assert "set-cookie" not in wrong.headers


async def test_an_unknown_name_costs_a_hash_too(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    monkeypatch.setattr("app.auth.providers.local._fits", lambda stored, _password: checked.append(stored))
    provider = await LocalProvider.open(world.parts.store)
    assert await provider.authenticate("nobody", "x") is None
    assert [stored[:10] for stored in checked] == ["$argon2id$"]


async def test_the_password_that_unknown_names_are_checked_with_opens_nothing(world: Any) -> None:
    assert await world.parts.local.authenticate("nobody", "nobody has this name") is None


async def test_the_page_takes_no_script_no_foreign_style_and_no_frame(world: Any) -> None:
    answer = await world.public.get("/login")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"


async def test_what_was_typed_comes_back_escaped(world: Any) -> None:
    answer = await world.log_in(username='"><script>alert(1)</script>', next="/ui?a=<b>\"'")
    assert "<script" not in answer.text
    assert "<b>" not in answer.text


async def test_every_field_has_a_label(world: Any) -> None:
    html = (await world.public.get("/login")).text
    fields = re.findall(r'<input id="(\w+)"', html)
    assert fields == re.findall(r'<label for="(\w+)"', html) == ["username", "password"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
@pytest.mark.parametrize("path", ["/login", "/logout"])
async def test_a_form_from_elsewhere_is_refused(world: Any, path: str, headers: dict[str, str]) -> None:
    form = {"username": "admin", "password": "correct horse"}
    answer = await world.public.post(path, data=form, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": HERE},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    ],
)
async def test_our_own_form_is_taken(world: Any, headers: dict[str, str]) -> None:
    form = {"username": "admin", "password": "correct horse"}
    assert (await world.public.post("/login", data=form, headers=headers)).status_code == 303


async def test_a_name_is_tried_five_times_from_an_address(world: Any) -> None:
    answers = [(await world.log_in(password="no")).status_code for _ in range(5)]
    assert answers == [403] * 5
    refused = await world.log_in()
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert (await world.log_in(username="other")).status_code == 403


async def test_the_session_is_known_at_the_gateway_with_its_groups(world: Any) -> None:
    await world.log_in()
    cookie = {"Gatepost-Session": world.public.cookies["gatepost_session"]}
    answer = await world.internal.get("/internal/verdict?resource=/ui", headers=cookie)
    assert answer.json()["caller"]["principal"] == "local:admin"


async def test_the_cookie_s_value_is_not_in_the_store(world: Any) -> None:
    await world.log_in()
    value = world.public.cookies["gatepost_session"]
    assert value not in repr(await world.parts.store.list("sessions"))


async def test_a_logout_ends_the_session_at_every_gateway(world: Any) -> None:
    await world.log_in()
    cookie = {"Gatepost-Session": world.public.cookies["gatepost_session"]}
    before = await world.parts.store.latest_change()
    answer = await world.public.post("/logout", headers={"Origin": HERE})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?choose=true")
    assert "gatepost_session" not in world.public.cookies
    gone = await world.internal.get("/internal/verdict?resource=/ui", headers=cookie)
    assert (gone.status_code, gone.json()["reason"]) == (401, "unknown")
    epoch = await world.internal.get("/internal/epoch", params={"since": before})
    assert epoch.json()["affects"] == ["principal:local:admin"]


async def test_logout_by_a_link_does_nothing(world: Any) -> None:
    assert (await world.public.get("/logout")).status_code == 405


async def test_a_login_forgives_the_failures_before_it(world: Any) -> None:
    for _ in range(2):
        assert [(await world.log_in(password="no")).status_code for _ in range(4)] == [403] * 4
        assert (await world.log_in()).status_code == 303


async def test_a_session_is_over_after_twelve_hours(world: Any) -> None:
    await world.log_in()
    cookie = {"Gatepost-Session": world.public.cookies["gatepost_session"]}
    (session,) = (await world.parts.store.list("sessions")).items
    old = {**session.body, "created_at": time.time() - 12 * 3600}
    await world.parts.store.put("sessions", session.id, old)
    answer = await world.internal.get("/internal/verdict?resource=/ui", headers=cookie)
    assert answer.status_code == 401
