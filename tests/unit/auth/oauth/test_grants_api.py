import time
from typing import Any

import pytest

from app.core.identity import IDENTITY_HEADER, Identity, issue
from tests.unit.auth.oauth.conftest import LEDGER, Flow

pytestmark = pytest.mark.anyio


async def ask(flow: Flow, method: str, path: str = "", subject: str = "local:admin", *groups: str) -> Any:
    who = Identity(subject, "test", list(groups), None)
    parts = flow.world.parts
    token = issue(parts.keys, who, parts.settings.public_url, time.time() + 60)
    return await flow.public.request(method, f"/api/grants{path}", headers={IDENTITY_HEADER: token})


async def test_a_person_sees_what_clients_hold_and_ends_it(flow: Flow) -> None:
    tokens = await flow.tokens("ledger-readers")
    (held,) = (await ask(flow, "GET")).json()["items"]
    assert (held["client_name"], held["resource"], held["scopes"]) == ("Tester", LEDGER, ["ledger-readers"])
    assert not {"refresh", "login"} & held.keys()
    assert (await ask(flow, "DELETE", f"/{held['id']}")).status_code == 204
    answer = await flow.world.ask(tokens["access_token"], "/mcp/ledger")
    assert answer.json()["reason"] == "revoked"
    assert (await ask(flow, "GET")).json()["items"] == []
    assert (await flow.authorize(scope="ledger-readers")).status_code == 200


async def test_grants_are_listed_page_by_page_newest_first(flow: Flow) -> None:
    for _ in range(3):
        await flow.tokens(prompt="consent")
    whole = [held["id"] for held in (await ask(flow, "GET")).json()["items"]]
    first = (await ask(flow, "GET", "?limit=2")).json()
    rest = (await ask(flow, "GET", f"?limit=2&cursor={first['next_cursor']}")).json()
    assert [held["id"] for held in first["items"] + rest["items"]] == whole
    assert (len(whole), rest["next_cursor"]) == (3, None)


async def test_what_others_gave_is_the_administrators_business_alone(flow: Flow) -> None:
    await flow.tokens()
    (held,) = (await ask(flow, "GET")).json()["items"]
    whose = "?subject=local:admin"
    assert (await ask(flow, "GET", whose, "local:eve")).status_code == 403
    assert (await ask(flow, "DELETE", f"/{held['id']}{whose}", "local:eve")).status_code == 403
    assert (await ask(flow, "DELETE", f"/{held['id']}", "local:eve")).status_code == 404
    assert (await ask(flow, "DELETE", f"/{held['id']}{whose}", "local:root", "admins")).status_code == 204
    assert (await flow.public.get("/api/grants")).status_code == 401
