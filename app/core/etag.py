import re
from dataclasses import dataclass

from app.core.problems import Problem
from app.core.store import ABSENT, Document

_TAG = re.compile(r'(W/)?"([^"]*)"')


def etag(document: Document) -> dict[str, str]:
    """The `ETag` header of a stored document: its revision (RFC 9110, 8.8.3)."""
    return {"ETag": f'"{document.revision}"'}


@dataclass(frozen=True)
class Precondition:
    """An `If-Match` header (RFC 9110, 13.1.1): `tags` None where there is none, or it is `*`."""

    tags: frozenset[str] | None

    @classmethod
    def parse(cls, header: str | None) -> "Precondition":
        """Weak tags never match, as the strong comparison wants it. Raises a 400 problem."""
        if header is None or header.strip() == "*":
            return cls(None)
        tags = [_TAG.fullmatch(part.strip()) for part in header.split(",")]
        if not all(tags):
            detail = 'give If-Match the ETag that GET answered, with its quotes, such as "3"'
            raise Problem(400, "invalid-if-match", "If-Match is not readable", detail)
        return cls(frozenset(tag[2] for tag in tags if tag and not tag[1]))

    def check(self, document: Document) -> int:
        """The revision to write over, for the store's `expected`. Raises a 412 problem."""
        if self.tags is not None and str(document.revision) not in self.tags:
            detail = f"{document.id} is at revision {document.revision} now; read it again, then repeat"
            raise Problem(412, "conflict", "It was changed by somebody else meanwhile", detail)
        return document.revision

    def absent(self) -> int:
        """The revision to write where there is nothing yet. Raises a 412 problem for any tag."""
        if self.tags is not None:
            detail = "there is nothing to change; leave If-Match out to add it"
            raise Problem(412, "conflict", "It is not there, or no more", detail)
        return ABSENT
