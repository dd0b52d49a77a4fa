import os
import uuid
from collections.abc import Iterator

import pytest
from pymongo import MongoClient

from app.core.settings import Settings
from tests.mongodb.server import INSTALL, MongoServer


@pytest.fixture(scope="session")
def mongodb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """One server for every test that does not stop it; each test has a database of its own there."""
    if not os.environ.get("FERRETDB"):
        pytest.skip(INSTALL)
    server = MongoServer(tmp_path_factory.mktemp("mongodb"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def mongodb(mongodb_server: MongoServer) -> Iterator[Settings]:
    """The settings of a store in a new database."""
    name = f"test_{uuid.uuid4().hex}"
    yield Settings.from_environ({"GATEPOST_MONGODB_URI": mongodb_server.database(name)})
    with MongoClient[dict[str, object]](mongodb_server.uri) as client:
        client.drop_database(name)
