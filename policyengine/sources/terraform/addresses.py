"""Terraform addresses and references as steps: ``module.a[0].aws_x.b["k"].arn``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Index = int | str | None
ModulePath = tuple[tuple[str, Index], ...]
"""Module calls from the root, each with the index of its instance."""


class Step(NamedTuple):
    """A name with the index that follows it; ``splat`` for ``[*]`` or an index that is no literal."""

    name: str
    key: Index = None
    splat: bool = False


def steps(text: str) -> tuple[Step, ...]:
    """Split an address or reference at its dots, keeping quoted keys whole; linear in its length."""
    found: list[Step] = []
    at, end = 0, len(text)
    while at < end:
        start = at
        while at < end and text[at] not in ".[":
            at += 1
        step = Step(text[start:at])
        while at < end and text[at] == "[":
            index, splat, at = _index(text, at + 1)
            step = step._replace(key=index if step.key is None else step.key, splat=step.splat or splat)
        found.append(step)
        if at < end and text[at] == ".":
            at += 1
        elif at < end:  # something after `]` that is neither `.` nor `[`
            return tuple(found)
    return tuple(found)


def _index(text: str, at: int) -> tuple[Index, bool, int]:
    """Read what stands after ``[``; return the index, whether it is no literal, and the next place."""
    if text[at : at + 1] == '"':
        key, at = _quoted(text, at + 1)
        close = text.find("]", at)
        return key, False, len(text) if close < 0 else close + 1
    close = text.find("]", at)
    inner = text[at:] if close < 0 else text[at:close]
    after = len(text) if close < 0 else close + 1
    if inner.isdecimal() and len(inner) < 12:
        return int(inner), False, after
    return None, True, after


def _quoted(text: str, at: int) -> tuple[str, int]:
    key: list[str] = []
    while at < len(text) and text[at] != '"':
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        key.append(text[at])
        at += 1
    return "".join(key), at + 1


def module_path(address: str) -> ModulePath:
    """Return the module calls of a module address such as ``module.a[0].module.b``."""
    parts = steps(address)
    return tuple(
        (parts[at + 1].name, parts[at + 1].key)
        for at in range(0, len(parts) - 1, 2)
        if parts[at].name == "module"
    )


def names(path: ModulePath) -> tuple[str, ...]:
    """Return the module calls without their indexes: the place in the configuration."""
    return tuple(name for name, _ in path)


def longest(references: Sequence[str]) -> tuple[tuple[Step, ...], ...]:
    """Return the references that are no prefix of another one.

    Terraform lists ``aws_x.b.arn`` and then ``aws_x.b`` again for the same expression.
    """
    split = [steps(r) for r in dict.fromkeys(references)]
    plain = [tuple(s.name for s in r) for r in split]
    return tuple(
        r
        for r, names_of in zip(split, plain, strict=True)
        if not any(len(o) > len(names_of) and o[: len(names_of)] == names_of for o in plain)
    )
