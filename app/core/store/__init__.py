from app.core.store.base import ABSENT, Change, Conflict, Document, Page, Store, StoreError, open_store

__all__ = ["ABSENT", "Change", "Conflict", "Document", "Page", "Store", "StoreError", "open_store"]
