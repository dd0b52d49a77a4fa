"""The realm `corp` as Keycloak's administration API takes it: people, groups and clients."""

from typing import Any

REALM = "corp"
PASSWORD = "correct-horse"
PEOPLE = {"alice": "mcp-admins", "bob": "fin-team", "carol": "fin-team"}
AUDIENCE = "gatepost"
"""Both the client that people log in through and the audience of every access token of these clients."""
CLIENT_SECRET = "gatepost-secret"
AGENT, AGENT_SECRET = "report-agent", "report-agent-secret"
ADMINISTRATION, ADMINISTRATION_SECRET = "gatepost-administration", "administration-secret"
Json = dict[str, Any]


def realm() -> Json:
    """`alice` administers; `bob`, `carol` and the agent's service account are of the finance team."""
    return {
        "realm": REALM,
        "enabled": True,
        "groups": [{"name": name} for name in sorted(set(PEOPLE.values()))],
        "users": [
            *(_person(name, group) for name, group in PEOPLE.items()),
            _service_account(AGENT, groups=["/fin-team"]),
            _service_account(
                ADMINISTRATION,
                clientRoles={
                    "realm-management": [
                        "manage-users",
                        "manage-clients",
                        "view-users",
                        "view-clients",
                        "query-users",
                        "query-groups",
                        "query-clients",
                    ]
                },
            ),
        ],
        "clients": [
            _client(
                AUDIENCE,
                CLIENT_SECRET,
                standardFlowEnabled=True,
                protocolMappers=[_groups(), _audience()],
            ),
            _client(
                AGENT,
                AGENT_SECRET,
                serviceAccountsEnabled=True,
                protocolMappers=[_groups(), _audience()],
            ),
            _client(ADMINISTRATION, ADMINISTRATION_SECRET, serviceAccountsEnabled=True),
        ],
    }


def saml_client(entity_id: str, consumer: str) -> Json:
    """A service provider that wants its assertions signed and nothing of its own signed."""
    return {
        "clientId": entity_id,
        "protocol": "saml",
        "enabled": True,
        "redirectUris": [consumer],
        "frontchannelLogout": True,
        "attributes": {
            "saml.assertion.signature": "true",
            "saml.server.signature": "true",
            "saml.client.signature": "false",
            "saml.force.post.binding": "true",
            "saml.signature.algorithm": "RSA_SHA256",
            "saml_name_id_format": "username",
            "saml_assertion_consumer_url_post": consumer,
        },
        "protocolMappers": [
            _saml_mapper(
                "groups",
                "saml-group-membership-mapper",
                {"attribute.name": "groups", "single": "true", "full.path": "false"},
            ),
            _saml_mapper(
                "mail",
                "saml-user-property-mapper",
                {"attribute.name": "email", "user.attribute": "email"},
            ),
        ],
    }


def _person(name: str, group: str) -> Json:
    return {
        "username": name,
        "enabled": True,
        "email": f"{name}@corp.example",
        "emailVerified": True,
        "firstName": name.capitalize(),
        "lastName": "Example",
        "credentials": [{"type": "password", "value": PASSWORD, "temporary": False}],
        "groups": [f"/{group}"],
        "realmRoles": [f"default-roles-{REALM}"],
    }


def _service_account(client: str, **more: object) -> Json:
    return {
        "username": f"service-account-{client}",
        "enabled": True,
        "serviceAccountClientId": client,
        "realmRoles": [f"default-roles-{REALM}"],
        **more,
    }


def _client(client_id: str, secret: str, **more: object) -> Json:
    return {
        "clientId": client_id,
        "secret": secret,
        "enabled": True,
        "publicClient": False,
        "standardFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        **more,
    }


def _groups() -> Json:
    everywhere = {f"{token}.token.claim": "true" for token in ("id", "access", "userinfo", "introspection")}
    return {
        "name": "groups",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-group-membership-mapper",
        "config": {**everywhere, "claim.name": "groups", "full.path": "false"},
    }


def _audience() -> Json:
    return {
        "name": "audience",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-audience-mapper",
        "config": {"included.custom.audience": AUDIENCE, "access.token.claim": "true"},
    }


def _saml_mapper(name: str, mapper: str, config: dict[str, str]) -> Json:
    return {"name": name, "protocol": "saml", "protocolMapper": mapper, "config": config}
