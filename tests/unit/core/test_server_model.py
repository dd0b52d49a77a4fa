import pytest

from app.core.models import Upstream


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("https://a.example", "a.example", 443, "/"),
        ("https://A.example:443/mcp?x=1#y", "a.example", 443, "/mcp?x=1"),
        ("http://a.example:8000/a%20b/", "a.example:8000", 8000, "/a%20b/"),
        ("http://[::1]:9/mcp", "[::1]:9", 9, "/mcp"),
        ("http://10.0.0.1?x", "10.0.0.1", 80, "/?x"),
    ],
)
def test_a_url_is_taken_apart(url: str, host: str, port: int, target: str) -> None:
    upstream = Upstream.from_url(url)
    assert (upstream.host, upstream.port, upstream.target) == (host, port, target)


@pytest.mark.parametrize(
    "url",
    [
        "", "a.example", "ftp://a.example", "http://", "http:///x", "//a.example", "http://u:p@a.example",
        "http://a.example:0", "http://a.example:99999", "http://a.example:x", "http://[::1", "http://a b/",
        "http://a.example/x y", "http://a.example/\r\nX: y", "http://a.example/\t", "http://ä.example",
        "http://a$b.example", "http://a.example/\u2028", 'http://a.example/"', "http://[fe80::1%25eth0]/",
    ],
)  # fmt: skip
def test_what_is_no_url_for_an_upstream_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"\S+ \S+"):
        Upstream.from_url(url)
