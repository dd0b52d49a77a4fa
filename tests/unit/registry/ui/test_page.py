import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app.core.models import ServerEntry
from app.registry.ui import page
from tests.unit.registry.conftest import World
from tests.unit.registry.search.samples import server, tool

pytestmark = pytest.mark.anyio
USER = ["clerks"]


async def put(world: World, entry: ServerEntry, state: str = "unknown", reason: str | None = None) -> None:
    slug = entry.settings.slug
    health = {"server": slug, "state": state, "reason": reason, "checked_at": "2026-11-01T10:20:30+00:00"}
    await world.store.commit("servers", slug, entry.model_dump(mode="json"))
    await world.looked_at(health)


async def html(world: World, groups: list[str]) -> str:
    answer = await world.http.get("/ui", headers=world.identity(groups))
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_a_server_is_shown_with_its_state_tools_and_address(world: World) -> None:
    record = tool("ledger", "get_balance")
    await world.store.put("tools", record.id, record.model_dump(mode="json"))
    await put(world, server("ledger", "The ledger", "Accounts"), "healthy")
    grant = {"server": "ledger", "methods": ["tools/call"], "tools": ["*"]}
    await world.scope("clerks", USER, servers=[grant])
    text = await html(world, USER)
    for part in (
        "The ledger",
        ">Up<",
        "1 registered, 1 up",
        "<dd>1</dd>",
        "http://127.0.0.1:8080/mcp/ledger",
    ):
        assert part in text
    assert "local:alice" in text


async def test_a_server_that_is_down_says_why(world: World) -> None:
    await put(world, server("ledger"), "unreachable", "the connection was refused")
    text = await html(world, ["admins"])
    assert ">Unreachable<" in text
    assert "the connection was refused" in text


async def test_a_stdio_only_server_is_shown_as_not_callable(world: World) -> None:
    await put(world, server("files", stdio_only=True))
    text = await html(world, ["admins"])
    assert "stdio only" in text
    assert "/mcp/files" not in text


async def test_a_server_out_of_sight_is_not_on_the_page(world: World) -> None:
    await put(world, server("secret"))
    assert "secret" not in await html(world, USER)


async def test_an_empty_registry_says_the_next_step_to_those_who_can_take_it(world: World) -> None:
    assert "gatepost server add" in await html(world, ["admins"])
    other = await html(world, USER)
    assert "gatepost server add" not in other
    assert "Ask whoever manages scopes" in other


async def test_what_others_wrote_is_shown_as_text(world: World) -> None:
    evil = "<script>alert(1)</script>\"'>"
    await put(world, server("evil", evil, evil), "unreachable", evil)
    text = await html(world, ["admins"])
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 3


async def test_the_page_lets_a_browser_load_its_style_sheet_and_nothing_else(world: World) -> None:
    answer = await world.http.get("/ui", headers=world.admin)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=", answer.text)
    address = re.findall(r'<link rel="stylesheet" href="([^"]+)"', answer.text)
    style = await world.http.get(address[0])
    assert style.status_code == 200
    assert style.headers["Content-Type"].startswith("text/css")


async def test_a_logout_button_ends_the_session_at_the_auth_server(world: World) -> None:
    assert '<form method="post" action="/logout"><button type="submit">' in await html(world, USER)


async def test_the_page_is_well_formed_with_one_heading_and_a_language(world: World) -> None:
    pages = [await html(world, ["admins"]), await html(world, USER)]
    await put(world, server("ledger"), "unreachable", "timed out")
    for text in (*pages, await html(world, ["admins"])):
        outline = _Outline()
        outline.feed(text)
        outline.close()
        assert outline.open == []
        assert text.count("<h1>") == 1
        assert '<html lang="en">' in text


async def test_without_an_identity_there_is_no_page(world: World) -> None:
    assert (await world.http.get("/ui")).status_code == 401


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_colour_has_the_contrast_that_wcag_aa_asks_for(theme: str) -> None:
    css = Path(page.__file__).with_name("gatepost.css").read_text()
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w{6})", part)) for part in css.split("@media", 1))
    colours = light if theme == "light" else dark
    for name in ("text", "quiet", "up", "down", "unsure"):
        assert min(contrast(colours[name], colours[ground]) for ground in ("page", "card")) >= 4.5, name
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    assert min(contrast(colours["focus"], colours[ground]) for ground in ("page", "card")) >= 3


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    low, high = sorted(luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


class _Outline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in {"meta", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


async def test_a_person_is_called_by_the_name_that_the_provider_gave(world: World) -> None:
    assert "local:alice</strong>" in await html(world, USER)
    person = {"subject": "local:alice", "provider": "local", "name": "<Ada>", "groups": USER}
    await world.store.put("people", "local:alice", person)
    assert '<strong title="local:alice">&lt;Ada&gt;</strong>' in await html(world, USER)
