from hypothesis import given
from hypothesis import strategies as st

from app.core.administrators import ACTION, administering, administrates
from app.core.groups import mapped
from app.core.models import RegistryGrant, Scope
from app.core.policy import expand

names = st.sampled_from(["admins", "ops", "fin", "*"])
places = st.lists(st.sampled_from(["*", "ledger"]), max_size=2)
grants = st.builds(
    RegistryGrant,
    actions=st.lists(st.sampled_from(["*", "scopes:write", "scopes:read"]), max_size=2),
    servers=places,
    agents=places,
)
scopes = st.lists(
    st.builds(
        Scope,
        name=st.just("a"),
        groups=st.lists(names, max_size=2),
        registry=st.lists(grants, max_size=2),
    ),
    max_size=3,
)
tables = st.dictionaries(st.sampled_from(["kc:admins", "kc:ops", "kc:fin"]), st.lists(names, max_size=2))


@given(scopes, st.sampled_from(["kc", "local"]), st.lists(names, max_size=3), tables)
def test_who_administrates_is_who_may_change_every_scope(
    documents: list[Scope], provider: str, groups: list[str], table: dict[str, list[str]]
) -> None:
    expanded = expand(mapped(provider, groups, table), documents)
    assert administrates(provider, groups, table, administering(documents)) == expanded.may(ACTION)
