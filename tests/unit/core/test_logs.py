import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.logs import REDACTED, redact

TOKEN = "gp_" + "a" * 43


@pytest.mark.parametrize(
    "key",
    [
        "authorization",
        "Authorization",
        "cookie",
        "set-cookie",
        "token",
        "access_token",
        "password",
        "client_secret",
        "X-Api-Key",
        "credentials",
        "Gatepost-Gateway-Secret",
        "Gatepost-Identity",
        "sealing_keys",
        "private_key",
    ],
)
def test_a_member_with_the_name_of_a_secret_is_struck_out_at_any_depth(key: str) -> None:
    event = {
        key: "hunter2",
        "headers": {key: "hunter2"},
        "pairs": [(key.encode(), b"hunter2")],
        "many": [{key: 1}],
    }
    cleaned = json.dumps(redact(None, "info", event))
    assert "hunter2" not in cleaned
    assert cleaned.count(REDACTED) == 4


@pytest.mark.parametrize("key", ["token_id", "token_name", "keys", "subject", "authorized", "secretary"])
def test_a_member_that_is_no_secret_stays(key: str) -> None:
    assert redact(None, "info", {key: "value"}) == {key: "value"}


@pytest.mark.parametrize(
    "text",
    [f"GET /?x={TOKEN}", "Bearer hunter2!", "bearer hunter2!", "Basic hunter2!", "eyJhbGciOi.eyJzdWIi.c2ln"],
)
def test_a_token_inside_a_text_is_struck_out(text: str) -> None:
    cleaned = str(redact(None, "info", {"event": f"refused {text} again"})["event"])
    assert REDACTED in cleaned
    assert cleaned.startswith("refused")
    assert cleaned.endswith("again")
    for secret in (TOKEN, "hunter2", "eyJ"):
        assert secret not in cleaned


PROGRAM = """
import logging, structlog
from app.core.logs import configure
from app.core.settings import Settings
configure(Settings(), "auth")
structlog.get_logger("ours").info("hello", password="hunter2", n=1)
structlog.get_logger("ours").debug("not heard")
logging.getLogger("uvicorn.error").info("started %s", "well")
logging.getLogger("uvicorn.access").info("GET /")
try:
    raise RuntimeError("with Bearer hunter2")
except RuntimeError:
    structlog.get_logger("ours").exception("failed")
    logging.getLogger("library").exception("failed too")
"""


def test_every_logger_writes_one_json_object_a_line_without_secrets() -> None:
    top = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=top, capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["hello", "started well", "failed", "failed too"]
    assert {line["process"] for line in lines} == {"auth"}
    assert (lines[0]["n"], lines[0]["level"], lines[0]["logger"]) == (1, "info", "ours")
    assert all("timestamp" in line for line in lines)
    assert "RuntimeError" in lines[2]["exception"]
    assert "RuntimeError" in lines[3]["exception"]
    assert "hunter2" not in done.stderr
    assert done.stdout == ""


def test_at_debug_the_database_driver_does_not_write_what_is_stored() -> None:
    program = (
        "import logging; from app.core import logs; from app.core.settings import Settings;"
        "logs.configure(Settings.from_environ({'GATEPOST_LOG_LEVEL': 'debug'}), 'test');"
        "logging.getLogger('pymongo.command').debug('a document')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
