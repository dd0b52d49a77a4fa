import math
from collections import Counter
from collections.abc import Hashable, Mapping, Set
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.registry.search.tokenize import words

K1 = 1.2
B = 0.75
Id = TypeVar("Id", bound=Hashable)


@dataclass(frozen=True)
class Field:
    """How a field counts: `weight` of one occurrence in a field of `usual_length` words."""

    weight: float
    usual_length: float


FIELDS: Mapping[str, Field] = {
    "name": Field(weight=3, usual_length=3),
    "title": Field(weight=1, usual_length=3),
    "description": Field(weight=1, usual_length=20),
    "tags": Field(weight=1, usual_length=3),
}


class Bm25f(Generic[Id]):
    """BM25F (Robertson and Zaragoza 2009, 3.6) over documents that come and go one by one; pure, no I/O.

    Lengths are measured against each field's usual one, not against the catalogue's mean: a document's
    part in a score depends on that document alone, so adding one never means weighing the others anew.
    """

    def __init__(self) -> None:
        self._documents: dict[Id, Mapping[str, float]] = {}
        self._postings: dict[str, dict[Id, float]] = {}

    def add(self, id: Id, fields: Mapping[str, str]) -> None:
        """Index a document, in place of the one with that id. Fields are those of `FIELDS`."""
        self.remove(id)
        weighed = _weigh(fields)
        self._documents[id] = weighed
        for word, weight in weighed.items():
            self._postings.setdefault(word, {})[id] = weight

    def remove(self, id: Id) -> None:
        """Forget a document; nothing happens where it is not known."""
        for word in self._documents.pop(id, {}):
            postings = self._postings[word]
            del postings[id]
            if not postings:
                del self._postings[word]

    def score(self, query: str, visible: Set[Id]) -> dict[Id, float]:
        """Scores of the visible documents that have a word of the query, each in 0…1.

        A score is the share of the most that any document could reach, so it means the same for every
        query; a word that no document has counts in that most. Documents that are not visible change
        nothing, neither results nor scores. Every visible id must be one that was added.
        """
        scores: dict[Id, float] = {}
        total = 0.0
        for word in dict.fromkeys(words(query)):
            postings = self._postings.get(word, {})
            found = postings.keys() & visible
            idf = math.log(1 + (len(visible) - len(found) + 0.5) / (len(found) + 0.5))
            total += idf
            for id in found:
                scores[id] = scores.get(id, 0.0) + idf * postings[id]
        return {id: score / total for id, score in scores.items()}


def _weigh(fields: Mapping[str, str]) -> dict[str, float]:
    frequencies: dict[str, float] = {}
    for name, text in fields.items():
        field, found = FIELDS[name], words(text)
        one = field.weight / (1 - B + B * len(found) / field.usual_length)
        for word, count in Counter(found).items():
            frequencies[word] = frequencies.get(word, 0.0) + one * count
    return {word: frequency / (K1 + frequency) for word, frequency in frequencies.items()}
