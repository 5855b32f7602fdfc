"""What Security Hub has of the next places, read while the present one is worked on: an organisation has thousands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from policyengine.publish.existing import Existing

Place = tuple[str, str]
_WORKERS: Final = 8
_AHEAD: Final = 16
"""Places that may be held at once."""


class ReadingAhead:
    """``read`` reads one place and may raise; ``order`` is that in which places are most likely asked for."""

    def __init__(self, read: Callable[[Place], Existing], order: Sequence[Place]) -> None:
        self._read = read
        self._order = list(order)
        self._number = {place: number for number, place in enumerate(self._order)}
        self._begun: dict[Place, Future[Existing]] = {}
        self._taken: set[Place] = set()
        self._pool: ThreadPoolExecutor | None = None

    def take(self, place: Place) -> Existing:
        """Return what there is of a place, which the caller closes. Raises what ``read`` raised."""
        self._taken.add(place)
        number = self._number.get(place)
        if number is None:
            return self._read(place)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="security-hub")
        for each in self._order[number : number + _AHEAD]:
            if (
                len(self._begun) < _AHEAD
                and each not in self._begun
                and (each not in self._taken or each == place)
            ):
                self._begun[each] = self._pool.submit(self._read, each)
        begun = self._begun.pop(place, None)
        return self._read(place) if begun is None else begun.result()

    def close(self) -> None:
        """Forget what nobody took."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        for future in self._begun.values():
            if not future.cancelled() and future.exception() is None:
                future.result().close()
