"""What a Gatepost keeps in its store, byte for byte."""

from pymongo import MongoClient

from tests.e2e.stack import Stack


def stored(stack: Stack) -> bytes:
    """All collections, or the files of SQLite: to look for what must not be in there."""
    if (uri := stack.settings.mongodb_uri) is None:
        return b"".join(file.read_bytes() for file in stack.file().glob("gatepost.db*"))
    with MongoClient[dict[str, object]](uri.get_secret_value()) as client:
        database, prefix = client.get_default_database("gatepost"), stack.settings.mongodb_collection_prefix
        names = [name for name in database.list_collection_names() if name.startswith(prefix)]
        return repr([(name, list(database[name].find())) for name in names]).encode()
