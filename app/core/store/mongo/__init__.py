from app.core.store.mongo.store import MongoStore

__all__ = ["MongoStore"]
