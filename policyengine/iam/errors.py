"""The error of this package: a document, a request or a scenario that cannot be read."""

from __future__ import annotations

from typing import Any

JsonPath = tuple[str | int, ...]


class PolicyError(ValueError):
    """A policy document AWS would refuse, or a request that is none.

    ``path`` is where in the document (``("Statement", 0, "Effect")``), ``found`` what stands there and
    ``expected`` what should; ``line`` is known where the reader was given positions.
    """

    def __init__(
        self, path: JsonPath, problem: str, found: str = "", expected: str = "", line: int | None = None
    ) -> None:
        self.path = path
        self.problem = problem
        self.found = found
        self.expected = expected
        self.line = line
        super().__init__(self._message())

    def _message(self) -> str:
        parts = [f"{shown_path(self.path)}: {self.problem}"]
        if self.found:
            parts.append(f"found {self.found}")
        if self.expected:
            parts.append(f"expected {self.expected}")
        return "; ".join(parts)


def shown_path(path: JsonPath) -> str:
    """Return ``$.Statement[0].Effect``; keys a user made up are escaped and cut."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{_clean(step)}" for step in path)


def _clean(text: str, limit: int = 60) -> str:
    clean = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: limit + 1])
    return f"{clean[:limit]}…" if len(clean) > limit else clean


def shown(value: Any, limit: int = 60) -> str:
    """Return what a user wrote for a one-line message: its kind or its text, cut when long."""
    if isinstance(value, str):
        return f"`{_clean(value, limit)}`"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return f"the number {str(value)[:limit]}"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return "an object"
