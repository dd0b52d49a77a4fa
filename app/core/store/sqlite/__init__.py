from app.core.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
