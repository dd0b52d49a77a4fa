from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.core.sealing import Sealer
from app.core.settings import Settings
from app.core.store import Store, open_store
from tests.mongodb.fixtures import Variables


@pytest.fixture
def settings(tmp_path: Path, backend: Variables) -> Settings:
    return Settings.from_environ({"GATEPOST_STATE_DIR": str(tmp_path), **backend})


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    opened = await open_store(settings)
    yield opened
    await opened.close()


@pytest.fixture
def sealer() -> Sealer:
    return Sealer([b"k" * 32])
