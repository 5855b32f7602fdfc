"""Where a collection stands while it is under way: a folder of finished tasks, on which ``--resume`` goes on.

A task's lines and its outcome are put in place by renaming, outcome last: a task that has an outcome has
all of its lines, whatever killed the process. The outcome holds their digest, so that a file which a power cut emptied
or somebody changed is no finished task. One process at a time works in the folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.aws.calls import Call
from policyengine.aws.failures import CallFailure
from policyengine.model.errors import InputError, UsageError
from policyengine.sources.live.call_spool import CallSpool
from policyengine.sources.live.plan import Task
from policyengine.sources.live.work import Outcome

HEADER: Final = "collection.json"
CALLS: Final = "calls.ndjson"
_LOCK: Final = "lock"
_VERSION: Final = 2


class Kept(NamedTuple):
    """What is kept of a finished task beside its lines."""

    task: Task
    resources: int
    whole: tuple[str, ...]
    incomplete: dict[str, CallFailure]
    failures: tuple[tuple[CallFailure, int], ...]
    not_offered: str = ""

    @property
    def clean(self) -> bool:
        """Whether every call of the task was answered; another try could give no more."""
        return not self.failures and not self.incomplete


@dataclass(slots=True)
class TaskWriter:
    """Lines of one task, on the way into the spool."""

    path: Path
    file: Any
    digest: Any

    def write(self, line: bytes) -> None:
        """Add a line."""
        self.file.write(line + b"\n")
        self.digest.update(line + b"\n")


class Spool:
    """The folder of one collection; ``header`` says what it is of, and must be the same on resuming."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tasks = folder / "tasks"
        self._lock: Any = None
        self._calls: CallSpool | None = None

    @classmethod
    def beside(cls, target: Path) -> Spool:
        """Return the spool of a snapshot that is to be written to ``target``."""
        return cls(target.parent / f".{target.name}.partial")

    def open(self, header: dict[str, Any], *, resume: bool) -> None:
        """Begin, or go on with what stands there.

        Raises UsageError when there is nothing to resume, it is of something else or another process is at it,
        InputError when the folder cannot be written.
        """
        try:
            if resume:
                self._check(header)
                self._hold()
                self._tasks.mkdir(exist_ok=True)
                return
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._hold()
            shutil.rmtree(self._tasks, ignore_errors=True)
            self._tasks.mkdir(mode=0o700)
            self.folder.chmod(0o700)
            _put(self.folder / HEADER, json.dumps({"version": _VERSION, **header}, indent=1).encode())
        except OSError as problem:
            raise InputError(f"`{self.folder}` cannot be written: {problem.strerror or problem}") from None

    def _hold(self) -> None:
        """Keep every other process out until this one ends, however it ends."""
        if self._lock is not None:
            return
        lock = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        release = weakref.finalize(self, os.close, lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            release()
            raise UsageError(
                f"another collection is writing to `{self.folder}` at this moment; wait for it, or name another folder",
                code="in_use",
            ) from None
        self._lock = release

    def _check(self, header: dict[str, Any]) -> None:
        try:
            known = dict(json.loads((self.folder / HEADER).read_bytes()))
        except (OSError, ValueError, TypeError, RecursionError):
            raise UsageError(
                f"there is nothing to resume: `{self.folder}` holds no collection; leave out --resume"
            ) from None
        wanted = json.loads(json.dumps({"version": _VERSION, **header}))
        changed = sorted(key for key in {*known, *wanted} - {"started"} if known.get(key) != wanted.get(key))
        if changed:
            raise UsageError(
                f"`{self.folder}` is the collection of something else ({', '.join(changed)} differ); "
                "give the options it was begun with, or leave out --resume"
            )
        header["started"] = known.get("started", header.get("started"))

    def keep_calls(self, early: Iterable[Call], *, resume: bool) -> Callable[[Call], None]:
        """Return what keeps the calls from here on; ``early`` are those made before. Raises InputError."""
        path = self.folder / CALLS
        try:
            self._calls = CallSpool(path, resume=resume)
            for call in early:
                self._calls.add(call)
        except OSError as problem:
            raise InputError(
                f"`{path}` cannot be written: {problem.strerror or problem}", code="unwritable"
            ) from None
        return self._calls.add

    def call_lines(self) -> Iterator[bytes] | None:
        """Return a line for each call, in order; None where none were kept."""
        return None if self._calls is None else self._calls.lines()

    def begin(self, task: Task) -> TaskWriter:
        """Open the lines of a task anew."""
        path = self._tasks / f"{task.key}.ndjson.part"
        return TaskWriter(path, path.open("wb"), hashlib.sha256())

    def finish(self, task: Task, writer: TaskWriter, outcome: Outcome) -> Kept:
        """Put a task in place: its lines, then its outcome."""
        writer.file.close()
        writer.path.rename(self._lines(task))
        kept = _kept(task, outcome)
        record = {**_as_json(kept), "sha256": writer.digest.hexdigest()}
        _put(self._outcome(task), json.dumps(record).encode())
        return kept

    def drop(self, writer: TaskWriter) -> None:
        """Forget a task that was broken off."""
        writer.file.close()
        writer.path.unlink(missing_ok=True)

    def done(self, task: Task) -> Kept | None:
        """Return what is kept of a finished task; None when it is not finished, or damaged."""
        try:
            record = json.loads(self._outcome(task).read_bytes())
            with self._lines(task).open("rb") as file:
                same = hashlib.file_digest(file, "sha256").hexdigest() == record["sha256"]
            return _from_json(task, record) if same else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def lines(self, task: Task) -> Iterator[bytes]:
        """Yield the lines of a finished task."""
        with self._lines(task).open("rb") as file:
            for line in file:
                yield line.rstrip(b"\n")

    def remove(self) -> None:
        """Delete the folder: the snapshot is written."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.close()

    def close(self) -> None:
        """Let others at the folder."""
        if self._calls is not None:
            self._calls.close()
        if self._lock is not None:
            self._lock()
            self._lock = None

    def _lines(self, task: Task) -> Path:
        return self._tasks / f"{task.key}.ndjson"

    def _outcome(self, task: Task) -> Path:
        return self._tasks / f"{task.key}.json"


def _put(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(data)
    part.rename(path)


def _kept(task: Task, outcome: Outcome) -> Kept:
    counted: dict[tuple[str, str], tuple[CallFailure, int]] = {}
    for failure in outcome.failures:
        key = (failure.operation, failure.error)
        counted[key] = (counted[key][0] if key in counted else failure, counted.get(key, (failure, 0))[1] + 1)
    return Kept(
        task,
        outcome.resources,
        outcome.whole,
        outcome.incomplete,
        tuple(counted[k] for k in sorted(counted)),
        outcome.not_offered,
    )


def _as_json(kept: Kept) -> dict[str, Any]:
    return {
        "resources": kept.resources,
        "whole": list(kept.whole),
        "not_offered": kept.not_offered,
        "incomplete": {type: _failure(failure) for type, failure in kept.incomplete.items()},
        "failures": [[_failure(failure), times] for failure, times in kept.failures],
    }


def _failure(failure: CallFailure) -> list[str]:
    return [failure.operation, failure.reason, failure.error, failure.text, failure.account, failure.region]


def _from_json(task: Task, record: dict[str, Any]) -> Kept:
    return Kept(
        task,
        int(record["resources"]),
        tuple(record["whole"]),
        {type: CallFailure(*failure) for type, failure in record["incomplete"].items()},
        tuple((CallFailure(*failure), int(times)) for failure, times in record["failures"]),
        str(record["not_offered"]),
    )
