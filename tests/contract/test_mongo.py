from functools import partial

import pytest

from app.core.settings import Settings
from app.core.store.mongo import MongoStore
from tests.contract.codes import *  # noqa: F403  (the contract)
from tests.contract.interleavings import *  # noqa: F403  (the contract)
from tests.contract.leases import *  # noqa: F403  (the contract)
from tests.contract.moving import *  # noqa: F403  (the contract)
from tests.contract.store import *  # noqa: F403  (the contract)
from tests.contract.store import OpenAnother


@pytest.fixture
def open_another(mongodb: Settings) -> OpenAnother:
    return partial(MongoStore.open, mongodb)
