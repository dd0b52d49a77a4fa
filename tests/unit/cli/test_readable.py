import asyncio
from pathlib import Path

import pytest

from app.cli.readable import follow, last_lines, readable


def test_a_json_line_becomes_a_message_and_its_values() -> None:
    line = '{"event": "listening", "level": "info", "timestamp": "2026-11-23T12:00:00Z", "port": 8081}'
    assert readable("auth", line) == "auth     │ listening port=8081"


def test_a_warning_is_marked() -> None:
    assert readable("registry", '{"event": "slow", "level": "warning"}') == "registry │ warning: slow"


@pytest.mark.parametrize("line", ["plain words", "[1]", '{"no": "event"}'])
def test_any_other_line_stays_as_it_is(line: str) -> None:
    assert readable("gateway", line) == f"gateway  │ {line}"


def test_the_last_lines_of_a_file_come_oldest_first(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("".join(f"{number}\n" for number in range(1000)))
    assert last_lines(tmp_path / "log", 2) == ["998", "999"]
    assert last_lines(tmp_path / "nothing", 2) == []


@pytest.mark.anyio
async def test_following_sees_a_file_that_is_made_later_and_one_that_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = follow(path)

    async def after(text: str) -> str:
        waiting = asyncio.ensure_future(anext(lines))
        await asyncio.sleep(0)
        path.write_text(text)
        return await asyncio.wait_for(waiting, 10)

    assert await after("the first of all\n") == "the first of all"
    assert await after("cut\n") == "cut"
    await lines.aclose()
