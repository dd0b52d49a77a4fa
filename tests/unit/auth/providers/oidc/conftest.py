import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.settings import Settings
from tests.unit.auth.conftest import settings_for
from tests.unit.auth.providers.oidc.openid import CLIENT, SECRET, OpenId


@pytest.fixture
def openid() -> Iterator[OpenId]:
    provider = OpenId()
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture
def settings(tmp_path: Path, openid: OpenId) -> Settings:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    corp = {"type": "oidc", "name": "corp", "issuer": openid.issuer, "client_id": CLIENT}
    more = {"client_secret_file": str(file), "tokens": {"audiences": ["api://gatepost"]}}
    blocks = [{**corp, **more}, {"type": "local"}]
    return settings_for(
        tmp_path, GATEPOST_IDENTITY_PROVIDERS=json.dumps(blocks), GATEPOST_UPSTREAM_NETWORKS=""
    )
