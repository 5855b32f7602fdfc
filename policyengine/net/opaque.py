"""What this package does not know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that exists but is not known; ``reason`` is a short phrase for a reader."""

    reason: str

    def __bool__(self) -> bool:
        raise TypeError("an Opaque is neither true nor false: ask `isinstance(x, Opaque)` first")


def known(answer: bool | Opaque) -> bool | None:
    """Return the answer, or None where it is Opaque."""
    return None if isinstance(answer, Opaque) else answer
