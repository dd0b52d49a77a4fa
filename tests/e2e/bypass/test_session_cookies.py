import httpx2
import pytest

from tests.e2e.bypass.gate import PATH, SLUG, Gate, Header, call

pytestmark = pytest.mark.e2e
CALL = call()
FOREIGN = {
    "another_origin": [("Origin", "https://evil.example")],
    "an_opaque_origin": [("Origin", "null")],
    "another_port": [("Origin", "http://127.0.0.1:1")],
    "a_longer_host": [("Origin", "{url}.evil.example")],
    "a_path_behind": [("Origin", "{url}/")],
    "no_origin": [],
    "cross_site": [("Sec-Fetch-Site", "cross-site")],
    "same_site": [("Sec-Fetch-Site", "same-site")],
    "typed_by_hand": [("Sec-Fetch-Site", "none")],
    "an_origin_that_denies_it": [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")],
    "a_referrer_alone": [("Referer", "{url}/ui")],
}
OWN = [("Origin", "{url}"), ("Sec-Fetch-Site", "same-origin")]


@pytest.fixture(scope="module")
def cookie(open_gate: Gate) -> Header:
    """The cookie of a session that the local administrator began at the login page."""
    stack = open_gate.stack
    password = stack.file("secrets", "admin_password").read_text().strip()
    answer = httpx2.post(
        f"{stack.url}/login",
        data={"username": "admin", "password": password},
        headers={"Origin": stack.url},
        verify=False,
    )
    assert answer.status_code == 303, answer.text
    return "Cookie", answer.headers["set-cookie"].partition(";")[0]


def filled(gate: Gate, headers: list[Header]) -> list[Header]:
    return [(name, value.replace("{url}", gate.stack.url)) for name, value in headers]


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_a_cookie_from_another_origin_does_not_count(
    gate: Gate, cookie: Header, headers: list[Header]
) -> None:
    sent = [cookie, *filled(gate, headers)]
    gate.refuses(CALL, *sent, token="", rule="origin", status=403)
    for method in ("POST", "DELETE"):
        reply = gate.send(b"{}", *sent, token="", method=method, path=f"/api/servers/{SLUG}")
        assert reply.status == 403
    assert gate.stack.api("GET", f"/api/servers/{SLUG}").status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_cookie_with_what_a_plain_form_can_send_does_not_count(
    gate: Gate, cookie: Header, kind: str
) -> None:
    origin = ("Origin", gate.stack.url)
    gate.refuses(CALL, cookie, origin, token="", kind=("Content-Type", kind), rule="origin", status=403)


@pytest.mark.parametrize(
    "headers", [[("Origin", "{url}")], [("Sec-Fetch-Site", "same-origin")]], ids=["origin", "site"]
)
def test_a_cookie_from_the_gateways_own_pages_counts_and_stays_there(
    gate: Gate, cookie: Header, headers: list[Header]
) -> None:
    gate.passes(CALL, cookie, *filled(gate, headers), token="")
    (received,) = gate.received
    assert received.header("Cookie") == received.header("Origin") == received.header("Sec-Fetch-Site") == []
    assert cookie[1].partition("=")[2] not in repr(received)


def test_the_cookie_is_kept_from_scripts_and_other_hosts(gate: Gate, cookie: Header) -> None:
    name = cookie[1].partition("=")[0]
    assert name == ("gatepost_session" if gate.protocol == "http1" else "__Host-gatepost_session")


def test_the_value_of_a_cookie_is_no_bearer_token(gate: Gate, cookie: Header) -> None:
    value = cookie[1].partition("=")[2]
    gate.refuses(CALL, token=value, rule="malformed", status=401)
    gate.refuses(CALL, ("Gatepost-Session", value), token="", rule="missing", status=401)


def test_a_cookie_that_nobody_made_is_refused(gate: Gate) -> None:
    name = "gatepost_session" if gate.protocol == "http1" else "__Host-gatepost_session"
    made_up = ("Cookie", f"{name}={'x' * 43}")
    gate.refuses(CALL, made_up, ("Origin", gate.stack.url), token="", rule="unknown", status=401)
    assert gate.send(CALL, made_up, path=PATH).passed
