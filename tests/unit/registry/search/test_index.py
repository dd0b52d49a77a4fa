from app.core.models import Scope, ServerGrant, ToolKind, ToolState
from app.core.policy import Grants
from app.registry.search.documents import Kind
from app.registry.search.index import SearchIndex
from tests.unit.registry.search.samples import granted, reader, scope, server, tool

ALL: tuple[Kind, ...] = ("tool", "server")
EVERYTHING = granted(
    Scope(name="all", groups=["*"], servers=[ServerGrant(server="*", methods=["*"], tools=["*"])])
)


def weather_index() -> SearchIndex:
    index = SearchIndex()
    index.put_server(server("weather", "Weather desk", "Rain and sun"))
    index.replace(
        "weather", [tool("weather", "get_forecast", "The forecast of a city"), tool("weather", "alerts")]
    )
    return index


def names(index: SearchIndex, query: str, grants: Grants = EVERYTHING, limit: int = 10) -> list[str]:
    return [hit.found.name for hit in index.search(query, grants, ALL, limit)]


def test_a_tool_is_found_by_its_own_words_and_its_servers_title() -> None:
    index = weather_index()
    assert names(index, "city forecast")[0] == "get_forecast"
    assert set(names(index, "desk")) == {"weather", "get_forecast", "alerts"}


def test_a_tag_finds_the_server_and_its_tools() -> None:
    index = weather_index()
    index.put_server(server("weather", tags=["meteorology"]))
    assert set(names(index, "meteorology")) == {"weather", "get_forecast", "alerts"}


def test_a_server_is_found_by_the_last_part_of_its_official_name() -> None:
    index = SearchIndex()
    index.put_server(server("ledger").model_copy(update={"document": {"name": "com.example/bookkeeping"}}))
    assert names(index, "bookkeeping") == ["ledger"]


def test_only_the_kinds_asked_for_come_back_with_the_same_scores() -> None:
    index = weather_index()
    both = index.search("weather forecast", EVERYTHING, ALL, 10)
    tools = index.search("weather forecast", EVERYTHING, ["tool"], 10)
    assert tools == [hit for hit in both if hit.found.kind == "tool"]


def test_blocked_and_quarantined_tools_are_not_found() -> None:
    index = weather_index()
    index.put_tool(tool("weather", "get_forecast", state=ToolState.BLOCKED))
    index.put_tool(tool("weather", "alerts", state=ToolState.QUARANTINED))
    assert names(index, "get_forecast alerts") == []


def test_a_tool_that_is_unblocked_is_found_again() -> None:
    index = weather_index()
    index.put_tool(tool("weather", "alerts", state=ToolState.BLOCKED))
    index.put_tool(tool("weather", "alerts"))
    assert names(index, "alerts") == ["alerts"]


def test_a_disabled_server_and_its_tools_are_not_found_until_it_is_enabled() -> None:
    index = weather_index()
    index.put_server(server("weather", enabled=False))
    assert names(index, "forecast weather alerts") == []
    index.put_server(server("weather"))
    assert names(index, "alerts")[0] == "alerts"


def test_a_removed_server_takes_its_tools_along() -> None:
    index = weather_index()
    index.remove_server("weather")
    assert names(index, "forecast weather alerts") == []
    index.put_server(server("weather"))
    assert names(index, "alerts") == []


def test_discovery_replaces_what_was_known() -> None:
    index = weather_index()
    index.replace("weather", [tool("weather", "radar")])
    assert names(index, "alerts radar") == ["radar"]


def test_a_removed_tool_is_gone() -> None:
    index = weather_index()
    index.remove_tool("weather", ToolKind.TOOL, "alerts")
    assert names(index, "alerts") == []


def test_a_caller_finds_only_the_tools_that_a_scope_names() -> None:
    assert names(weather_index(), "forecast alerts", granted(scope("weather", "alerts"))) == ["alerts"]


def test_a_caller_without_any_right_finds_nothing() -> None:
    assert names(weather_index(), "forecast alerts weather", granted()) == []


def test_the_limit_counts_what_the_caller_sees() -> None:
    index = SearchIndex()
    for slug in ("aaa", "bbb"):
        index.put_server(server(slug))
        index.replace(slug, [tool(slug, "report")])
    assert [hit.found.server for hit in index.search("report", granted(scope("bbb", "*")), ALL, 1)] == ["bbb"]


def test_what_a_caller_may_not_see_changes_no_score() -> None:
    index, grants = weather_index(), granted(scope("weather", "*"))
    alone = index.search("weather forecast alerts", grants, ALL, 10)
    index.put_server(server("secret", "Weather forecast"))
    index.replace("secret", [tool("secret", f"forecast_{number}") for number in range(9)])
    assert index.search("weather forecast alerts", grants, ALL, 10) == alone


def test_equal_scores_come_by_server_and_name() -> None:
    index = SearchIndex()
    for slug in ("zeta", "eta", "beta"):
        index.put_server(server(slug))
        index.replace(slug, [tool(slug, "send_mail"), tool(slug, "mail_send")])
    found = [(hit.found.server, hit.found.name) for hit in index.search("mail", EVERYTHING, ["tool"], 10)]
    assert found == sorted(found)
    assert len(found) == 6


def test_who_may_only_read_the_registry_is_told_why_a_tool_is_not_callable() -> None:
    hit = weather_index().search("alerts", granted(reader()), ["tool"], 1)[0]
    assert hit.refusal == "no scope of yours reaches weather; ask whoever manages scopes"


def test_a_stdio_only_server_is_found_and_says_that_it_is_not_callable() -> None:
    index = SearchIndex()
    index.put_server(server("local-files", stdio_only=True))
    assert "stdio only" in (index.search("files", EVERYTHING, ALL, 1)[0].refusal or "")


def test_a_tool_that_may_be_listed_and_not_called_says_what_is_missing() -> None:
    grant = ServerGrant(server="weather", methods=["tools/list"], tools=["alerts"])
    listing = Scope(name="listing", groups=["*"], servers=[grant])
    hit = weather_index().search("alerts", granted(listing), ["tool"], 1)[0]
    assert "no scope of yours allows tools/call of alerts on weather" in (hit.refusal or "")


def test_a_tool_that_may_be_called_has_no_refusal() -> None:
    hit = weather_index().search("alerts", granted(scope("weather", "alerts")), ["tool"], 1)[0]
    assert hit.refusal is None
