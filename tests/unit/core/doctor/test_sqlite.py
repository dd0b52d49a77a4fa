from pathlib import Path

import pytest

from app.core.doctor import Finding, State
from app.core.doctor.sqlite import check_sqlite, filesystem, space
from app.core.store.sqlite import SqliteStore

pytestmark = pytest.mark.anyio
MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export /srv/my\\040data nfs4 rw 0 0
tmpfs /srv/my\\040data/fast tmpfs rw 0 0
"""


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    store = await SqliteStore.open(tmp_path / "gatepost.db")
    await store.put_new("things", {f"{n:04}": {"text": "x" * 500} for n in range(1000)})
    await store.close()
    return tmp_path / "gatepost.db"


def first(path: Path) -> Finding:
    return check_sqlite(path)[0]


async def test_a_sound_store_is_said_to_be_sound(path: Path) -> None:
    assert {finding.state for finding in check_sqlite(path)} == {State.OK}


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert first(tmp_path / "gatepost.db").state == State.WARNING
    assert list(tmp_path.iterdir()) == []


async def test_a_damaged_store_is_an_error(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(20 * 4096)
        file.write(b"\xff" * 3 * 4096)
    found = first(path)
    assert found.state == State.ERROR
    assert "backup" in found.fix


async def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "gatepost.db"
    path.write_bytes(b"not a database, but long enough to be taken for one " * 100)
    assert first(path).state == State.ERROR


@pytest.mark.parametrize(
    ("free", "expected"),
    [(5 * 1024**3, State.OK), (500 * 1024**2, State.WARNING), (1024**2, State.ERROR)],
)
def test_little_space_is_a_warning_and_almost_none_an_error(free: int, expected: State) -> None:
    assert space(free).state == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/home/me/gatepost.db", "ext4"),
        ("/srv/my data/gatepost.db", "nfs4"),
        ("/srv/my data/fast/gatepost.db", "tmpfs"),
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(path: str, expected: str) -> None:
    assert filesystem(Path(path), MOUNTS) == expected
