"""What `POST /api/scopes/explain` takes."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.core.models import SLUG_PATTERN, Scope
from app.core.policy import NAMED_METHODS
from app.core.policy_questions import AtRegistry, OnAgent, OnServer, Question

CALLS = {"tool": "tools/call", "prompt": "prompts/get", "resource": "resources/read"}
"""What is asked about a name alone; these methods, and subscriptions to a resource, need one."""
_NEED_NAME = frozenset({*CALLS.values(), "resources/subscribe", "resources/unsubscribe"})
Slug = Annotated[str, Field(pattern=SLUG_PATTERN)]
Name = Annotated[str, Field(min_length=1, max_length=2048)]


class Asked(BaseModel):
    """Whether somebody may do something. Without `subject` and `groups` it is about the caller.

    One of: `server` with `method` or a `tool`, `prompt` or `resource`; `agent`; `registry`, an action, with
    a `server` or an `agent` where it is about one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: Name | None = Field(None, description="somebody who logged in once, such as local:admin")
    groups: list[Name] | None = Field(None, max_length=1000, description="anybody in these groups of ours")
    scopes: list[Name] | None = Field(None, max_length=100, description="what their token is narrowed to")
    server: Slug | None = None
    method: Name | None = Field(None, description="default: the one that uses what is named")
    tool: Name | None = None
    prompt: Name | None = None
    resource: Name | None = None
    agent: Slug | None = None
    action: Name | None = Field(None, description="on an agent: read or invoke, the default")
    registry: Name | None = Field(None, description="an action at the registry, such as servers:write")
    draft: list[Scope] = Field([], max_length=100, description="scopes as if they were saved")
    without: list[Name] = Field([], max_length=100, description="names of scopes as if they were deleted")

    @model_validator(mode="after")
    def _makes_sense(self) -> "Asked":
        if self.subject is not None and self.groups is not None:
            raise ValueError("give either subject or groups")
        self.question()
        return self

    @property
    def is_draft(self) -> bool:
        """Whether scopes are asked about that are not saved."""
        return bool(self.draft or self.without)

    def question(self) -> Question:
        """What is asked. Raises ValueError."""
        names = {kind: name for kind in CALLS if (name := getattr(self, kind)) is not None}
        if self.registry is not None:
            if names or self.method or self.action or (self.server and self.agent):
                raise ValueError("with registry goes a server or an agent, and nothing else")
            return AtRegistry(self.registry, self.server or "*", self.agent)
        if self.agent is not None:
            if names or self.method or self.server:
                raise ValueError("with agent goes an action, and nothing else")
            return OnAgent(self.agent, self.action or "invoke")
        if self.server is None:
            raise ValueError("say what it is about: a server, an agent or a registry action")
        return self._on_server(self.server, names)

    def _on_server(self, server: str, names: dict[str, str]) -> OnServer:
        if self.action or len(names) > 1:
            raise ValueError("with server goes a method and a tool, a prompt or a resource")
        kind, name = next(iter(names.items()), (None, None))
        method = self.method or (CALLS[kind] if kind else None)
        if method is None:
            raise ValueError("say what is done at the server: a method, a tool, a prompt or a resource")
        if kind and NAMED_METHODS.get(method) != f"{kind}s":
            raise ValueError(f"{method} names no {kind}")
        if not kind and method in _NEED_NAME:
            raise ValueError(f"{method} needs the {NAMED_METHODS[method][:-1]} that it is about")
        return OnServer(server, method, name)
