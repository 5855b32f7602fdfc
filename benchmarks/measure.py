"""Measuring processes: wall time, CPU time of the process and its children, peak memory."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.tree import Watch

ROOT = Path(__file__).resolve().parent.parent


class Cost(NamedTuple):
    """Seconds and megabytes; ``peak`` is the sum of the peaks of all processes (:mod:`benchmarks.tree`).

    ``output`` is the end of what was printed, ``digest`` the SHA-256 of all of it.
    """

    wall: float
    cpu: float
    peak: float
    code: int
    output: str
    digest: str


def run(
    command: Sequence[str | Path],
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    *,
    discard: bool = False,
) -> Cost:
    """Run a command to its end and return what it cost; ``discard`` throws its standard output away.

    The command is started by a process of its own, whose children's usage is then exactly the
    command's (with all of its own children).
    """
    reading, writing = os.pipe()
    keeper = os.fork()
    if not keeper:
        os.close(reading)
        _report(command, env, cwd, writing, discard)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(keeper, 0)
    return Cost(*json.loads(text))


def _report(
    command: Sequence[str | Path], env: Mapping[str, str] | None, cwd: Path, writing: int, discard: bool
) -> None:
    try:
        start = time.perf_counter()
        started = subprocess.Popen(
            [str(part) for part in command],
            env={**os.environ, **(env or {})}, cwd=cwd, text=True,
            stdout=subprocess.DEVNULL if discard else subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        with started, Watch(started.pid) as watch:
            said, complained = started.communicate()
        wall = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        output = (said or "") + ("" if started.returncode == 0 else complained)
        peak = max(watch.total, used.ru_maxrss / 1024)
        digest = hashlib.sha256((said or "").encode()).hexdigest()
        found = [wall, used.ru_utime + used.ru_stime, peak, started.returncode, output[-4000:], digest]
        with os.fdopen(writing, "w") as pipe:
            json.dump(found, pipe)
    finally:
        os._exit(0)


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def interleaved(rounds: int, jobs: Mapping[str, Callable[[], Any]]) -> dict[str, list[Any]]:
    """Run every job once per round, one after the other, so that a busy minute hits all of them."""
    found: dict[str, list[Any]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            found[name].append(job())
    return found
