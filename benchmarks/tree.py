"""Peak memory of a process and everything below it.

Each process tells its own peak (``VmHWM``); they are read while it lives and the last reading of each
counts. The sum is an upper bound of what the tree held at any one time: the peaks need not coincide, and
pages that forked processes share are counted for each of them.
"""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

PROC = Path("/proc")
EVERY = 0.05
"""Seconds between two readings."""


class Watch:
    """Reads the peaks of a process tree until it is left; ``total`` is 0 where there is no ``/proc``."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peaks: dict[int, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def total(self) -> float:
        """Megabytes, summed over the processes."""
        return sum(self._peaks.values()) / 1024

    def _run(self) -> None:
        while True:
            for pid in _tree(self._pid):
                self._peaks[pid] = max(_peak(pid), self._peaks.get(pid, 0))
            if self._over.wait(EVERY):
                return


def _tree(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        for task in (PROC / str(one) / "task").glob("*/children"):
            found += map(int, _text(task).split())
    return found


def _peak(pid: int) -> int:
    """Return the peak resident size in kB; 0 of a process that is gone."""
    lines = _text(PROC / str(pid) / "status").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it ended between two looks
        return ""
