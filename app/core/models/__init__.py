from app.core.models.agent import AgentEntry, AgentInterface, AgentSettings
from app.core.models.scope import AgentGrant, RegistryGrant, Scope, ServerGrant
from app.core.models.server import SLUG_PATTERN, ServerEntry, ServerSettings, Transport, Upstream
from app.core.models.token import Token
from app.core.models.tool import ToolKind, ToolRecord, ToolState

__all__ = [
    "SLUG_PATTERN",
    "AgentEntry",
    "AgentGrant",
    "AgentInterface",
    "AgentSettings",
    "RegistryGrant",
    "Scope",
    "ServerEntry",
    "ServerGrant",
    "ServerSettings",
    "Token",
    "ToolKind",
    "ToolRecord",
    "ToolState",
    "Transport",
    "Upstream",
]
