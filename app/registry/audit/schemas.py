from datetime import datetime

from pydantic import BaseModel, ConfigDict


class AuditEvent(BaseModel):
    """One request as a gateway logged it; members that a newer gateway adds are shown too."""

    model_config = ConfigDict(extra="allow")

    time: datetime
    request_id: str
    subject: str | None = None
    client: str | None = None
    server: str | None = None
    method: str | None = None
    tool: str | None = None
    decision: str | None = None
    rule: str | None = None
    status: int | None = None
    bytes: int | None = None
    upstream_time: float | None = None
    total_time: float | None = None
    trace_id: str | None = None
