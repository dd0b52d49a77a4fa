"""`python -m app.auth`: the auth server, configured by GATEPOST_ variables alone."""

import asyncio
import sys

from app.auth.serve import serve
from app.auth.startup import StartupError
from app.core.listen import ListenError
from app.core.logs import configure
from app.core.sealing import SealError
from app.core.settings import SettingsError, load_settings
from app.core.store import StoreError


def main() -> int:
    """Run until SIGTERM; the exit status is 0, 1 where it cannot start, 2 for a setting that is wrong."""
    try:
        settings = load_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    configure(settings, "auth")
    try:
        asyncio.run(serve(settings))
    except (StartupError, ListenError, StoreError, SealError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
