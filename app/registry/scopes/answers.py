"""What `POST /api/scopes/explain` answers."""

from pydantic import BaseModel

from app.core.policy_explain import Finding
from app.registry.about.schemas import Rights


class Allows(BaseModel):
    """A scope that allows it, and the groups of the caller that it is for."""

    scope: str
    groups: list[str]


class Reason(BaseModel):
    """One thing that stands in the way; `rule` is one word for programs."""

    rule: str
    detail: str


class Near(BaseModel):
    """A scope that is about it and does not allow it."""

    scope: str
    lacks: list[Reason]


class WouldHelp(BaseModel):
    """A scope that allows it to others: to those in its groups (empty: the caller is in one).

    `token`: the caller's token is narrowed and would have to name it.
    """

    scope: str
    groups: list[str]
    token: bool


class Difference(BaseModel):
    """What the draft would change for the caller, in this question and in all."""

    allowed_before: bool
    gained: Rights
    lost: Rights


class Answer(BaseModel):
    """Whether it is allowed, by which scopes, or why not. `obstacles` stop it whatever scopes say."""

    allowed: bool
    subject: str | None
    groups: list[str]
    scopes: list[str] | None
    by: list[Allows]
    obstacles: list[Reason]
    near: list[Near]
    would_help: list[WouldHelp]
    difference: Difference | None = None


def allows(finding: Finding) -> Allows:
    """The answer for a scope that allows it."""
    return Allows(scope=finding.scope.name, groups=finding.groups)


def near(finding: Finding) -> Near:
    """The answer for a scope that does not."""
    lacks = [Reason(rule=lack.rule, detail=lack.detail) for lack in finding.lacks]
    return Near(scope=finding.scope.name, lacks=lacks)


def would_help(finding: Finding) -> WouldHelp:
    """What would have to change for a scope to allow it."""
    lacking = {lack.rule for lack in finding.lacks}
    groups = sorted(finding.scope.groups) if "group" in lacking else []
    return WouldHelp(scope=finding.scope.name, groups=groups, token="token" in lacking)
