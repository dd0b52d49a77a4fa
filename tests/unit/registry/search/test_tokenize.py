import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.registry.search.tokenize import words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("getHTTPHeader_v2", ["get", "http", "header", "v2"]),
        ("list-directory.files", ["list", "directori", "file"]),
        ("XMLParser", ["xml", "parser"]),
        ("snake_case_NAME", ["snake", "case", "name"]),
    ],
)
def test_identifiers_are_split_at_case_and_punctuation(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_forms_of_a_word_become_one_stem() -> None:
    assert words("converting converted converts") == ["convert"] * 3


def test_fillers_are_left_out() -> None:
    assert words("the state of THE art") == ["state", "art"]


def test_text_without_spaces_is_split_into_its_ideographs() -> None:
    assert words("搜索web") == ["搜", "索", "web"]


def test_letters_of_other_alphabets_are_words() -> None:
    assert words("Größe naïve поиск") == ["größe", "naïv", "поиск"]


@given(st.text())
def test_any_text_gives_words_that_are_lower_case_and_not_empty(text: str) -> None:
    assert all(word and word == word.lower() and not word.isspace() for word in words(text))


@given(st.lists(st.from_regex(r"[a-z]{2,8}", fullmatch=True), min_size=1, max_size=5))
def test_the_ways_to_write_an_identifier_are_the_same(parts: list[str]) -> None:
    camel = parts[0] + "".join(part.capitalize() for part in parts[1:])
    assert words("_".join(parts)) == words(camel) == words("-".join(parts)) == words(" ".join(parts))
