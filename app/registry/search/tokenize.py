import re
from functools import lru_cache

import snowballstemmer  # type: ignore[import-untyped]

# An ideograph or kana is a word of its own: such text has no spaces to split at.
_IDEOGRAPHS = r"\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_IDEOGRAPHS}]|[^\W_{_IDEOGRAPHS}]+")
_CASE_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_FILLERS = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "has", "have", "in", "into", "is", "it",
    "its", "of", "on", "or", "that", "the", "this", "to", "was", "were", "will", "with",
})  # fmt: skip
_stemmer = snowballstemmer.stemmer("english")


def words(text: str) -> list[str]:
    """The words of a text as search compares them, in order: lower case, stemmed, without fillers.

    Identifiers are split at case, underscores and punctuation: `getHTTPHeader_v2` is get, http, header, v2.
    """
    found = (word.lower() for word in _WORD.findall(_CASE_BOUNDARY.sub(" ", text)))
    return [_stem(word) for word in found if word not in _FILLERS]


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return str(_stemmer.stemWord(word))
