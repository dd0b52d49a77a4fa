"""Who may do something, by which scopes, or why not; also by scopes that are not saved yet."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.caller import Caller
from app.core.groups import mapped
from app.core.models import Scope
from app.core.policy import expand
from app.core.policy_difference import lost
from app.core.policy_explain import explain
from app.core.policy_questions import OnAgent, OnServer, Question
from app.core.problems import Problem
from app.registry.about.schemas import Rights
from app.registry.group_mappings.repository import MappingRepository
from app.registry.people.repository import PeopleRepository
from app.registry.scopes.answers import Answer, Difference, allows, near, would_help
from app.registry.scopes.obstacles import obstacles
from app.registry.scopes.questions import Asked
from app.registry.services import Services

READ = "scopes:read"


@dataclass(frozen=True)
class _Who:
    subject: str | None
    groups: list[str]
    scopes: list[str] | None


async def answer(services: Services, caller: Caller, asked: Asked) -> Answer:
    """The answer to a question. Who may not read scopes may ask about themselves, and hears of their own.

    Raises 403, 404 and 422 problems.
    """
    reads = caller.grants.may(READ)
    who = await _who(services, caller, asked)
    if asked.is_draft or who.subject != caller.identity.subject:
        caller.require(READ)
    question, saved = asked.question(), await services.scopes.current()
    scopes = _drafted(saved, asked)
    explained = explain(question, who.groups, scopes, who.scopes)
    hindered = await obstacles(services.store, question) if reads or _sees(caller, question) else []
    shown = [finding for finding in explained.near if reads or finding.groups]
    return Answer(
        allowed=explained.allowed and not hindered,
        subject=who.subject,
        groups=who.groups,
        scopes=who.scopes,
        by=[allows(finding) for finding in explained.by],
        obstacles=hindered,
        near=[near(finding) for finding in shown],
        would_help=[would_help(finding) for finding in shown if finding.would_help],
        difference=_difference(who, question, saved, scopes) if asked.is_draft else None,
    )


async def _who(services: Services, caller: Caller, asked: Asked) -> _Who:
    if asked.groups is not None:
        return _Who(None, sorted(set(asked.groups)), asked.scopes)
    own = caller.identity
    subject = asked.subject or own.subject
    narrowed = own.scopes if subject == own.subject and asked.scopes is None else asked.scopes
    if subject != own.subject:
        caller.require(READ)
    person = await PeopleRepository(services.store).find(subject)
    if person is not None:
        table = await MappingRepository(services.store).table()
        return _Who(subject, mapped(person.provider, person.groups, table), narrowed)
    if subject != own.subject:
        detail = f"nobody with the subject {subject} ever logged in here; ask about groups instead"
        raise Problem(404, "no-such-person", "There is no such person", detail)
    return _Who(subject, sorted(own.groups), narrowed)


def _drafted(scopes: Sequence[Scope], asked: Asked) -> Sequence[Scope]:
    replaced = {scope.name: scope for scope in asked.draft}
    if unknown := sorted(set(asked.without) - {scope.name for scope in scopes}):
        detail = f"without: no scope is called {', '.join(unknown)}"
        raise Problem(422, "unknown-scope", "There is no such scope", detail, scopes=unknown)
    gone = {*replaced, *asked.without}
    return [*(scope for scope in scopes if scope.name not in gone), *replaced.values()]


def _sees(caller: Caller, question: Question) -> bool:
    match question:
        case OnServer():
            return caller.grants.sees(question.server)
        case OnAgent():
            return caller.grants.sees_agent(question.agent)
        case _:
            return True


def _difference(
    who: _Who, question: Question, saved: Sequence[Scope], drafted: Sequence[Scope]
) -> Difference:
    before, after = (expand(who.groups, scopes, who.scopes) for scopes in (saved, drafted))
    return Difference(
        allowed_before=question.allowed_by(before),
        gained=Rights.of(lost(after, before)),
        lost=Rights.of(lost(before, after)),
    )
