from typing import Annotated

from fastapi import APIRouter, Query

from app.core.problems import Problem
from app.registry.deps import Caller, RegistryServices
from app.registry.search.documents import Kind
from app.registry.search.schemas import SearchAnswer, SearchResult
from app.registry.search.service import KINDS

router = APIRouter(prefix="/api/search", tags=["search"])


@router.get("")
async def search(
    caller: Caller,
    services: RegistryServices,
    q: Annotated[str, Query(max_length=1000, description="what is looked for, in plain words")] = "",
    kind: Annotated[str, Query(description="of `tool` and `server`, by commas")] = ",".join(KINDS),
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> SearchAnswer:
    """Tools and servers that fit a few words, best first, among those that the caller may see."""
    if not q.strip():
        detail = "q is empty; say in a few words what the tool should do, e.g. ?q=weather forecast"
        raise Problem(422, "empty-query", "There is nothing to search for", detail)
    hits = await services.search.find(q, caller.grants, kinds=_kinds(kind), limit=limit)
    return SearchAnswer(results=[SearchResult.of(hit) for hit in hits])


def _kinds(text: str) -> list[Kind]:
    named = {part.strip() for part in text.split(",")}
    if unknown := sorted(named.difference(KINDS)):
        detail = f"kind: {unknown[0]!r} is none of {', '.join(KINDS)}"
        raise Problem(422, "unknown-kind", "There is no such kind", detail)
    return [kind for kind in KINDS if kind in named]
