"""Quality of keyword search on LiveMCPBench, beside plain BM25: `python -m bench.search <data folder>`.

The folder may come as LIVEMCPBENCH too. The last line is one JSON object; the exit status is 1 below the bar.
"""

import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from app.core.models.scope import RegistryGrant, Scope
from app.core.policy import expand
from app.registry.search.index import SearchIndex
from bench.search.catalogue import Query, read_queries, read_servers
from bench.search.plain import PlainBm25

BAR = 1.0
"""Ours over the baseline, in NDCG@10: never worse, on tasks and on steps."""
DEPTH = 10
Find = Callable[[str], Sequence[str]]


def measure(find: Find, queries: Sequence[Query]) -> dict[str, float]:
    """Means of NDCG@10 and Recall@10, and the share of queries with no hit; a name counts once."""
    gains = [_gains(find(query.text), query.relevant) for query in queries]
    ideal = [_dcg([1] * min(DEPTH, len(query.relevant))) for query in queries]
    recalls = [sum(found) / len(query.relevant) for found, query in zip(gains, queries, strict=True)]
    ndcgs = [_dcg(found) / best for found, best in zip(gains, ideal, strict=True)]
    figures = {"ndcg@10": ndcgs, "recall@10": recalls, "no_hit": [float(not any(found)) for found in gains]}
    return {name: round(sum(values) / len(values), 3) for name, values in figures.items()}


def _gains(names: Sequence[str], relevant: frozenset[str]) -> list[int]:
    return [int(name in relevant and name not in names[:place]) for place, name in enumerate(names)]


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains))


def main() -> int:
    """Measure, print, judge."""
    given = sys.argv[1:] or [os.environ.get("LIVEMCPBENCH", "")]
    if len(given) != 1 or not (folder := Path(given[0])).joinpath("servers.json").is_file():
        print("give the folder that holds LiveMCPBench's servers.json and dev_queries.json", file=sys.stderr)
        return 2
    index, texts = SearchIndex(), []
    for server, tools in read_servers(folder):
        index.replace(server.settings.slug, tools)
        index.put_server(server)
        texts += [(tool.server, tool.name, f"{tool.name} {tool.definition['description']}") for tool in tools]
    plain = PlainBm25(texts)
    everything = Scope(name="all", groups=["*"], registry=[RegistryGrant(actions=["servers:read"])])
    grants = expand([], [everything])

    def ours(text: str) -> list[str]:
        return [hit.found.name for hit in index.search(text, grants, ["tool"], DEPTH)]

    queries = read_queries(folder)
    mine = {kind: measure(ours, asked) for kind, asked in queries.items()}
    base = {kind: measure(lambda text: plain.search(text, DEPTH), asked) for kind, asked in queries.items()}
    ratio = {kind: round(mine[kind]["ndcg@10"] / base[kind]["ndcg@10"], 3) for kind in queries}
    fine = all(value >= BAR for value in ratio.values())
    result = {"bench": "search", "ours": mine, "baseline": base, "ratio": ratio, "bar": BAR, "ok": fine}
    print(json.dumps(result))
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
