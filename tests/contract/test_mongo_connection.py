"""How a store in MongoDB is reached: logins, passwords that change, TLS, and what is said otherwise."""

import asyncio
import datetime
import logging
import os
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.core.doctor import State, check_store
from app.core.settings import Settings, SettingsError
from app.core.store import StoreError
from app.core.store.mongo import MongoStore
from app.core.store.mongo.client import Client, options
from tests.mongodb.server import INSTALL, MongoServer

pytestmark = pytest.mark.anyio
Start = Callable[..., MongoServer]
SECRET = "hush-hush"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers of one test's own."""
    if not os.environ.get("FERRETDB"):
        pytest.skip(INSTALL)
    running: list[MongoServer] = []

    def begin(*given: str, reach: str = "") -> MongoServer:
        server = MongoServer(tmp_path / f"server{len(running)}", given, reach)
        server.start()
        running.append(server)
        return server

    yield begin
    for server in running:
        server.stop()


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """The file that the server, and Gatepost, have the password from."""
    path = tmp_path / "password"
    path.write_text(SECRET)
    return path


@pytest.fixture
def guarded(start: Start, password: Path) -> MongoServer:
    return start("--username", "gatepost", "--password-file", str(password))


def settings(uri: str, **more: str) -> Settings:
    return Settings.from_environ({"GATEPOST_MONGODB_URI": uri, **more})


def by_file(server: MongoServer, path: Path) -> Settings:
    named = {"GATEPOST_MONGODB_USERNAME": "gatepost", "GATEPOST_MONGODB_PASSWORD_FILE": str(path)}
    return settings(server.database("gatepost"), **named)


async def refusal(given: Settings) -> str:
    with pytest.raises(StoreError) as refused:
        await MongoStore.open(given)
    assert SECRET not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("mechanism", ["", "SCRAM-SHA-1", "SCRAM-SHA-256"])
async def test_a_user_in_the_uri_logs_in(guarded: MongoServer, mechanism: str) -> None:
    asked = f"?authMechanism={mechanism}" if mechanism else ""
    uri = guarded.database("gatepost").replace("//", f"//gatepost:{SECRET}@") + asked
    store = await MongoStore.open(settings(uri))
    await store.put("things", "a", {})
    await store.close()


