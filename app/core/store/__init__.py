from app.core.store.base import ABSENT, Change, Conflict, Document, Page, Store, Stored, StoreError
from app.core.store.opening import open_store

__all__ = ["ABSENT", "Change", "Conflict", "Document", "Page", "Store", "StoreError", "Stored", "open_store"]
