"""Stores for tests. A test that asks for `backend` runs on every one."""

import os
import uuid
from collections.abc import Iterator

import pytest
from pymongo import MongoClient

from app.core.settings import Settings
from tests.mongodb.server import INSTALL, MongoServer

Variables = dict[str, str]
OURS, GIVEN = "ferretdb", "test-mongo-uri"
SERVERS = [OURS, GIVEN] if os.environ.get("TEST_MONGO_URI") else [OURS]


@pytest.fixture(scope="session")
def mongodb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """One server for every test that does not stop it."""
    if not os.environ.get("FERRETDB"):
        pytest.skip(INSTALL)
    server = MongoServer(tmp_path_factory.mktemp("mongodb"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=SERVERS)
def mongodb(request: pytest.FixtureRequest) -> Iterator[Settings]:
    """The settings of a store in new collections, once for each server."""
    yield from (Settings.from_environ(found) for found in new_database(request, request.param))


@pytest.fixture(params=["sqlite", *SERVERS])
def backend(request: pytest.FixtureRequest) -> Iterator[Variables]:
    """The variables that name a new store, beside the state folder: none for SQLite."""
    if request.param == "sqlite":
        yield {}
    else:
        yield from new_database(request, request.param)


def new_database(request: pytest.FixtureRequest, server: str) -> Iterator[Variables]:
    """The variables that name a new store on one of SERVERS; it is dropped afterwards."""
    if server == OURS:
        name = f"test_{uuid.uuid4().hex}"
        uri = request.getfixturevalue("mongodb_server").database(name)
        yield {"GATEPOST_MONGODB_URI": uri}
        with MongoClient[dict[str, object]](uri) as client:
            client.drop_database(name)
        return
    uri, prefix = os.environ["TEST_MONGO_URI"], f"test_{uuid.uuid4().hex[:16]}_"
    yield {"GATEPOST_MONGODB_URI": uri, "GATEPOST_MONGODB_COLLECTION_PREFIX": prefix}
    with MongoClient[dict[str, object]](uri) as client:
        database = client.get_default_database("gatepost")
        for name in database.list_collection_names():
            if name.startswith(prefix):
                database.drop_collection(name)
