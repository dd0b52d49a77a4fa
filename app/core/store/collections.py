from collections.abc import Mapping

COLLECTIONS: Mapping[str, tuple[str, ...]] = {
    "servers": (),
    "agents": (),
    "tools": ("server", "state"),
    "scopes": (),
    "group_mappings": ("provider",),
    "security_scans": ("server",),
    "health": (),
    "credentials": (),
    "people": (),
    "users": (),
    "logins": ("subject",),
    "sessions": ("subject",),
    "clients": (),
    "consents": ("subject", "client_id"),
    "codes": (),
    "used_codes": (),
    "grants": ("subject", "client_id", "login"),
    "revoked_tokens": (),
    "assertions": (),
    "saml_outcomes": (),
    "agent_identities": (),
    "tokens": ("subject",),
    "token_uses": ("subject",),
    "keys": (),
    "audit_events": ("subject", "server"),
    "meta": (),
}
"""Every collection of documents, and the members by which `Store.list` finds them fast."""

CHANGES, LEASES = "changes", "leases"
"""What a store keeps beside documents, for itself."""
