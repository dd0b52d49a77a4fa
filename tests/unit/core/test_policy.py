from hypothesis import given
from hypothesis import strategies as st

from app.core.models import AgentGrant, RegistryGrant, Scope, ServerGrant
from app.core.policy import NAMED_METHODS, affected_by_scope, expand

ALL = frozenset({"*"})


def scope(name: str, *, groups: list[str] | None = None, **grant: list[str]) -> Scope:
    return Scope(name=name, groups=groups or ["team"], servers=[ServerGrant(server="s", **grant)])  # type: ignore[arg-type]


def test_two_scopes_do_not_lend_each_other_their_names() -> None:
    lists = scope("a", methods=["tools/list"], tools=["seen"])
    calls = scope("b", methods=["tools/call"], tools=["called"])
    rights = expand(["team"], [lists, calls]).on_server("s")
    assert rights == {"tools/list": {"seen"}, "tools/call": {"called"}}


methods = st.lists(
    st.sampled_from(["tools/list", "tools/call", "prompts/get", "resources/read", "ping", "*"]), max_size=3
)
names = st.lists(st.sampled_from(["x", "y", "*"]), max_size=2)
grants = st.builds(
    ServerGrant,
    server=st.sampled_from(["s", "t", "*"]),
    methods=methods,
    tools=names,
    prompts=names,
    resources=names,
)
scopes = st.lists(
    st.builds(
        Scope,
        name=st.sampled_from(["a", "b", "c"]),
        groups=st.lists(st.sampled_from(["team", "others", "*"]), max_size=2),
        servers=st.lists(grants, max_size=2),
    ),
    max_size=4,
)


@given(scopes)
def test_a_right_is_there_when_one_grant_alone_gives_it(documents: list[Scope]) -> None:
    rights = expand(["team"], documents).on_server("s")
    for method, member in NAMED_METHODS.items():
        for name in ("x", "y"):
            by_one = any(
                {name, "*"} & set(getattr(grant, member)) and {method, "*"} & set(grant.methods)
                for document in documents
                if {"team", "*"} & set(document.groups)
                for grant in document.servers
                if grant.server in {"s", "*"}
            )
            assert bool({name, "*"} & rights.get(method, frozenset())) == by_one


@given(scopes, st.lists(st.sampled_from(["a", "b", "x"]), max_size=2))
def test_a_narrowing_never_adds_a_right(documents: list[Scope], narrowed: list[str]) -> None:
    whole = expand(["team"], documents).on_server("s")
    for method, reached in expand(["team"], documents, narrowed).on_server("s").items():
        assert reached <= whole[method]


def test_no_scope_means_no() -> None:
    grants = expand(["team"], [])
    assert not grants.sees("s")
    assert not grants.may("servers:read", "s")


def test_a_scope_is_for_its_groups_only() -> None:
    assert not expand(["others"], [scope("a", methods=["*"], tools=["*"])]).sees("s")


def test_the_group_of_everyone_reaches_every_caller() -> None:
    assert expand([], [scope("a", groups=["*"], methods=["*"], tools=["*"])]).may_call("s", "anything")


def test_a_token_narrowed_to_nothing_may_nothing() -> None:
    assert not expand(["team"], [scope("a", methods=["*"], tools=["*"])], []).sees("s")


def test_an_unknown_method_grants_nothing() -> None:
    assert expand(["team"], [scope("a", methods=["tools/destroy"], tools=["*"])]).on_server("s") == {}


def test_a_method_without_names_reaches_none() -> None:
    assert not expand(["team"], [scope("a", methods=["tools/call"])]).may_call("s", "x")


def test_a_method_that_names_nothing_is_allowed_as_a_whole() -> None:
    assert expand(["team"], [scope("a", methods=["tasks/get"])]).on_server("s") == {"tasks/get": ALL}


def test_registry_actions_hold_for_the_servers_they_name() -> None:
    readers = Scope(
        name="a", groups=["team"], registry=[RegistryGrant(actions=["servers:read"], servers=["s"])]
    )
    grants = expand(["team"], [readers])
    assert grants.may("servers:read", "s")
    assert not grants.may("servers:read", "t")
    assert not grants.may("servers:read")
    assert not grants.may("servers:write", "s")
    assert grants.sees("s")


def test_a_changed_scope_affects_the_servers_of_both_its_forms() -> None:
    before = Scope(name="a", groups=["team"], servers=[ServerGrant(server="old", methods=["*"])])
    after = Scope(name="a", groups=["team"], servers=[ServerGrant(server="new", methods=["*"])])
    assert {"/mcp/old", "/mcp/new", "/mcp/registry", "/api"} <= affected_by_scope(before, after)
    everywhere = Scope(name="a", groups=["team"], servers=[ServerGrant(server="*", methods=["*"])])
    assert affected_by_scope(before, everywhere) == ALL
    assert affected_by_scope(everywhere, None) == ALL


def agents(name: str, agent: str, *actions: str) -> Scope:
    return Scope(name=name, groups=["team"], agents=[AgentGrant(agent=agent, actions=list(actions))])


def test_actions_on_agents_add_up_and_unknown_ones_grant_nothing() -> None:
    documents = [agents("a", "auditor", "read"), agents("b", "*", "invoke"), agents("c", "other", "destroy")]
    grants = expand(["team"], documents)
    assert grants.on_agent("auditor") == {"read", "invoke"}
    assert grants.on_agent("other") == {"invoke"}
    assert not expand(["team"], documents[2:]).sees_agent("other")
    assert expand(["team"], [agents("a", "auditor", "*")]).on_agent("auditor") == {"read", "invoke"}


def test_registry_actions_on_one_server_hold_on_no_agent_and_the_other_way_round() -> None:
    on_server = RegistryGrant(actions=["*"], servers=["ledger"])
    on_agent = RegistryGrant.model_validate({"actions": ["*"], "agents": ["ledger"]})
    on_all = RegistryGrant(actions=["*"])
    found = [
        expand(["team"], [Scope(name="a", groups=["team"], registry=[grant])])
        for grant in (on_server, on_agent, on_all)
    ]
    assert [grants.may("servers:write", "ledger") for grants in found] == [True, False, True]
    assert [grants.may_on_agent("agents:write", "ledger") for grants in found] == [False, True, True]
    assert [grants.may("scopes:write") for grants in found] == [False, False, True]


def test_a_changed_scope_affects_the_agents_of_both_its_forms() -> None:
    changed = affected_by_scope(agents("a", "old", "read"), agents("a", "new", "read"))
    assert {"/a2a/old", "/a2a/new", "/api"} <= changed
    assert affected_by_scope(agents("a", "*", "read"), None) == ALL
