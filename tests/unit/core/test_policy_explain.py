from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.models import AgentGrant, RegistryGrant, Scope, ServerGrant
from app.core.policy import NAMED_METHODS, expand
from app.core.policy_difference import lost
from app.core.policy_explain import explain
from app.core.policy_questions import AtRegistry, OnAgent, OnServer, Question

METHODS = [
    *NAMED_METHODS,
    "tasks/get",
    "completion/complete",
    "initialize",
    "notifications/x",
    "tools/destroy",
]
places = st.sampled_from(["s", "t", "*"])
slugs = st.sampled_from(["s", "t", "unknown"])
names = st.lists(st.sampled_from(["x", "y", "*"]), max_size=2)
actions = st.lists(st.sampled_from(["servers:read", "scopes:write", "*"]), max_size=2)
scopes = st.lists(
    st.builds(
        Scope,
        name=st.sampled_from(["a", "b", "c", "d", "e"]),
        groups=st.lists(st.sampled_from(["team", "others", "*"]), max_size=2),
        servers=st.lists(
            st.builds(
                ServerGrant,
                server=places,
                methods=st.lists(st.sampled_from([*METHODS, "*"]), max_size=3),
                tools=names,
                prompts=names,
                resources=names,
            ),
            max_size=2,
        ),
        agents=st.lists(
            st.builds(
                AgentGrant,
                agent=places,
                actions=st.lists(st.sampled_from(["read", "invoke", "no", "*"]), max_size=2),
            ),
            max_size=2,
        ),
        registry=st.lists(
            st.builds(
                RegistryGrant,
                actions=actions,
                servers=st.lists(places, max_size=2),
                agents=st.lists(places, max_size=2),
            ),
            max_size=2,
        ),
    ),
    max_size=5,
    unique_by=lambda scope: scope.name,
)
questions: st.SearchStrategy[Question] = st.one_of(
    st.builds(
        OnServer, server=slugs, method=st.sampled_from(METHODS), name=st.sampled_from(["x", "z", None])
    ),
    st.builds(OnAgent, agent=slugs, action=st.sampled_from(["read", "invoke", "no"])),
    st.builds(
        AtRegistry,
        action=st.sampled_from(["servers:read", "tokens:write"]),
        server=st.sampled_from(["s", "*"]),
        agent=st.sampled_from([None, "s", "*"]),
    ),
)
groups = st.lists(st.sampled_from(["team", "nobody"]), max_size=2)
narrowings = st.none() | st.lists(st.sampled_from(["a", "b", "x"]), max_size=2)
many = settings(max_examples=200, deadline=None)


@many
@given(scopes, groups, narrowings, st.sampled_from([*NAMED_METHODS]), st.sampled_from(["x", "z"]))
def test_what_is_explained_as_allowed_is_what_a_verdict_has(
    documents: list[Scope], mine: list[str], narrowed: list[str] | None, method: str, name: str
) -> None:
    reached = expand(mine, documents, narrowed).on_server("s").get(method, frozenset())
    explained = explain(OnServer("s", method, name), mine, documents, narrowed)
    assert explained.allowed == bool({name, "*"} & reached)


@many
@given(scopes, groups, narrowings, questions)
def test_every_question_is_answered_as_all_scopes_together_answer_it(
    documents: list[Scope], mine: list[str], narrowed: list[str] | None, question: Question
) -> None:
    explained = explain(question, mine, documents, narrowed)
    assert explained.allowed == question.allowed_by(expand(mine, documents, narrowed))
    for finding in explained.by:
        assert question.allowed_by(expand(mine, [finding.scope], narrowed))
    assert all(finding.lacks for finding in explained.near)


@many
@given(scopes, groups, narrowings, questions)
def test_what_would_help_does_help(
    documents: list[Scope], mine: list[str], narrowed: list[str] | None, question: Question
) -> None:
    for finding in explain(question, mine, documents, narrowed).near:
        given_it = question.allowed_by(expand([*mine, *finding.scope.groups], [finding.scope]))
        assert given_it == finding.would_help


@many
@given(scopes, scopes, groups, questions)
def test_what_is_lost_is_what_was_allowed_and_is_no_more(
    before: list[Scope], after: list[Scope], mine: list[str], question: Question
) -> None:
    old, new = expand(mine, before), expand(mine, after)
    if question.allowed_by(old) and not question.allowed_by(new):
        assert question.allowed_by(lost(old, new))
    if not question.allowed_by(old):
        assert not question.allowed_by(lost(old, new))
    assert lost(old, old) == type(old)()


LEDGER = Scope(
    name="readers",
    groups=["fin"],
    servers=[ServerGrant(server="ledger", methods=["tools/call"], tools=["get_balance"])],
)


def reasons(question: Question, *mine: str, narrowed: list[str] | None = None) -> list[tuple[str, str]]:
    (finding,) = explain(question, mine, [LEDGER], narrowed).near
    return [(lack.rule, lack.detail) for lack in finding.lacks]


def test_each_reason_names_what_the_scope_has_and_what_it_lacks() -> None:
    tool = OnServer("ledger", "tools/call", "drop")
    assert reasons(tool, "fin") == [("tool", "it names the tools get_balance, not drop")]
    method = OnServer("ledger", "prompts/list")
    assert reasons(method, "fin") == [("method", "it names the methods tools/call, not prompts/list")]
    allowed = OnServer("ledger", "tools/call", "get_balance")
    assert reasons(allowed, "ops", narrowed=["other"]) == [
        ("group", "it is for the groups fin"),
        ("token", "the token is narrowed to the scopes other"),
    ]


def test_the_scope_that_lacks_least_comes_first_and_a_scope_about_something_else_not_at_all() -> None:
    other = Scope(name="x", groups=["*"], servers=[ServerGrant(server="vault", methods=["*"], tools=["*"])])
    worse = LEDGER.model_copy(update={"name": "a", "servers": [ServerGrant(server="*", methods=["ping"])]})
    found = explain(OnServer("ledger", "tools/call", "get_balance"), [], [other, worse, LEDGER])
    assert [finding.scope.name for finding in found.near] == ["readers", "a"]


def test_a_registry_reason_is_the_place_or_the_action() -> None:
    scope = Scope(name="a", groups=["*"], registry=[RegistryGrant(actions=["servers:read"], servers=["s"])])
    (place,) = explain(AtRegistry("servers:read"), [], [scope]).near
    (action,) = explain(AtRegistry("servers:write", "s"), [], [scope]).near
    assert (place.lacks[0].rule, place.lacks[0].detail) == (
        "server",
        "it names the servers s, not all servers",
    )
    assert action.lacks[0].rule == "action"