async def test_a_wrong_password_is_refused_with_what_to_check(guarded: MongoServer, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("another")
    said = await refusal(by_file(guarded, wrong))
    assert "Authentication failed" in said
    assert "GATEPOST_MONGODB_PASSWORD" in said
    assert "another" not in said


async def test_no_user_where_one_is_needed_is_refused_with_what_to_do(guarded: MongoServer) -> None:
    said = await refusal(settings(guarded.database("gatepost")))
    assert "requires authentication" in said


async def test_a_password_that_is_rotated_is_taken_from_its_file(
    guarded: MongoServer, password: Path
) -> None:
    theirs = password.with_name("theirs")
    theirs.write_text(SECRET)
    store = await MongoStore.open(by_file(guarded, theirs))
    password.write_text("the next one")
    guarded.kill()  # so that every connection is a new one
    guarded.start()
    with pytest.raises(StoreError, match="Authentication failed"):
        await store.get("things", "a")
    theirs.write_text("the next one")
    for number in range(3):
        await store.put("things", f"{number}", {})
    await store.close()


async def test_connections_that_are_open_go_on_with_the_old_password(
    guarded: MongoServer, password: Path
) -> None:
    theirs = password.with_name("theirs")
    theirs.write_text(SECRET)
    store = await MongoStore.open(by_file(guarded, theirs))
    password.write_text("the next one")
    assert await store.get("things", "a") is None
    await store.close()


async def test_a_password_file_that_is_found_empty_is_read_again_once_it_is_written(
    guarded: MongoServer, password: Path
) -> None:
    theirs = password.with_name("theirs")
    theirs.write_text(SECRET)
    store = await MongoStore.open(by_file(guarded, theirs))
    password.write_text("the next one")
    guarded.kill()
    guarded.start()
    theirs.write_text("")
    with pytest.raises(StoreError, match="GATEPOST_MONGODB_PASSWORD is empty"):
        await store.get("things", "a")
    theirs.write_text("the next one")
    await store.put("things", "a", {})
    await store.close()


@pytest.mark.parametrize(
    "between",
    [
        "mongodb://green:{password}@127.0.0.1:port/",
        "mongodb+srv://green:{password}@nowhere.invalid/gatepost",
        "",
    ],
)
async def test_another_user_is_taken_from_the_uris_file_even_after_a_wrong_one(
    guarded: MongoServer, password: Path, between: str
) -> None:
    def named(user: str, secret: str) -> str:
        return guarded.database("gatepost").replace("//", f"//{user}:{secret}@")

    file = password.with_name("uri")
    file.write_text(named("gatepost", SECRET))
    store = await MongoStore.open(Settings.from_environ({"GATEPOST_MONGODB_URI_FILE": str(file)}))
    guarded.kill()
    guarded.options = ("--username", "green", "--password-file", str(password))
    guarded.start()
    file.write_text(between.format(password=SECRET))
    with pytest.raises(StoreError) as refused:
        await store.get("things", "a")
    assert SECRET not in str(refused.value)
    file.write_text(named("green", SECRET))
    await store.put("things", "a", {})
    await store.close()


async def test_callers_that_give_up_leave_the_store_as_good_as_before(guarded: MongoServer) -> None:
    uri = guarded.database("gatepost").replace("//", f"//gatepost:{SECRET}@")
    store = await MongoStore.open(settings(f"{uri}?maxPoolSize=2"))
    tasks = [asyncio.create_task(store.get("things", f"{number}")) for number in range(40)]
    for number, task in enumerate(tasks):
        if number % 4 == 0:
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*(store.put("things", f"{number}", {}) for number in range(10)))
    await store.close()


async def test_a_user_without_rights_is_told_which_are_missing(start: Start, password: Path) -> None:
    denied = ("--deny", "insert,createIndexes")
    server = start("--username", "gatepost", "--password-file", str(password), *denied)
    given = by_file(server, password)
    assert "readWrite" in await refusal(given)
    found = {finding.check: finding for finding in await check_store(given)}["privileges"]
    assert (found.state, found.found) == (State.ERROR, "the user may not insert, createIndexes")


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, private


async def test_tls_is_checked_against_the_ca_of_the_uri(start: Start, tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path, "ours")
    other, _ = _certificate(tmp_path, "other")
    reach = f"?tls=true&tlsCAFile={certificate}"
    server = start("--tls-certificate", str(certificate), "--tls-key", str(key), reach=reach)
    store = await MongoStore.open(settings(server.database("gatepost")))
    await store.put("things", "a", {})
    await store.close()
    soon = "&serverSelectionTimeoutMS=500"
    plain = f"mongodb://127.0.0.1:{server.port}/gatepost"
    assert "certificate verify failed" in await refusal(settings(f"{plain}?tls=true&tlsCAFile={other}{soon}"))
    assert "certificate verify failed" in await refusal(settings(f"{plain}?tls=true{soon}"))
    assert "cannot be used" in await refusal(settings(f"{plain}?{soon}"))
    assert "GATEPOST_MONGODB_URI" in await refusal(settings(f"{plain}?tls=true&tlsCAFile={tmp_path}/none"))


