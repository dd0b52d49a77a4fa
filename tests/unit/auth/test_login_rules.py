import pytest
from fastapi.responses import Response

from app.auth.login.rules import local_path
from app.auth.sessions.cookie import clear_cookie, set_cookie


@pytest.mark.parametrize("path", ["/", "/ui", "/ui/servers/a?b=c&d=%2F#e", "/ui//x"])
def test_a_local_path_is_gone_to(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "ui",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/ui\r\nSet-Cookie: a=b",
        "/a b",
        "/ü",
        " //evil.example",
        "/" + "a" * 4000,
    ],
)
def test_anything_else_leads_home(path: str) -> None:
    assert local_path(path) == "/ui"


@pytest.mark.parametrize("change", [lambda r, u: set_cookie(r, u, "v", 60), clear_cookie])
def test_over_https_the_cookie_is_bound_to_the_host(change: object) -> None:
    response = Response()
    change(response, "https://gate.example")  # type: ignore[operator]
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("__Host-gatepost_session=")
    assert {"Secure", "Path=/", "HttpOnly"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
