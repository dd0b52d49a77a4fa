from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from app.core.doctor import State, check_store
from app.core.doctor.mongo import clock, version
from app.core.settings import Settings
from app.core.store import open_store
from tests.mongodb.server import MongoServer

pytestmark = pytest.mark.anyio


@pytest.fixture
def server(mongodb: Settings) -> Iterator[MongoClient[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongodb.secret("mongodb_uri")) as client:
        yield client


async def states(settings: Settings) -> dict[str, State]:
    return {finding.check: finding.state for finding in await check_store(settings)}


async def test_a_database_in_use_has_no_errors(mongodb: Settings) -> None:
    await (await open_store(mongodb)).close()
    found = await states(mongodb)
    assert {found[name] for name in ("clock", "privileges", "indexes", "expiry") if name in found} == {
        State.OK
    }
    assert State.ERROR not in found.values()


async def test_a_new_database_is_no_error_and_is_left_without_documents(
    mongodb: Settings, server: MongoClient[dict[str, Any]]
) -> None:
    assert (await states(mongodb))["indexes"] == State.WARNING
    database = server.get_default_database()
    assert [name for name in database.list_collection_names() if database[name].find_one()] == []


async def test_a_missing_index_is_named(mongodb: Settings, server: MongoClient[dict[str, Any]]) -> None:
    await (await open_store(mongodb)).close()
    server.get_default_database()["tools"].drop_index("server")
    found = {finding.check: finding for finding in await check_store(mongodb)}["indexes"]
    assert (found.state, found.found) == (State.ERROR, "missing: tools.server")


async def test_an_index_of_other_keys_is_named(
    mongodb: Settings, server: MongoClient[dict[str, Any]]
) -> None:
    await (await open_store(mongodb)).close()
    tools = server.get_default_database()["tools"]
    tools.drop_index("server")
    tools.create_index([("other", 1)], name="server")
    found = [finding for finding in await check_store(mongodb) if finding.state == State.ERROR]
    assert [(finding.check, finding.found) for finding in found] == [
        ("indexes", "not as they should be: tools.server")
    ]


async def test_a_database_that_is_away_is_one_finding_with_its_fix(mongodb_server: MongoServer) -> None:
    uri = f"mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100&port={mongodb_server.port}"
    found = await check_store(Settings.from_environ({"GATEPOST_MONGODB_URI": uri.partition("&")[0]}))
    assert [(finding.check, finding.state) for finding in found] == [("store", State.ERROR)]
    assert "127.0.0.1:1" in found[0].found
    assert "GATEPOST_MONGODB_URI" in found[0].fix


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("MongoDB", "8.0.4", State.OK),
        ("MongoDB", "4.4.29", State.WARNING),
        ("DocumentDB", "5.0.0", State.OK),
        ("DocumentDB", "4.0.0", State.WARNING),
        ("FerretDB", "7.0.42", State.WARNING),
    ],
)
def test_a_version_is_judged_by_its_kind(kind: str, text: str, expected: State) -> None:
    found = version(kind, text)
    assert (found.state, found.found) == (expected, f"{kind} {text}")
    assert bool(found.fix) == (expected != State.OK)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.9, State.OK),
        (-0.9, State.OK),
        (1.5, State.WARNING),
        (-3, State.WARNING),
        (6, State.ERROR),
        (-60, State.ERROR),
    ],
)
def test_clocks_that_differ_are_an_error_once_leases_would_break(seconds: float, expected: State) -> None:
    found = clock(timedelta(seconds=seconds))
    assert found.state == expected
    assert ("ahead" in found.found) == (seconds > 0)
