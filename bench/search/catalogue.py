"""Catalogue and queries of LiveMCPBench, as its README describes the two files."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from app.core.models import ServerEntry, ServerSettings, ToolKind, ToolRecord


@dataclass(frozen=True)
class Query:
    """A text and the names of the tools that people found relevant to it."""

    text: str
    relevant: frozenset[str]


def read_servers(folder: Path) -> list[tuple[ServerEntry, list[ToolRecord]]]:
    """The servers as entries, each with its tools as records."""
    return [_server(found) for found in json.loads((folder / "servers.json").read_text(encoding="utf-8"))]


def read_queries(folder: Path) -> dict[str, list[Query]]:
    """`tasks` as they are; `steps`: those of tasks that have as many steps as tools, one tool each."""
    tasks = json.loads((folder / "dev_queries.json").read_text(encoding="utf-8"))
    aligned = [task for task in tasks if len(task["steps"]) == len(task["ordered_tools"])]
    return {
        "tasks": [Query(task["query"], frozenset(task["relevant_tools"])) for task in tasks],
        "steps": [
            Query(step, frozenset({tool}))
            for task in aligned
            for step, tool in zip(task["steps"], task["ordered_tools"], strict=True)
        ],
    }


def _server(found: dict[str, object]) -> tuple[ServerEntry, list[ToolRecord]]:
    slug = re.sub(r"[^a-z0-9]+", "-", str(found["name"]).lower()).strip("-")
    document = {"name": f"bench/{slug}", "title": found["title"], "description": found["description"]}
    entry = ServerEntry(
        document=document,
        settings=ServerSettings(slug=slug),
        created_at="2026-01-01",
        updated_at="2026-01-01",
    )
    tools = found["tools"]
    assert isinstance(tools, list)
    return entry, [
        ToolRecord(server=slug, kind=ToolKind.TOOL, name=tool["name"], definition=tool, hash="")
        for tool in tools
    ]
