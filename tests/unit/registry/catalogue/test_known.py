import pytest

from app.core.settings import Settings
from app.core.store import Document
from app.registry.catalogue.known import KnownServers
from app.registry.discovery.health import Health, HealthState
from tests.unit.registry.search.samples import granted, reader, server

ALL = granted(reader())


@pytest.fixture
def servers() -> KnownServers:
    known = KnownServers(Settings.from_environ({}))
    for slug in ("d", "b", "a", "c"):
        known.put(document(slug))
    return known


def document(slug: str, revision: int = 1, **settings: bool) -> Document:
    return Document(slug, revision, server(slug, **settings).model_dump(mode="json"))


def slugs(known: KnownServers, limit: int, cursor: str | None = None) -> tuple[list[str], str | None]:
    items, after = known.page(ALL, limit, cursor)
    return [item.gatepost.slug for item in items], after


def test_servers_are_listed_by_slug_page_after_page(servers: KnownServers) -> None:
    assert slugs(servers, 2) == (["a", "b"], "b")
    assert slugs(servers, 2, "b") == (["c", "d"], None)


def test_a_page_goes_on_behind_a_server_that_was_deleted_meanwhile(servers: KnownServers) -> None:
    servers.remove("b")
    assert slugs(servers, 2, "b") == (["c", "d"], None)
    assert slugs(servers, 9) == (["a", "c", "d"], None)


def test_who_sees_one_server_gets_no_cursor_to_others(servers: KnownServers) -> None:
    items, after = servers.page(granted(reader(["b"])), 1, None)
    assert ([item.gatepost.slug for item in items], after) == (["b"], None)


def test_a_server_that_was_changed_is_listed_with_its_new_revision(servers: KnownServers) -> None:
    servers.page(ALL, 9, None)
    servers.put(document("b", 2, enabled=False))
    found = servers.page(ALL, 9, None)[0][1].gatepost
    assert (found.slug, found.revision, found.enabled) == ("b", 2, False)


def test_what_a_look_found_is_listed_and_outlives_a_change_of_the_server(servers: KnownServers) -> None:
    servers.page(ALL, 9, None)
    servers.put_health(Health(server="b", state=HealthState.UNREACHABLE, counts={"tool": 3}))
    servers.put(document("b", 2))
    found = servers.page(ALL, 9, None)[0][1].gatepost
    assert (found.health.state, found.tools) == ("unreachable", 3)


def test_what_is_found_at_a_server_that_is_gone_is_not_kept(servers: KnownServers) -> None:
    servers.remove("b")
    servers.put_health(Health(server="b", state=HealthState.HEALTHY))
    servers.put(document("b"))
    assert servers.health("b").state == "unknown"
