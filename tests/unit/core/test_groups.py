from hypothesis import given
from hypothesis import strategies as st

from app.core.groups import mapped

NAMES = st.lists(st.sampled_from(["admins", "*", "fin", "ops", "/fin/ops"]) | st.text(max_size=8))
TABLE = st.dictionaries(st.sampled_from(["corp:fin", "corp:admins", "other:fin"]), NAMES)


def test_a_group_without_a_mapping_keeps_its_name() -> None:
    assert mapped("corp", ["fin-team", "/eng/core"], {}) == ["/eng/core", "fin-team"]


def test_a_mapping_replaces_the_name_and_may_name_several() -> None:
    assert mapped("corp", ["0a1b"], {"corp:0a1b": ["fin", "readers"]}) == ["fin", "readers"]


def test_a_mapping_is_of_one_provider_alone() -> None:
    assert mapped("other", ["fin"], {"corp:fin": ["admins"]}) == ["fin"]


def test_a_mapping_to_nothing_takes_the_group_away() -> None:
    assert mapped("corp", ["fin"], {"corp:fin": []}) == []


@given(NAMES)
def test_nobody_outside_becomes_an_administrator_by_the_name_of_a_group(names: list[str]) -> None:
    assert not {"admins", "*"} & set(mapped("corp", names, {}))


def test_a_mapping_makes_administrators() -> None:
    assert mapped("corp", ["mcp-admins"], {"corp:mcp-admins": ["admins"]}) == ["admins"]


@given(NAMES, TABLE)
def test_no_mapping_gives_the_group_of_everybody(names: list[str], table: dict[str, list[str]]) -> None:
    assert "*" not in mapped("corp", names, table)


def test_local_groups_are_ours() -> None:
    assert mapped("local", ["admins"], {"local:admins": []}) == ["admins"]
