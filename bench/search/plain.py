"""The baseline: textbook BM25 over one text a tool, with no fields and no stems."""

import math
import re
from collections import Counter
from collections.abc import Sequence

K1, B = 1.2, 0.75


class PlainBm25:
    """BM25 (Robertson and Zaragoza 2009, 3.2) over (server, tool, text)."""

    def __init__(self, documents: Sequence[tuple[str, str, str]]) -> None:
        self._keys = [(server, tool) for server, tool, _ in documents]
        self._counts = [Counter(_words(text)) for *_, text in documents]
        self._lengths = [counts.total() for counts in self._counts]
        self._mean = sum(self._lengths) / len(documents)
        self._frequencies = Counter(word for counts in self._counts for word in counts)

    def search(self, query: str, limit: int) -> list[str]:
        """Names of the best tools; of equal ones by server and name."""
        words = set(_words(query))
        scored = [(-self._score(words, place), *key) for place, key in enumerate(self._keys)]
        return [tool for score, _, tool in sorted(scored)[:limit] if score < 0]

    def _score(self, words: set[str], place: int) -> float:
        counts, score = self._counts[place], 0.0
        norm = K1 * (1 - B + B * self._lengths[place] / self._mean)
        for word in words & counts.keys():
            frequency = self._frequencies[word]
            idf = math.log(1 + (len(self._keys) - frequency + 0.5) / (frequency + 0.5))
            score += idf * counts[word] * (K1 + 1) / (counts[word] + norm)
        return score


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())
