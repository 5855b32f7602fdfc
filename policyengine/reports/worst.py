"""The worst N of a stream of findings in bounded memory."""

from __future__ import annotations

import heapq
from typing import Any

from policyengine.model.finding import Finding
from policyengine.reports.base import SEVERITY_RANK, is_unknown


def badness(finding: Finding) -> tuple[Any, ...]:
    """Sort key: FAIL before UNKNOWN, then worst severity, then report order."""
    return (is_unknown(finding), SEVERITY_RANK[finding.severity], *finding.sort_key)


class _Reversed:
    """Turns heapq's smallest-first into worst-last, so that the least bad is dropped first."""

    __slots__ = ("finding", "key")

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        self.key = badness(finding)

    def __lt__(self, other: _Reversed) -> bool:
        return self.key > other.key


class Worst:
    """Keeps the worst ``limit`` findings; ``dropped`` counts the others. None keeps all."""

    __slots__ = ("_heap", "dropped", "limit")

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.dropped = 0
        self._heap: list[_Reversed] = []

    def add(self, finding: Finding) -> None:
        """Take a finding."""
        if self.limit is None or len(self._heap) < self.limit:
            heapq.heappush(self._heap, _Reversed(finding))
            return
        self.dropped += 1
        if self._heap:
            heapq.heappushpop(self._heap, _Reversed(finding))

    def __len__(self) -> int:
        return len(self._heap)

    def sorted(self) -> list[Finding]:
        """Return what was kept, worst first."""
        return [item.finding for item in sorted(self._heap, key=lambda item: item.key)]

    def first(self) -> Finding:
        """Return the worst of what was kept; ValueError when there is nothing."""
        return min(self._heap, key=lambda item: item.key).finding
