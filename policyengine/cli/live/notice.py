"""What a person or a log sees while a collection goes on, and what Ctrl-C does to it."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from policyengine.aws.calls import CallLog
from policyengine.sources.live.collection import Progress, Stop
from policyengine.sources.live.spool import Spool

_EVERY: Final = 5.0
"""Seconds between two lines of a log."""
_TOO_LITTLE: Final = 0.05
"""Before that much is done the time left is anybody's guess."""


@contextmanager
def interrupts(stop: Stop, spool: Spool, *, kept: bool = True) -> Iterator[None]:
    """The first Ctrl-C ends the collection after the calls under way, the second one at once.

    ``kept``: the spool stays, for ``--resume``.
    """
    what = (
        f"what is collected stays in `{spool.folder}`, --resume goes on with it"
        if kept
        else "nothing is kept; `policyengine snapshot` can go on where it was stopped"
    )

    def asked(_number: int, _frame: Any) -> None:
        if stop:
            if not kept:
                spool.remove()
            os._exit(130)
        stop.ask()
        print(f"\nstopping; {what} (Ctrl-C again: at once)", file=sys.stderr)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, asked)
    try:
        yield
    finally:
        # one that comes while the process ends would make another exit code of it
        signal.signal(signal.SIGINT, signal.SIG_IGN if stop else before)


@contextmanager
def shown(progress: Progress, log: CallLog, *, quiet: bool) -> Iterator[None]:
    """A line that is rewritten on a terminal, a line of JSON every few seconds elsewhere."""
    if quiet:
        yield
        return
    done = threading.Event()
    terminal = sys.stderr.isatty()
    started = time.monotonic()

    def show() -> None:
        while not done.wait(0.25 if terminal else _EVERY):
            _say(progress, log, time.monotonic() - started, terminal=terminal)

    thread = threading.Thread(target=show, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        if terminal:
            sys.stderr.write("\r\x1b[2K")
        else:
            _say(progress, log, time.monotonic() - started, terminal=False)


def _say(progress: Progress, log: CallLog, seconds: float, *, terminal: bool) -> None:
    share = progress.share
    left = seconds / share - seconds if share > _TOO_LITTLE else None
    if terminal:
        rest = f", about {left:,.0f} s left" if left is not None else ""
        sys.stderr.write(
            f"\r\x1b[2Kaccounts {progress.accounts_done}/{progress.accounts}, types {progress.tasks_done:,}/"
            f"{progress.tasks:,}, {progress.resources:,} resources, {log.total:,} calls, {log.throttles:,} retries{rest}"
        )
        sys.stderr.flush()
        return
    record = {
        "event": "collecting", "seconds": round(seconds, 1), "accounts_done": progress.accounts_done,
        "accounts": progress.accounts, "tasks_done": progress.tasks_done, "tasks": progress.tasks,
        "resources": progress.resources, "calls": log.total, "retries": log.throttles,
        "seconds_left": None if left is None else round(left),
    }  # fmt: skip
    print(json.dumps(record), file=sys.stderr)
