from typing import Literal

from pydantic import BaseModel, Field

from app.registry.search.index import Hit


class SearchResult(BaseModel):
    """One tool or server that fits; `name` is the tool's name, or the server's slug."""

    kind: Literal["tool", "server"]
    server: str = Field(description="slug")
    name: str
    title: str
    description: str
    score: float = Field(ge=0, le=1, description="comparable across queries")
    callable: bool = Field(description="whether the caller may use it now; a stdio-only server never is")

    @classmethod
    def of(cls, hit: Hit) -> "SearchResult":
        """A result as it is sent."""
        found = hit.found
        return cls(
            kind=found.kind,
            server=found.server,
            name=found.name,
            title=found.title,
            description=found.description,
            score=hit.score,
            callable=hit.refusal is None,
        )


class SearchAnswer(BaseModel):
    """Results, best first; `mode` says what they were ranked by."""

    mode: Literal["keyword"] = "keyword"
    results: list[SearchResult]
