"""The gateway's metrics, as Prometheus' own parser reads them."""

import contextlib
import json

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.stack import Stack, until


def metrics(stack: Stack) -> str:
    answer = httpx2.get(json.loads(stack.file("run.json").read_text())["metrics"])
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return answer.text


def value(stack: Stack, name: str, **labels: str) -> float:
    """The sum of the samples of that name that have these labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(metrics(stack))
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def counted(stack: Stack, expected: float, name: str, **labels: str) -> None:
    """Wait for that value: workers add what they counted once a second, and a new one starts first."""

    def reached() -> bool:
        with contextlib.suppress(httpx2.TransportError):
            return value(stack, name, **labels) == expected
        return False

    until(reached, 10, f"{name} {labels} = {expected}")
