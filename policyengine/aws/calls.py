"""What was asked of AWS: calls, retries and failures counted by account, region and operation; each, where they are kept."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from policyengine.aws.failures import CallFailure

Key = tuple[str, str, str]
"""(account, region, ``service:Operation``)"""


class FailedCall(NamedTuple):
    """Calls of one operation that failed in the same way: how often, and AWS's words for the first."""

    failure: CallFailure
    times: int


class Call(NamedTuple):
    """One request that was answered or failed, a page of a listing each: what an auditor asks of it, and nothing of what was
    asked for or answered.

    ``at``: when it came to its end, ISO 8601 in UTC. ``request_id``: AWS's, "" where none came. ``items``: elements of the
    lists in the answer; None where it has no list. ``error``: AWS's code, or the name of what went wrong here; "" for none.
    """

    account: str
    region: str
    operation: str
    at: str
    request_id: str
    items: int | None
    retries: int
    error: str


class CallLog:
    """Filled from many threads. ``made`` counts requests that a caller asked for, pages one by one;
    ``retried`` the repetitions that throttling and broken connections cost beside them. ``keep`` is given each call, one
    at a time."""

    def __init__(self, keep: Callable[[Call], object] | None = None) -> None:
        self._keep = keep
        self.made: Counter[Key] = Counter()
        self.retried: Counter[Key] = Counter()
        self.waited = 0.0
        self._failed: dict[tuple[Key, str], FailedCall] = {}
        self._lock = threading.Lock()
        self._keeping = threading.Lock()

    def add(self, key: Key, retries: int, waited: float) -> None:
        """Count one request and its repetitions; ``waited`` are the seconds its turn took."""
        with self._lock:
            self.made[key] += 1
            self.waited += waited
            if retries:
                self.retried[key] += retries

    def answered(self, key: Key, answer: Any, waited: float, error: str = "") -> None:
        """Count one request that came to its end. ``answer``: AWS's, or of a failure what it has of one; ``error``: its code."""
        about = (answer.get("ResponseMetadata") or {}) if isinstance(answer, dict) else {}
        retries = about.get("RetryAttempts", 0)
        self.add(key, retries, waited)
        if self._keep is None:
            return
        items = None if error else _items(answer)
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        call = Call(*key, at, str(about.get("RequestId") or ""), items, retries, error)
        with self._keeping:
            self._keep(call)

    def keep_in(self, keep: Callable[[Call], object]) -> None:
        """Give every call from here on to somebody else."""
        with self._keeping:
            self._keep = keep

    def fail(self, failure: CallFailure) -> None:
        """Count a request that gave no answer."""
        key = (failure.account, failure.region, failure.operation)
        with self._lock:
            known = self._failed.get((key, failure.error))
            self._failed[key, failure.error] = FailedCall(
                known.failure if known else failure, known.times + 1 if known else 1
            )

    def failed(self) -> list[FailedCall]:
        """Return the failures, ordered by account, region, operation and error."""
        with self._lock:
            return [self._failed[key] for key in sorted(self._failed)]

    @property
    def total(self) -> int:
        """How many requests were made."""
        return sum(self.made.values())

    @property
    def throttles(self) -> int:
        """How many repetitions there were."""
        return sum(self.retried.values())

    def operations(self) -> frozenset[str]:
        """Return every operation that was asked for, as ``service:Operation``."""
        return frozenset(operation for _, _, operation in self.made)


def _items(answer: Any) -> int | None:
    lists = (
        [value for value in answer.values() if isinstance(value, list)] if isinstance(answer, dict) else []
    )
    return sum(map(len, lists)) if lists else None
