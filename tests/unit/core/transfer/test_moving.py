import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from app.core.credentials import UpstreamCredential
from app.core.keys import SigningKeys
from app.core.sealing import Sealer
from app.core.settings import Settings
from app.core.store import Store, StoreError, open_store
from app.core.transfer import TransferError, export_store, import_store
from app.core.transfer.exporting import documents

pytestmark = pytest.mark.anyio
OLD, NEW = b"o" * 32, b"n" * 32


def silent(*_: object) -> None:
    pass


@pytest.fixture
async def source(store: Store) -> Store:
    """A store with something of each kind."""
    sealer = Sealer([OLD])
    await SigningKeys.load(store, sealer)
    secret = UpstreamCredential(headers={"Authorization": "hush"}).seal(sealer, "ledger")
    await store.commit("credentials", "ledger", {"sealed": secret})
    await store.put_new("audit_events", {f"{n:05}": {"n": n} for n in range(1203)})
    for n in range(3):
        await store.commit("servers", "ledger", {"n": n}, affects=["/mcp/ledger"])
    await store.put("sessions", "s", {"subject": "local:alice"}, expires_at=2_000_000_000.1234)
    return store


@pytest.fixture
async def target(settings: Settings, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store of the same kind."""
    elsewhere = {"state_dir": tmp_path / "target", "mongodb_collection_prefix": "target_"}
    opened = await open_store(settings.model_copy(update=elsewhere))
    yield opened
    await opened.close()


@pytest.fixture
async def file(source: Store, tmp_path: Path) -> Path:
    await export_store(source, tmp_path / "export.jsonl", silent)
    return tmp_path / "export.jsonl"


async def content(store: Store) -> dict[str, object]:
    return {
        name: [one async for one in documents(store, name)]
        for name in await store.collections()
        if name not in {"credentials", "keys"}
    }


async def test_a_store_filled_from_a_file_has_the_same_documents(
    source: Store, target: Store, file: Path
) -> None:
    await import_store(target, Sealer([OLD]), file, silent)
    theirs = {name: found for name, found in (await content(source)).items() if found}
    assert {name: found for name, found in (await content(target)).items() if found} == theirs
    found = await target.get("servers", "ledger")
    assert found is not None
    assert found.revision == 3


async def test_the_order_of_changes_goes_on_behind_that_of_the_source(
    source: Store, target: Store, file: Path
) -> None:
    await import_store(target, Sealer([OLD]), file, silent)
    before = await source.latest_change()
    assert await target.latest_change() == before + 1
    assert await target.changes(before - 1) is None


async def test_secrets_are_sealed_anew_by_the_first_key(target: Store, file: Path) -> None:
    await import_store(target, Sealer([NEW, OLD]), file, silent)
    only_new = Sealer([NEW])
    found = await target.get("credentials", "ledger")
    assert found is not None
    opened = UpstreamCredential.open(only_new, "ledger", found.body["sealed"])
    assert opened.headers == {"Authorization": "hush"}
    assert (await SigningKeys.load(target, only_new)).jwks()["keys"]


async def test_secrets_that_no_key_opens_are_refused_before_anything_is_written(
    target: Store, file: Path
) -> None:
    with pytest.raises(TransferError, match=r"cannot be opened here.*GATEPOST_SEALING_KEYS"):
        await import_store(target, Sealer([NEW]), file, silent)
    there = await content(target)
    assert not there.get("servers")
    assert not there.get("audit_events")
    await import_store(target, Sealer([OLD]), file, silent)


async def test_an_interrupted_import_goes_on_where_it_was(
    source: Store, target: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, written = target.put, 0

    async def dies(*given: object, **more: object) -> object:
        nonlocal written
        written += 1
        if written == 3:
            raise StoreError("gone")
        return await put(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(target, "put", dies)
    with pytest.raises(StoreError, match="gone"):
        await import_store(target, Sealer([NEW, OLD]), file, silent)
    monkeypatch.undo()
    loaded: list[str] = []
    load = target.load

    async def counts(collection: str, found: object) -> None:
        loaded.append(collection)
        await load(collection, found)  # type: ignore[arg-type]

    monkeypatch.setattr(target, "load", counts)
    await import_store(target, Sealer([NEW, OLD]), file, silent)
    assert loaded.count("audit_events") == 2  # of three parts
    assert len(await target.dump("audit_events", None, 2000)) == 1203
    assert await target.get("meta", "import") is None


async def test_what_ended_while_the_file_lay_there_is_no_difference(
    store: Store, target: Store, tmp_path: Path
) -> None:
    end = time.time() + 0.3
    await store.put("sessions", "short", {}, expires_at=end)
    await store.put("sessions", "long", {}, expires_at=end + 86_400)
    await export_store(store, tmp_path / "x.jsonl", silent)
    while time.time() < end:
        await asyncio.sleep(0.05)
    await import_store(target, Sealer([OLD]), tmp_path / "x.jsonl", silent)
    assert [one.id for one in await target.dump("sessions", None, 10)] == ["long"]


async def test_an_import_into_a_store_that_has_something_changes_nothing(target: Store, file: Path) -> None:
    await target.put("servers", "mine", {})
    with pytest.raises(TransferError, match="not empty: it has servers"):
        await import_store(target, Sealer([OLD]), file, silent)
    assert [one.id for one in await target.dump("servers", None, 10)] == ["mine"]


async def test_a_store_that_another_import_began_is_refused(target: Store, file: Path) -> None:
    await target.put("meta", "import", {"file": "another", "done": 0})
    with pytest.raises(TransferError, match="another file"):
        await import_store(target, Sealer([OLD]), file, silent)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda lines: lines[:-1], "ends in the middle"),
        (lambda lines: [*lines[:-1], lines[-1][:-20]], "no line of an export"),
        (lambda lines: [*lines[:5], lines[5].replace('"n":4', '"n":5'), *lines[6:]], "altered: audit_events"),
        (lambda lines: [*lines[:5], lines[4], *lines[5:]], "altered: audit_events"),
        (lambda lines: [*lines, lines[3]], "more after its end"),
        (lambda lines: lines[1:], "not made by"),
        (lambda _: ["{}\n"], "not made by"),
        (lambda _: ["hello\n"], "no line of an export"),
        (
            lambda lines: [lines[0].replace('"gatepost_export":1', '"gatepost_export":9'), *lines[1:]],
            "format 9",
        ),
        (lambda lines: [lines[0].replace('"schema":1', '"schema":9'), *lines[1:]], "schema version 9"),
    ],
)
async def test_a_file_that_is_not_whole_is_refused_before_anything_is_written(
    target: Store, file: Path, spoil: Callable[[list[str]], list[str]], reason: str
) -> None:
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(spoil(lines)))
    with pytest.raises(TransferError, match=reason):
        await import_store(target, Sealer([OLD]), file, silent)
    assert not (await content(target)).get("audit_events")


async def test_an_export_is_its_owners_alone_and_holds_no_opened_secret(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    assert "hush" not in file.read_text()
    assert base64.b64encode(OLD).decode() not in file.read_text()


async def test_an_export_never_overwrites(source: Store, file: Path) -> None:
    before = file.read_text()
    with pytest.raises(TransferError, match="there already"):
        await export_store(source, file, silent)
    assert file.read_text() == before


async def test_an_interrupted_export_goes_on_in_the_audit_log(source: Store, file: Path) -> None:
    lines = file.read_text().splitlines(keepends=True)
    again = file.with_name("again.jsonl")
    part = again.with_name("again.jsonl.part")
    part.write_text("".join(lines[:601]) + lines[601][:20])
    told: list[str] = []
    await export_store(source, again, lambda collection, *_: told.append(collection))
    assert told.count("audit_events") == 1203 - 600
    assert again.read_text().splitlines()[1:] == file.read_text().splitlines()[1:]
    assert not part.exists()


async def test_policy_that_changes_during_an_export_is_read_again(
    source: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump, once = source.dump, iter([True])

    async def changed_meanwhile(collection: str, *more: object) -> object:
        found = await dump(collection, *more)  # type: ignore[arg-type]
        if collection == "servers" and next(once, False):
            await source.commit("servers", "new", {"n": 9})
        return found

    monkeypatch.setattr(source, "dump", changed_meanwhile)
    await export_store(source, tmp_path / "x.jsonl", silent)
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines if line.get("collection") == "servers"] == ["ledger", "new"]
    assert lines[-1]["change"] == await source.latest_change()
