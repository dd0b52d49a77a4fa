"""What `up` prepares before anything runs: the admin's first password, and the CLI's own token."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from app.cli.state import StateFolder
from app.core.settings import PREFIX, Settings
from app.core.store import Store, open_store
from app.core.tokens import TokenStore

PASSWORD = "admin_password"  # noqa: S105  (a file's name)
TOKEN = "cli_token"  # noqa: S105  (a file's name)


async def prepare_accounts(state: StateFolder, settings: Settings, environ: Mapping[str, str]) -> None:
    """Generate what is missing, keep what is there. Raises StoreError where the store cannot be opened."""
    store = await open_store(settings)
    try:
        await _admin_password(state, settings, environ, store)
        await _cli_token(state, settings, store)
    finally:
        await store.close()


async def prepare_token(state: StateFolder, settings: Settings) -> Path:
    """The file of the CLI's own token, made where there is none that works. Raises StoreError."""
    store = await open_store(settings)
    try:
        await _cli_token(state, settings, store)
    finally:
        await store.close()
    return state.secret(TOKEN)


async def _admin_password(
    state: StateFolder, settings: Settings, environ: Mapping[str, str], store: Store
) -> None:
    given = environ.get(f"{PREFIX}ADMIN_PASSWORD") or environ.get(f"{PREFIX}ADMIN_PASSWORD_FILE")
    if given or state.read_secret(PASSWORD) or await store.get("users", settings.admin_username):
        return
    state.write_secret(PASSWORD, secrets.token_urlsafe(12))


async def _cli_token(state: StateFolder, settings: Settings, store: Store) -> None:
    """The credential of `gatepost server …` on this machine: whoever reads the state folder is its admin."""
    tokens = TokenStore(store)
    value = state.read_secret(TOKEN)
    known = await tokens.find(value) if value else None
    if known and known.revoked_at is None:
        return
    _, value = await tokens.create("cli", f"local:{settings.admin_username}", None, None)
    state.write_secret(TOKEN, value)
