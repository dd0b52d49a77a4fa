"""Why blocks of GATEPOST_IDENTITY_PROVIDERS are refused, in the terms of whoever wrote them."""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError


def in_words(
    error: ValidationError,
    blocks: Sequence[Mapping[str, Any]],
    members: Collection[str],
    types: Sequence[str],
) -> str:
    """One sentence for each fault: the provider, the member, the reason and the fix, without any value.

    `members` are the names that a block and the objects in it may have, `types` those of providers.
    """
    sentences = []
    for found in error.errors(include_url=False, include_input=False):
        index, path = int(found["loc"][0]), [str(part) for part in found["loc"][2:]]
        sentences.append(": ".join([_called(blocks[index], index), *_fault(found, path, members, types)]))
    return "; ".join(dict.fromkeys(sentences))


def _called(block: Mapping[str, Any], index: int) -> str:
    name = block.get("name")
    return f"provider {name[:32]!r}" if isinstance(name, str) and name else f"provider number {index + 1}"


def _fault(
    found: Mapping[str, Any], path: list[str], members: Collection[str], types: Sequence[str]
) -> list[str]:
    member = [".".join(path)] if path else []
    match found["type"]:
        case "union_tag_not_found":
            return [f"type is missing; it is one of {', '.join(types)}"]
        case "union_tag_invalid":
            return [f"there is no such type; it is one of {', '.join(types)}"]
        case "missing":
            return [*member, "it is missing"]
        case "extra_forbidden":
            near = " or ".join(get_close_matches(path[-1], members, n=2, cutoff=0.7))
            return [*member, "there is no such member" + (f"; did you mean {near}?" if near else "")]
        case "string_pattern_mismatch":
            return [*member, "it must be 1 to 32 of a-z 0-9 -, beginning with a letter or digit"]
        case _:
            return [*member, str(found["msg"]).removeprefix("Value error, ")]
