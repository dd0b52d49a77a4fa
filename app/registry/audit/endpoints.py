from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from app.core.paging import ListPage
from app.registry.audit.repository import AuditEvents, Wanted
from app.registry.audit.schemas import AuditEvent
from app.registry.deps import Caller, Cursor, Limit, RegistryServices

router = APIRouter(prefix="/api/audit", tags=["audit"])
Exactly = Annotated[str | None, Query(max_length=2048)]


@router.get("")
async def list_audit_events(
    *,
    caller: Caller,
    services: RegistryServices,
    subject: Exactly = None,
    server: Exactly = None,
    method: Exactly = None,
    tool: Exactly = None,
    decision: Literal["allow", "deny"] | None = None,
    rule: Exactly = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> ListPage[AuditEvent]:
    """Requests to MCP servers, the newest first; `subject` and `server` are quick to choose by.

    Needs `audit:read`; for one server's events it is enough on that server. A page may be short, or empty,
    and still have a `next_cursor`.
    """
    caller.require("audit:read", server or "*")
    asked = {
        "subject": subject,
        "server": server,
        "method": method,
        "tool": tool,
        "decision": decision,
        "rule": rule,
    }
    members = {name: value for name, value in asked.items() if value is not None}
    events = AuditEvents(services.store, services.settings.audit_retention_days)
    found, after = await events.page(Wanted(members, since, until), limit, cursor)
    items = [AuditEvent.model_validate(document.body) for document in found]
    return ListPage(items=items, next_cursor=after)
