from pathlib import Path

import pytest

from app.cli.accounts import prepare_token
from app.cli.state import StateFolder
from app.core.settings import Settings
from app.core.store import open_store
from app.core.tokens import TokenStore
from tests.mongodb.fixtures import Variables

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path, backend: Variables) -> Settings:
    return Settings.from_environ({"GATEPOST_STATE_DIR": str(tmp_path), **backend})


@pytest.fixture
def state(settings: Settings) -> StateFolder:
    folder = StateFolder(settings.state_dir)
    folder.prepare()
    return folder


async def test_a_hosts_token_is_the_administrators_and_is_kept(
    settings: Settings, state: StateFolder
) -> None:
    file = await prepare_token(state, settings)
    value = file.read_text().strip()
    assert (await prepare_token(state, settings)).read_text().strip() == value
    store = await open_store(settings)
    found = await TokenStore(store).find(value)
    assert found is not None
    assert found.subject == "local:admin"
    await store.close()


async def test_a_token_that_the_store_does_not_know_is_replaced(
    settings: Settings, state: StateFolder
) -> None:
    state.write_secret("cli_token", "of another store")
    assert (await prepare_token(state, settings)).read_text().strip() != "of another store"
