"""One run of wrk, and what it cost the process under test."""

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("wrk.lua")
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class WrongAnswerError(Exception):
    """A call was not answered with a tool result: the figures would be worth nothing."""


@dataclass(frozen=True)
class Target:
    """What is called, with which requests; `worker` is the process whose CPU time counts."""

    name: str
    url: str
    requests: Path
    worker: int | None = None


@dataclass(frozen=True)
class Sample:
    """One run: calls a second, latencies in ms, CPU of the worker in µs a call and as a share of one core."""

    calls: int
    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float | None
    busy: float | None


def run(target: Target, connections: int, seconds: int) -> Sample:
    """Drive a target with one thread of wrk. Raises WrongAnswerError for any answer that is no tool result."""
    wrk = shutil.which("wrk")
    assert wrk, "wrk is missing: apt-get install wrk"
    before, start = _cpu_s(target.worker), time.monotonic()
    done = subprocess.run(
        [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(SCRIPT), target.url]
        + ["--", str(target.requests)],
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        check=False,
    )
    used, took = _cpu_s(target.worker) - before, time.monotonic() - start
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines or not lines[-1].startswith("{"):
        raise WrongAnswerError(f"wrk failed at {target.name}: {done.stdout}{done.stderr}")
    found = json.loads(lines[-1])
    if found["wrong"] or found["broken"] or not found["requests"]:
        raise WrongAnswerError(
            f"{target.name}: {found['wrong']} of {found['requests']} answers are no tool result, "
            f"{found['broken']} calls broke; the first: {found['example']}"
        )
    calls = found["requests"]
    return Sample(
        calls=calls,
        rate=calls / (found["duration_us"] / 1e6),
        p50_ms=found["p50_us"] / 1000,
        p99_ms=found["p99_us"] / 1000,
        cpu_us=None if target.worker is None else used / calls * 1e6,
        busy=None if target.worker is None else used / took,
    )


def _cpu_s(pid: int | None) -> float:
    """User and system time of a process so far (proc(5), fields 14 and 15)."""
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def only_child(pid: int) -> int:
    """The one worker of an NGINX master. Raises AssertionError where there are more, or none."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert len(children) == 1, f"process {pid} has {len(children)} workers, not one"
    return int(children[0])
