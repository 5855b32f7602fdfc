"""What this package does not know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Opaque:
    """An answer that exists but is not known; ``reason`` is a short phrase for a reader.

    ``present``: in a document it is certain that some value stands there.
    """

    reason: str
    present: bool = field(default=False, kw_only=True)

    def __bool__(self) -> bool:
        raise TypeError("an Opaque is neither true nor false: ask `is True` or `isinstance(x, Opaque)`")


@dataclass(frozen=True, slots=True)
class PartText(Opaque):
    """A text of which the parts between unknown ones are known: ``("arn:aws:s3:::", "/*")``."""

    parts: tuple[str, ...]


Answer = bool | Opaque
"""True, False or not known (Kleene's third value)."""


def any_of(answers: Iterable[Answer]) -> Answer:
    """Return True where one is True, else what is not known, else False."""
    unknown: Opaque | None = None
    for answer in answers:
        if answer is True:
            return True
        if unknown is None and isinstance(answer, Opaque):
            unknown = answer
    return False if unknown is None else unknown


def all_of(answers: Iterable[Answer]) -> Answer:
    """Return False where one is False, else what is not known, else True."""
    unknown: Opaque | None = None
    for answer in answers:
        if answer is False:
            return False
        if unknown is None and isinstance(answer, Opaque):
            unknown = answer
    return True if unknown is None else unknown


def negate(answer: Answer) -> Answer:
    """Return the opposite; what is not known stays so."""
    return answer if isinstance(answer, Opaque) else not answer
