import pytest

from app.auth.clients.model import Client
from app.auth.clients.redirects import redirect_uri_allowed, registrable


def client(*uris: str) -> Client:
    return Client(client_id="x", kind="dynamic", name="x", redirect_uris=list(uris), created_at="now")


REGISTERED = client(
    "https://notes.example/cb",
    "http://127.0.0.1:33418/cb?a=b",
    "http://localhost/cb",
    "http://[::1]:1/cb",
    "com.example.app:/cb",
)


@pytest.mark.parametrize(
    "uri",
    [
        *REGISTERED.redirect_uris,
        "http://127.0.0.1:50001/cb?a=b",
        "http://127.0.0.1/cb?a=b",
        "http://localhost:8/cb",
        "http://[::1]:65535/cb",
    ],
)
def test_a_registered_uri_counts_and_on_loopback_with_any_port(uri: str) -> None:
    assert redirect_uri_allowed(REGISTERED, uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://notes.example/cb/",
        "https://notes.example/cb?x",
        "https://notes.example/cb#x",
        "https://notes.example:444/cb",
        "https://notes.example:443/cb",
        "https://NOTES.example/cb",
        "https://notes.example/CB",
        "https://notes.example/x/../cb",
        "https://notes.example.evil.example/cb",
        "https://user@notes.example/cb",
        "http://notes.example/cb",
        "http://127.0.0.1:33418/cb",
        "http://127.0.0.1:33418/cb?a=b&c",
        "http://127.0.0.1:33418/cb?a=b#c",
        "http://127.0.0.1:33418@evil.example/cb?a=b",
        "http://127.0.0.1:33418.evil.example/cb?a=b",
        "http://127.0.0.2:33418/cb?a=b",
        "http://localhost:33418/cb?a=b",
        "http://LOCALHOST/cb",
        "http://localhost.evil.example/cb",
        "http://localhost:0/cb",
        "http://localhost:65536/cb",
        "http://localhost:/cb",
        "http://localhost:8/cb\n",
        "http://localhost:٣/cb",
        "https://localhost:8/cb",
        "com.example.app:/cb/",
        "com.example.app:8/cb",
    ],
)
def test_whatever_else_differs_is_another_uri(uri: str) -> None:
    assert not redirect_uri_allowed(REGISTERED, uri)


@pytest.mark.parametrize(
    "uri",
    [
        "https://notes.example/cb?x=1",
        "https://[2001:db8::1]:8443/",
        "http://127.0.0.1:1/",
        "http://127.0.0.1",
        "http://localhost/cb",
        "cursor://anysphere.cursor-retrieval/oauth/callback",
        "com.example.app:/cb",
        "vscode://vscode.github-authentication/did-authenticate",
        "ms-appx-web://microsoft.aad.brokerplugin/x",
    ],
)
def test_these_may_be_registered(uri: str) -> None:
    assert registrable(uri) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/cb",
        "notes.example/cb",
        "https://",
        "https:///cb",
        "https://user@notes.example/cb",
        "https://user:pass@notes.example/cb",
        "https://notes.example/cb#x",
        "https://notes.example/cb#",
        "https://notes.example:99999/cb",
        "https://notes.example\\@evil.example/cb",
        "https://notes.example/c b",
        "https://nötes.example/cb",
        "https://notes.example/cb\r\nX: y",
        "https://[::1/cb",
        "http://notes.example/cb",
        "http://0.0.0.0/cb",
        "http://127.0.0.1:0/",
        "http://127.0.0.1.evil.example/",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\tscript:alert(1)",
        "javascript://notes.example/%0aalert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "blob:https://notes.example/x",
        "filesystem:https://notes.example/x",
        "vbscript:x",
        "about:blank",
        "intent://x",
        "ms-msdt:/id",
        "search-ms:query=x",
        "mailto:a",
        "cursor:",
        "https://notes.example/" + "a" * 2048,
    ],
)
def test_these_may_not(uri: str) -> None:
    with pytest.raises(ValueError, match=r"is|has|names"):
        registrable(uri)
