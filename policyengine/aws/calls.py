"""What was asked of AWS: calls, retries and failures counted by account, region and operation."""

from __future__ import annotations

import threading
from collections import Counter
from typing import NamedTuple

from policyengine.aws.failures import CallFailure

Key = tuple[str, str, str]
"""(account, region, ``service:Operation``)"""


class FailedCall(NamedTuple):
    """Calls of one operation that failed in the same way: how often, and AWS's words for the first."""

    failure: CallFailure
    times: int


class CallLog:
    """Filled from many threads. ``made`` counts requests that a caller asked for, pages one by one;
    ``retried`` the repetitions that throttling and broken connections cost beside them."""

    def __init__(self) -> None:
        self.made: Counter[Key] = Counter()
        self.retried: Counter[Key] = Counter()
        self.waited = 0.0
        self._failed: dict[tuple[Key, str], FailedCall] = {}
        self._lock = threading.Lock()

    def add(self, key: Key, retries: int, waited: float) -> None:
        """Count one request and its repetitions; ``waited`` are the seconds its turn took."""
        with self._lock:
            self.made[key] += 1
            self.waited += waited
            if retries:
                self.retried[key] += retries

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
