import pytest
from structlog.testing import capture_logs

from app.auth.background import Background


@pytest.mark.anyio
async def test_a_failure_in_the_background_is_logged_and_goes_no_further() -> None:
    async def broken() -> None:
        raise RuntimeError("disk full")

    background = Background()
    with capture_logs() as logs:
        background.run("note a token's use", broken())
        await background.finish()
    assert [(line["work"], line["log_level"]) for line in logs] == [("note a token's use", "error")]
