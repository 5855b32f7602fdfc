"""Token buckets: how many calls a second we make to one service of one account and region."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

RATE: Final = 10.0
"""Calls a second to one service of one account and region: half of the smallest steady rates that AWS
documents for reading (https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html: 20 a second)."""
RATES: Final[Mapping[str, float]] = {"kms": 50.0, "s3": 100.0}
"""Where AWS documents much more: 100 a second and more for each reading operation of KMS
(https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html), 5,500 a second of S3
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html)."""


class TokenBucket:
    """At most ``rate`` calls a second over time and ``burst`` at once; threads wait for their turn.

    A turn is given out in the order of asking: each waiting thread knows when its own comes, so none is
    passed over. ``clock`` and ``sleep`` are replaced in tests.
    """

    def __init__(
        self,
        rate: float,
        burst: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if rate <= 0:
            raise ValueError("a rate is more than zero calls a second")
        self.rate = rate
        self._burst = max(1.0, rate if burst is None else burst)
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at = clock() - self._burst / rate

    def take(self) -> float:
        """Wait for a turn and return how many seconds that took."""
        with self._lock:
            now = self._clock()
            # the bucket is full when nothing was taken for burst / rate seconds
            self._free_at = max(self._free_at, now - self._burst / self.rate) + 1 / self.rate
            wait = self._free_at - now
        if wait > 0:
            self._sleep(wait)
            return wait
        return 0.0

    def give_back(self) -> None:
        """Return a turn that was not used."""
        with self._lock:
            self._free_at -= 1 / self.rate


class Buckets:
    """One bucket for each (account, region, service)."""

    def __init__(self, rate: float, rates: Mapping[str, float] | None = None) -> None:
        self._rate = rate
        self._rates = rates or {}
        self._buckets: dict[tuple[str, str, str], TokenBucket] = {}
        self._lock = threading.Lock()

    def take(self, account: str, region: str, service: str) -> float:
        """Wait for a turn; seconds waited."""
        key = (account, region, service)
        bucket = self._buckets.get(key)
        if bucket is None:
            with self._lock:
                bucket = self._buckets.setdefault(key, TokenBucket(self._rates.get(service, self._rate)))
        return bucket.take()

    def give_back(self, account: str, region: str, service: str) -> None:
        """Return a turn that was taken and not used."""
        self._buckets[account, region, service].give_back()
