from pydantic import BaseModel

from app.core.policy import Grants


class Rights(BaseModel):
    """What the caller may do: on servers the names that each method reaches, on agents actions.

    At the registry: actions on servers (`registry`) and on agents.
    """

    servers: dict[str, dict[str, list[str]]]
    agents: dict[str, list[str]]
    registry: dict[str, list[str]]
    registry_agents: dict[str, list[str]]

    @classmethod
    def of(cls, grants: Grants) -> "Rights":
        """Grants with everything sorted."""
        return cls(
            servers={
                slug: {method: sorted(names) for method, names in sorted(rights.items())}
                for slug, rights in sorted(grants.servers.items())
            },
            agents={agent: sorted(actions) for agent, actions in sorted(grants.agents.items())},
            registry={server: sorted(actions) for server, actions in sorted(grants.registry.items())},
            registry_agents={
                agent: sorted(actions) for agent, actions in sorted(grants.registry_agents.items())
            },
        )


class Me(BaseModel):
    """Who the caller is; `scopes` is what the credential is narrowed to, null for nothing."""

    subject: str
    client: str
    groups: list[str]
    scopes: list[str] | None
    rights: Rights


class Version(BaseModel):
    """What answers here."""

    name: str = "gatepost"
    version: str
