"""Why somebody may or may not do one thing: the scopes that allow it, and what the others lack. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.core.models.scope import WILDCARD, Scope
from app.core.policy import expand
from app.core.policy_questions import Lack, Question, listed


@dataclass(frozen=True)
class Finding:
    """One scope in an explanation: which of the caller's groups it is for, and what it lacks."""

    scope: Scope
    groups: list[str]
    lacks: list[Lack]

    @property
    def would_help(self) -> bool:
        """Whether it would do for a caller in its groups, with a token that is not narrowed."""
        return bool(self.scope.groups) and {lack.rule for lack in self.lacks} <= {"group", "token"}


@dataclass(frozen=True)
class Explanation:
    """`by` are the scopes that allow it; `near` those that are about it and do not, the nearest first."""

    by: list[Finding]
    near: list[Finding]

    @property
    def allowed(self) -> bool:
        """Whether scopes allow it: the same as what `expand` gives."""
        return bool(self.by)


def explain(
    question: Question,
    groups: Iterable[str],
    scopes: Iterable[Scope],
    narrowed_to: Sequence[str] | None = None,
) -> Explanation:
    """Why a caller in `groups`, with a token narrowed to those scopes, may or may not do something."""
    mine = {*groups, WILDCARD}
    found = [_finding(question, mine, scope, narrowed_to) for scope in scopes]
    findings = sorted((finding for finding in found if finding), key=lambda finding: finding.scope.name)
    near = [finding for finding in findings if finding.lacks]
    near.sort(key=lambda finding: (len(finding.lacks), not finding.would_help))
    return Explanation([finding for finding in findings if not finding.lacks], near)


def _finding(
    question: Question, mine: set[str], scope: Scope, narrowed_to: Sequence[str] | None
) -> Finding | None:
    lacks = []
    if not question.allowed_by(expand([WILDCARD], [scope.model_copy(update={"groups": [WILDCARD]})])):
        lack = question.lack(scope)
        if lack is None:
            return None
        lacks.append(lack)
    groups = sorted(mine.intersection(scope.groups))
    if not groups:
        lacks.append(Lack("group", f"it is for {listed('groups', scope.groups)}"))
    if narrowed_to is not None and scope.name not in narrowed_to:
        lacks.append(Lack("token", f"the token is narrowed to {listed('scopes', narrowed_to)}"))
    return Finding(scope, groups, lacks)
