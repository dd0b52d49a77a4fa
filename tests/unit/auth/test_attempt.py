import secrets
import time
from urllib.parse import quote

import pytest
from fastapi import Request
from fastapi.responses import Response

from app.auth.login.attempt import Attempt, clear_attempt, read_attempt, set_attempt
from app.auth.login.rules import LONGEST
from app.core.sealing import Sealer

HERE = "https://gate.example"
SEALER = Sealer([bytes(32)])


def kept(attempt: Attempt) -> Request:
    """The request of a browser that keeps this attempt."""
    response = Response()
    set_attempt(response, SEALER, HERE, attempt)
    cookie = response.headers["set-cookie"].split(";")[0]
    return Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})


def test_an_attempt_comes_back_as_it_was() -> None:
    attempt = Attempt("corp", "/ui")
    assert read_attempt(kept(attempt), SEALER, HERE, "corp") == attempt


def test_no_two_attempts_are_alike() -> None:
    one, two = Attempt("corp", "/ui"), Attempt("corp", "/ui")
    assert {one.state, one.nonce, one.verifier}.isdisjoint({two.state, two.nonce, two.verifier})


def test_an_attempt_at_one_provider_is_none_at_another() -> None:
    assert read_attempt(kept(Attempt("corp", "/ui")), SEALER, HERE, "other") is None


def test_an_attempt_gets_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    request = kept(Attempt("corp", "/ui"))
    later = time.time() + 601
    monkeypatch.setattr("time.time", lambda: later)
    assert read_attempt(request, SEALER, HERE, "corp") is None


def test_an_attempt_that_was_sealed_elsewhere_is_none() -> None:
    assert read_attempt(kept(Attempt("corp", "/ui")), Sealer([bytes([1] * 32)]), HERE, "corp") is None


def test_a_browser_without_an_attempt_has_none() -> None:
    assert read_attempt(Request({"type": "http", "headers": []}), SEALER, HERE, "corp") is None


def test_the_browser_keeps_it_for_this_host_alone_and_hides_what_is_in_it() -> None:
    attempt = Attempt("corp", "/ui")
    response = Response()
    set_attempt(response, SEALER, HERE, attempt)
    clear_attempt(response, HERE)
    for cookie in response.headers.getlist("set-cookie"):
        assert cookie.startswith("__Host-gatepost_login=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
        assert attempt.verifier not in cookie


def test_the_longest_request_of_a_client_fits_into_a_cookie() -> None:
    state, challenge = secrets.token_urlsafe(700), secrets.token_urlsafe(32)
    client = quote("https://app.example/" + "client/" * 60, safe="")
    after = f"/oauth/authorize?client_id={client}&state={state}&code_challenge={challenge}&scope="
    after += "+".join(f"team-{n}-readers" for n in range(200))
    response = Response()
    set_attempt(response, SEALER, HERE, Attempt("corp", after[:LONGEST]))
    assert len(response.headers["set-cookie"].split(";")[0]) < 4096
