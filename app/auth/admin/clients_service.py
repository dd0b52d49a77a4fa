import secrets
from datetime import UTC, datetime

from app.auth.admin.client_schemas import ClientSettings, NewClient
from app.auth.clients.model import Client
from app.auth.clients.registration import new_secret
from app.auth.clients.repository import ClientRepository
from app.auth.clients.service import client_of, secret_digest
from app.core.etag import Precondition
from app.core.problems import Problem
from app.core.store import Conflict, Document

BY_SECRET = ("client_secret_basic", "client_secret_post")


async def found(clients: ClientRepository, client_id: str) -> Document:
    """The client's document. Raises a 404 problem."""
    document = await clients.find(client_id)
    if document is None:
        detail = f"no client is registered as {client_id}; one known by its document is not"
        raise Problem(404, "no-such-client", "There is no such client", detail)
    return document


async def create(clients: ClientRepository, settings: NewClient) -> tuple[Document, str | None]:
    """The document and the secret, None for a client that needs none. Raises a 409 problem."""
    client_id = settings.client_id or f"client-{secrets.token_hex(8)}"
    secret = new_secret() if settings.auth_method in BY_SECRET else None
    client = Client(
        client_id=client_id,
        kind="preregistered",
        secret_digest=None if secret is None else secret_digest(secret),
        created_at=datetime.now(UTC).isoformat(),
        **settings.model_dump(exclude={"client_id"}),
    )
    try:
        return await clients.create(client), secret
    except Conflict:
        detail = f"a client is registered as {client_id} already; choose another id, or replace that one"
        raise Problem(409, "client-id-taken", "The id is taken", detail) from None


async def replace(
    clients: ClientRepository, client_id: str, settings: ClientSettings, condition: Precondition
) -> Document:
    """Its secret stays where it still needs one. Raises 404, 409, 412 and 422 problems."""
    document = await _own(clients, client_id)
    before = client_of(document)
    keeps = settings.auth_method in BY_SECRET
    if keeps and before.secret_digest is None:
        detail = f"auth_method: {client_id} has no secret; take it away and register it anew"
        raise Problem(422, "invalid-client", "The client cannot become one with a secret", detail)
    digest = before.secret_digest if keeps else None
    client = before.model_copy(update={**settings.model_dump(), "secret_digest": digest})
    return await clients.replace(client, condition.check(document))


async def rotate(clients: ClientRepository, client_id: str) -> str:
    """A new secret; the one before ends at once. Raises 404, 409 and 412 problems."""
    document = await _own(clients, client_id)
    client = client_of(document)
    if client.auth_method not in BY_SECRET:
        detail = f"{client_id} authenticates by {client.auth_method}"
        raise Problem(409, "no-secret", "The client has no secret", detail)
    secret = new_secret()
    changed = client.model_copy(update={"secret_digest": secret_digest(secret)})
    await clients.replace(changed, document.revision)
    return secret


async def delete(clients: ClientRepository, client_id: str, condition: Precondition) -> None:
    """With all that was given to it. Raises 404 and 412 problems."""
    document = await found(clients, client_id)
    condition.check(document)
    await clients.delete(document)


async def _own(clients: ClientRepository, client_id: str) -> Document:
    document = await found(clients, client_id)
    if document.body["kind"] != "preregistered":
        detail = f"{client_id} registered itself; it can be taken away, and registers anew"
        raise Problem(409, "not-preregistered", "The client is not an administrator's", detail)
    return document
