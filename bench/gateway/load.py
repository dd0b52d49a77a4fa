"""One run of wrk, and what it cost the process under test."""

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("wrk.lua")
RUN_S = 1
"""Short runs, often in turn, meet the same neighbours; CPU time is counted in hundredths of a second."""
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class WrongAnswerError(Exception):
    """A call was not answered with a tool result: the figures would be worth nothing."""


@dataclass(frozen=True)
class Target:
    """What is called, with which requests; `worker` is the process whose CPU time counts."""

    name: str
    url: str
    requests: Path
    worker: int


@dataclass(frozen=True)
class Sample:
    """One run of `seconds`: calls a second, their median latency, CPU time of the worker."""

    calls: int
    seconds: float
    rate: float
    p50_ms: float
    cpu_s: float


def run(target: Target, connections: int) -> Sample:
    """Drive a target with one thread of wrk. Raises WrongAnswerError for an answer that is no tool result."""
    wrk = shutil.which("wrk")
    assert wrk, "wrk is missing: apt-get install wrk"
    options = f"-t1 -c{connections} -d{RUN_S}s --timeout 10s -s".split()
    before, start = _cpu_s(target.worker), time.monotonic()
    done = subprocess.run(
        [wrk, *options, str(SCRIPT), target.url, "--", str(target.requests)],
        capture_output=True,
        text=True,
        timeout=RUN_S + 30,
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
    return Sample(
        calls=found["requests"],
        seconds=took,
        rate=found["requests"] / (found["duration_us"] / 1e6),
        p50_ms=found["p50_us"] / 1000,
        cpu_s=used,
    )


def _cpu_s(pid: int) -> float:
    """User and system time of a process so far (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def only_child(pid: int) -> int:
    """The one worker of an NGINX master. Raises AssertionError where there are more, or none."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert len(children) == 1, f"process {pid} has {len(children)} workers, not one"
    return int(children[0])
