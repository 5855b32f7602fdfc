"""Boxes of candidates: what is left of an allowed box when denied boxes are taken out.

A box is a set of candidates (bits of a number) for each dimension; a dimension that is not named is
free. Taking a box out of another splits the rest along the dimensions, without overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

Box = Mapping[str, int]


class Budget:
    """How many steps a question may still take; ``spent`` says that they were not enough."""

    __slots__ = ("left",)

    def __init__(self, steps: int) -> None:
        self.left = steps

    @property
    def spent(self) -> bool:
        """Say whether nothing is left."""
        return self.left <= 0

    def take(self, steps: int = 1) -> bool:
        """Take steps; say whether there were so many."""
        self.left -= steps
        return self.left >= 0


def meet(box: Box, other: Box) -> dict[str, int] | None:
    """Return what is in both, None where that is nothing; ``box`` names every dimension."""
    found = dict(box)
    for dimension, mask in other.items():
        found[dimension] &= mask
        if not found[dimension]:
            return None
    return found


def remaining(box: Box, taken: Sequence[Box], budget: Budget) -> Iterator[dict[str, int]]:
    """Yield disjoint boxes that together are ``box`` without any of ``taken``."""
    stack: list[tuple[dict[str, int], int]] = [(dict(box), 0)]
    while stack:
        current, at = stack.pop()
        if not budget.take():
            return
        while at < len(taken) and meet(current, taken[at]) is None:
            at += 1
        if at == len(taken):
            yield current
            continue
        inside = current
        for dimension, mask in taken[at].items():
            outside = inside[dimension] & ~mask
            if outside:
                stack.append(({**inside, dimension: outside}, at + 1))
            inside = {**inside, dimension: inside[dimension] & mask}
