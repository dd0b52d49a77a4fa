"""Agent cards as somebody would post them."""

from typing import Any

META = "dev.gatepost/agent"


def card(origin: str = "http://127.0.0.1:9000", **changed: Any) -> dict[str, Any]:
    """A valid card with both bindings at this origin."""
    return {
        "name": "The Auditor",
        "description": "Looks at books",
        "version": "1.0.0",
        "supportedInterfaces": [
            {"url": f"{origin}/rpc", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"},
            {"url": f"{origin}/rest", "protocolBinding": "HTTP+JSON", "protocolVersion": "1.0"},
        ],
        "capabilities": {"streaming": True},
        "defaultInputModes": ["text/plain"],
        "defaultOutputModes": ["text/plain"],
        "skills": [{"id": "audit", "name": "Audit", "description": "Audits", "tags": ["books"]}],
        **changed,
    }
