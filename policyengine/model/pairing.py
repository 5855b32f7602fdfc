"""Two sequences in one order, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeVar


class _Ordered(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...


K = TypeVar("K", bound=_Ordered)
T = TypeVar("T")


def paired(left: Iterable[tuple[K, T]], right: Iterable[tuple[K, T]]) -> Iterator[tuple[T | None, T | None]]:
    """Yield what two sequences of (key, item) hold, in their order: (item, item) where the keys are equal, else one
    of them with None.

    Both are sorted by key; one item of each is held at a time. A key that stands several times is paired one by one.
    Items are never None.
    """
    lefts, rights = iter(left), iter(right)
    one, other = next(lefts, None), next(rights, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            yield one[1] if one is not None else None, None
            one = next(lefts, None)
        elif one is None or other[0] < one[0]:
            yield None, other[1]
            other = next(rights, None)
        else:
            yield one[1], other[1]
            one, other = next(lefts, None), next(rights, None)
