import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.registry.search.bm25f import Bm25f

Fields = dict[str, str]
TEXT = st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta", "epsilon"]), max_size=12).map(" ".join)
FIELDS = st.fixed_dictionaries({"name": TEXT, "title": TEXT, "description": TEXT, "tags": TEXT})


def ranking_of(documents: dict[Any, Fields]) -> Bm25f[Any]:
    ranking: Bm25f[Any] = Bm25f()
    for id, fields in documents.items():
        ranking.add(id, fields)
    return ranking


def test_a_word_in_the_name_counts_more_than_one_in_the_description() -> None:
    ranking = ranking_of({"a": {"name": "weather"}, "b": {"name": "lookup", "description": "weather"}})
    scores = ranking.score("weather", {"a", "b"})
    assert scores["a"] > scores["b"] > 0


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    ranking = ranking_of({"a": {"name": "rare"}, "b": {"name": "common"}, "c": {"name": "common"}})
    scores = ranking.score("rare common", {"a", "b", "c"})
    assert scores["a"] > scores["b"] == scores["c"]


def test_a_short_description_counts_more_than_a_long_one_with_the_same_word() -> None:
    ranking = ranking_of({"a": {"description": "pdf"}, "b": {"description": "pdf " + "filler text " * 30}})
    scores = ranking.score("pdf", {"a", "b"})
    assert scores["a"] > scores["b"]


def test_a_word_that_no_document_has_lowers_every_score() -> None:
    ranking = ranking_of({"a": {"name": "weather"}})
    assert ranking.score("weather sourdough", {"a"})["a"] < ranking.score("weather", {"a"})["a"]


def test_the_score_is_the_share_of_the_most_that_is_possible() -> None:
    ranking = ranking_of({"a": {"name": "weather"}, "b": {"name": "other"}})
    frequency = 3 / (1 - 0.75 + 0.75 * 1 / 3)
    known, unknown = math.log(1 + 1.5 / 1.5), math.log(1 + 2.5 / 0.5)
    expected = known * frequency / (1.2 + frequency) / (known + unknown)
    assert ranking.score("weather sourdough", {"a", "b"})["a"] == pytest.approx(expected)


@pytest.mark.parametrize("query", ["", "the of and", "?!"])
def test_a_query_without_words_finds_nothing(query: str) -> None:
    assert ranking_of({"a": {"name": "weather"}}).score(query, {"a"}) == {}


@given(st.dictionaries(st.integers(0, 9), FIELDS, max_size=8), TEXT)
def test_every_score_is_above_zero_and_at_most_one(documents: dict[int, Fields], query: str) -> None:
    scores = ranking_of(documents).score(query, set(documents))
    assert all(0 < score <= 1 for score in scores.values())


@given(st.dictionaries(st.integers(0, 9), FIELDS), st.dictionaries(st.integers(0, 9), FIELDS), TEXT)
def test_documents_that_come_and_go_leave_no_trace(
    first: dict[int, Fields], last: dict[int, Fields], query: str
) -> None:
    ranking = ranking_of(first)
    for id in first.keys() - last.keys():
        ranking.remove(id)
    for id, fields in reversed(last.items()):
        ranking.add(id, fields)
    assert ranking.score(query, set(last)) == ranking_of(last).score(query, set(last))


@given(st.dictionaries(st.integers(0, 9), FIELDS), st.sets(st.integers(0, 9)), TEXT)
def test_what_is_not_visible_changes_no_score(
    documents: dict[int, Fields], hidden: set[int], query: str
) -> None:
    visible = {id: fields for id, fields in documents.items() if id not in hidden}
    scores = ranking_of(documents).score(query, set(visible))
    assert scores == ranking_of(visible).score(query, set(visible))
