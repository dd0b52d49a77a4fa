from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.core.sealing import Sealer
from app.core.store import Store
from app.core.store.sqlite import SqliteStore


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await SqliteStore.open(tmp_path / "gatepost.db")
    yield opened
    await opened.close()


@pytest.fixture
def sealer() -> Sealer:
    return Sealer([b"k" * 32])
