"""The tests' MongoDB server is as strict as MongoDB where FerretDB alone is not."""

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bson
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from tests.mongodb.server import INSTALL, MongoServer

Document = dict[str, Any]
WRITERS, ROUNDS = 6, 30


@pytest.fixture
def start() -> Iterator[Callable[[Path], MongoServer]]:
    if not os.environ.get("FERRETDB"):
        pytest.skip(INSTALL)
    running: list[MongoServer] = []

    def begin(state: Path) -> MongoServer:
        server = MongoServer(state)
        server.start()
        running.append(server)
        return server

    yield begin
    for server in running:
        server.stop()


@pytest.fixture
def server(start: Callable[[Path], MongoServer], tmp_path: Path) -> MongoServer:
    return start(tmp_path / "state")


@pytest.fixture
def client(server: MongoServer) -> Iterator[MongoClient[Document]]:
    with MongoClient[Document](server.uri) as client:
        yield client


def at_once(work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def send(server: MongoServer, command: Document, more: bytes = b"") -> Document:
    """The answer to a command as it is, and {} to one that ends the connection."""
    body = bson.encode({**command, "$db": "admin"})
    raw = struct.pack("<iiiiI", 21 + len(body) + len(more), 1, 0, 2013, 0) + b"\0" + body + more
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(raw)
        answer = connection.recv(65536)
    return bson.decode(answer[21:]) if answer else {}


def test_every_increment_of_many_writers_counts(client: MongoClient[Document]) -> None:
    def work(_: int) -> None:
        for _ in range(ROUNDS):
            client.test.counters.find_one_and_update({"_id": "a"}, {"$inc": {"value": 1}}, upsert=True)

    at_once(work)
    assert client.test.counters.find_one() == {"_id": "a", "value": WRITERS * ROUNDS}


def test_what_was_acknowledged_is_there_after_a_crash(
    server: MongoServer, client: MongoClient[Document]
) -> None:
    acknowledged = []
    enough = threading.Event()

    def work(number: int) -> None:
        with MongoClient[Document](server.uri, retryWrites=False) as own:
            for count in range(1_000_000):
                try:
                    own.test.things.insert_one({"_id": f"{number}.{count}"})
                except PyMongoError:
                    return
                acknowledged.append(f"{number}.{count}")
                if len(acknowledged) > 100:
                    enough.set()

    def crash() -> None:
        enough.wait(30)
        server.kill()

    crashing = threading.Thread(target=crash)
    crashing.start()
    at_once(work)
    crashing.join()
    server.start()
    assert len(acknowledged) > 100
    assert set(acknowledged) <= {thing["_id"] for thing in client.test.things.find()}


def test_a_write_that_wants_no_answer_leaves_the_next_one_its_own(client: MongoClient[Document]) -> None:
    quiet = client.test.get_collection("things", write_concern=WriteConcern(0))
    quiet.insert_one({"_id": 1})
    assert client.test.things.find_one() == {"_id": 1}


@pytest.mark.parametrize(
    "command", [{"saslStart": 1}, {"saslStart": 1, "mechanism": 1, "payload": "a"}, {"saslContinue": 1}]
)
def test_a_login_that_makes_no_sense_is_refused(server: MongoServer, command: Document) -> None:
    assert send(server, command)["code"] == 18


def test_a_message_that_is_not_sound_ends_its_connection_alone(
    server: MongoServer, client: MongoClient[Document]
) -> None:
    client.admin.command("ping")
    assert send(server, {"ping": 1}, more=b"\1\xff\xff\xff\x7fdocuments\0") == {}
    for _ in range(100):  # a process that ends is gone by then
        assert client.admin.command("ping") == {"ok": 1.0}


def test_the_path_of_the_state_may_be_longer_than_that_of_a_socket(
    start: Callable[[Path], MongoServer], tmp_path: Path
) -> None:
    start(tmp_path / ("long" * 40))
