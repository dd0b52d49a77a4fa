from app.core.settings import Settings
from app.core.store.base import KEPT_CHANGES, Store
from app.core.store.migrations import bring_forward


async def open_store(settings: Settings, kept_changes: int = KEPT_CHANGES) -> Store:
    """The store that the settings name, with all it needs made, in the newest form. Raises StoreError."""
    # One backend is loaded, not all.
    if settings.mongodb_uri is not None:
        from app.core.store.mongo import MongoStore  # noqa: PLC0415

        store: Store = await MongoStore.open(settings, kept_changes)
    else:
        from app.core.store.sqlite import SqliteStore  # noqa: PLC0415

        store = await SqliteStore.open(settings.state_dir / "gatepost.db", kept_changes)
    try:
        await bring_forward(store)
    except BaseException:
        await store.close()
        raise
    return store