async def test_a_client_certificate_is_shown_where_the_uri_names_one(start: Start, tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path, "ours")
    mine = tmp_path / "mine.pem"
    mine.write_bytes(certificate.read_bytes() + key.read_bytes())
    reach = f"?tls=true&tlsCAFile={certificate}"
    given = (
        "--tls-certificate",
        str(certificate),
        "--tls-key",
        str(key),
        "--tls-client-ca",
        str(certificate),
    )
    server = start(*given, reach=f"{reach}&tlsCertificateKeyFile={mine}")
    store = await MongoStore.open(settings(server.database("gatepost")))
    await store.put("things", "a", {})
    await store.close()
    without = f"mongodb://127.0.0.1:{server.port}/gatepost{reach}&serverSelectionTimeoutMS=500"
    assert "cannot be used" in await refusal(settings(without))


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        (
            f"mongodb://someone:{SECRET}@127.0.0.1:1/x?serverSelectionTimeoutMS=200",
            "127.0.0.1:1 cannot be used",
        ),
        (f"mongodb://someone:{SECRET}@nowhere.invalid/x?serverSelectionTimeoutMS=200", "nowhere.invalid"),
        (f"mongodb://some:one:{SECRET}@127.0.0.1:1/x", "must be escaped"),
        (f"mongodb://someone:{SECRET}@127.0.0.1:port/x", "GATEPOST_MONGODB_URI cannot be used"),
        (f"mongodb://someone:{SECRET}@127.0.0.1:1/x?maxPoolSize=many", "GATEPOST_MONGODB_URI"),
        (f"mongodb://someone:{SECRET}@127.0.0.1:1/x?nosuch=1", "nosuch"),
        (f"mongodb://someone:{SECRET}@/x", "GATEPOST_MONGODB_URI cannot be used"),
        (f"mongodb://someone:1/{SECRET}@127.0.0.1:1/x", "%40"),
        (f"mongodb://someone:1?{SECRET}@127.0.0.1:1/x", "%40"),
        (f"mongodb://someone:{SECRET}#1@127.0.0.1:1/x", "%40"),
        (f"mongodb+srv://someone:1?{SECRET}@nowhere.invalid/x", "%40"),
    ],
)
async def test_what_is_wrong_with_an_address_is_said_without_its_secret(uri: str, reason: str) -> None:
    assert reason in await refusal(settings(uri))


def test_an_address_of_something_else_is_no_setting() -> None:
    with pytest.raises(SettingsError, match="GATEPOST_MONGODB_URI") as refused:
        settings(f"postgres://someone:{SECRET}@db/x")
    assert SECRET not in str(refused.value)


async def test_no_secret_is_in_a_log_or_a_repr(
    guarded: MongoServer, password: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    given = by_file(guarded, password)
    store = await MongoStore.open(given)
    await store.put("things", "a", {})
    await store.close()
    assert SECRET not in caplog.text
    assert SECRET not in repr([given, store, vars(store)])


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("mongodb://db.example.com/", None),
        ("mongodb://u:p@c.cluster-x.eu-central-1.docdb.amazonaws.com:27017/?tls=true", False),
        ("mongodb://c.docdb.cn-north-1.amazonaws.com.cn:27017/", False),
        ("mongodb://c.us-east-1.docdb-elastic.amazonaws.com/", False),
        ("mongodb://c.us-east-1.docdb.amazonaws.com/?retryWrites=true", None),
        ("mongodb://docdb.amazonaws.com.example.com/", None),
    ],
)
def test_writes_are_not_retried_by_the_driver_on_documentdb(uri: str, expected: bool | None) -> None:
    assert options(uri).get("retryWrites") is expected


@pytest.mark.parametrize("given", ["maxPoolSize=7", "maxpoolsize=7"])
def test_an_option_of_the_uri_counts_more_than_our_default(given: str) -> None:
    assert "maxPoolSize" not in options(f"mongodb://db/?{given}")
    assert "connectTimeoutMS" in options(f"mongodb://db/?{given}")


async def test_the_primary_is_read_whatever_the_consoles_string_says() -> None:
    string = "mongodb://db.example.com:27017/?tls=true&replicaSet=rs0&readPreference=secondaryPreferred"
    client = Client(settings(f"{string}&retryWrites=false"))
    database = client.database()
    assert (database.read_preference.name, database.name) == ("Primary", "gatepost")
    assert database.write_concern.document == {"w": "majority", "j": True}
    await client.close()
