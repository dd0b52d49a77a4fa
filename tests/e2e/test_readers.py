"""The quick reader of common requests against the general one: it may know less, never other."""

import json
import subprocess
from collections.abc import Iterator

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.cli.nginx import find
from app.core import assets
from tests.e2e.stack import free_port, until

pytestmark = pytest.mark.e2e

CONFIGURATION = """
{modules}
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ }}
http {{
  access_log off; lua_package_path "{lua}/?.lua;;"; client_body_buffer_size 1m;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ content_by_lua_block {{
    ngx.req.read_body()
    local text = ngx.req.get_body_data() or ""
    local function shown(message)
      return message
        and {{ method = message.method, id = message.id, name = message.name, uri = message.uri }} or false
    end
    ngx.print(require("cjson").encode {{
      common = shown(require("gatepost.common").read(text)),
      general = shown((require("gatepost.body").general(text))),
    }})
  }} }} }}
}}
"""


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    nginx = find()
    if nginx is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    folder, port = tmp_path_factory.mktemp("readers"), free_port()
    folder.chmod(0o755)
    modules = "\n".join(f"load_module {module};" for module in nginx.modules)
    target = folder / "nginx.conf"
    target.write_text(
        CONFIGURATION.format(
            modules=modules, folder=folder, lua=assets.path("nginx", "lua").absolute(), port=port
        )
    )
    process = subprocess.Popen(
        [str(nginx.binary), "-e", str(folder / "error.log"), "-p", str(folder), "-c", target]
    )
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
        until(lambda: _answers(client), what="NGINX's start")
        yield client
    process.terminate()
    process.wait(10)


def _answers(client: httpx2.Client) -> bool:
    try:
        return client.post("/", content=b"{}").status_code == 200
    except httpx2.TransportError:
        return False


def read(readers: httpx2.Client, body: bytes) -> tuple[dict[str, str] | bool, dict[str, str] | bool]:
    answer = readers.post("/", content=body).json()
    return answer["common"], answer["general"]


def test_the_requests_of_the_sdks_take_the_quick_way(readers: httpx2.Client) -> None:
    compact = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"a":[1]}}}'
    spaced = b'{"method": "resources/read", "params": {"uri": "note://x"}, "jsonrpc": "2.0", "id": "a"}'
    assert read(readers, compact)[0] == {"method": "tools/call", "id": "7", "name": "echo"}
    assert read(readers, spaced)[0] == {"method": "resources/read", "id": '"a"', "uri": "note://x"}


def dumped(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def objects(keys: list[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Objects as text, so that a key may come twice."""
    member = st.tuples(st.sampled_from(keys), st.sampled_from([":", ": ", " :"]), values)
    comma = st.sampled_from([",", ",", ", ", " ,"])
    return st.builds(
        lambda members, between: "{" + between.join(dumped(k) + c + v for k, c, v in members) + "}",
        st.lists(member, max_size=5),
        comma,
    )


leaf = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20))
tree = st.recursive(
    leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
)
names = st.sampled_from(["echo", "echo", "écho", 'quo"te', "back\\slash", "", "x" * 300]) | st.text(
    max_size=8
)
texts = names.map(dumped) | st.just('"echo"')
params = objects(["name", "name", "uri", "arguments", "_meta", "cursor", "Name"], texts | tree.map(dumped))
ids = st.integers(-2, 10**16).map(str) | texts | st.sampled_from(["01", "1.0", "null"])
methods = st.sampled_from(['"tools/call"', '"ping"', '"p\\u0069ng"'])
common_shape = st.builds(
    lambda i, m, p: f'{{"jsonrpc":"2.0","id":{i},"method":{m},"params":{p}}}', ids, methods, params
)
any_shape = objects(["jsonrpc", "id", "method", "params", "extra"], st.just('"2.0"') | ids | methods | params)
inserts = st.sampled_from(["", "", "", '"', "\\", ",", "}", "0", "\x00", "\u017f", ' "id":1,', "NaN"])


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(common_shape | any_shape, st.integers(0, 10_000), inserts)
def test_the_quick_reader_reads_what_the_general_one_reads(
    readers: httpx2.Client, text: str, at: int, insert: str
) -> None:
    at %= len(text) + 1
    common, general = read(readers, (text[:at] + insert + text[at:]).encode("utf-8", "surrogatepass"))
    assert common in (False, general)


def test_long_texts_are_read_alike(readers: httpx2.Client) -> None:
    for text in ("a" * 5000, "é" * 3000, "line\n" * 900, "\\" * 3000, '"' * 3000, "\u0001" + "b" * 3000):
        for ascii_only in (True, False):
            message = {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/call",
                "params": {"name": "n", "arguments": {"t": text}},
            }
            body = json.dumps(message, ensure_ascii=ascii_only).encode()
            common, general = read(readers, body)
            assert common == general == {"method": "tools/call", "id": "1", "name": "n"}


runs = st.integers(0, 40).map(lambda count: b"plain text without end "[: count % 24] * (1 + count // 24))
pieces = st.sampled_from(
    [
        b"\\n",
        b'\\"',
        b"\\\\",
        b"\\u00e9",
        b"\\ud83d\\ude00",
        b"\\ud83d",
        b"\\x",
        b"\\",
        b'"',
        b"\x1f",
        b"\x00",
        b"\x7f",
        "é".encode(),
        "€".encode(),
        "😀".encode(),
        b"\xc0\xaf",
        b"\xe0\x80\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\x80",
        b"\xc3",
        b"\xe2\x82",
        b"\xf0\x9f\x98",
        b"\xff",
    ]
)


def acceptable(body: bytes) -> bool:
    """Whether Python reads it as one object of strict JSON in UTF-8 without lone surrogates."""
    try:
        json.dumps(json.loads(body.decode("utf-8")), ensure_ascii=False).encode("utf-8")
    except ValueError:
        return False
    return True


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(runs, pieces, runs), max_size=4), st.integers(0, 80))
def test_a_long_text_is_accepted_where_python_accepts_it(
    readers: httpx2.Client, parts: list[tuple[bytes, bytes, bytes]], dense: int
) -> None:
    text = (
        b"".join(before + piece + after for before, piece, after in parts) + b"\\n" * dense + b"the end" * 5
    )
    body = b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"arguments":{"t":"' + text + b'"}}}'
    assert bool(read(readers, body)[1]) == acceptable(body)
