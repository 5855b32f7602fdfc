"""``unknown``: the pointers of a snapshot line become Unresolved values in its tree.

The rules are stated in ``docs/snapshot-format.md``. In short: the value at the pointer, or its
first missing ancestor, becomes Unresolved; a final ``/-`` leaves the list as it is and says that
it may have more elements; an empty pointer says that any property may be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from policyengine.catalog import registry
from policyengine.model.resource import parse_pointer
from policyengine.model.values import UNRESOLVED_REASONS, OpenDict, OpenList, Unresolved
from policyengine.sources.snapshot.problems import LineError
from policyengine.sources.tags import json_kind

Steps = tuple[str, ...]
Entry = tuple[Steps, Unresolved, str | None]
Tree = dict[str, Any]
_SIDES = (None, "tags", "properties")
_DEEPEST = 8
"""Texts of unknown parts inside each other."""


def read_entries(unknown: Any) -> Iterator[Entry]:
    """Yield (steps, value, side) for each entry; raises LineError for a wrong shape."""
    if not isinstance(unknown, list):
        raise LineError(f"`unknown` is {json_kind(unknown)}, expected a list of objects")
    for index, entry in enumerate(unknown):
        where = f"unknown[{index}]"
        if not isinstance(entry, dict):
            raise LineError(f"`{where}` is {json_kind(entry)}, expected an object with `path` and `reason`")
        path, reason = entry.get("path"), entry.get("reason")
        if not isinstance(path, str) or not isinstance(reason, str):
            raise LineError(f"`{where}` needs `path` and `reason`, both strings")
        side = entry.get("of")
        if side not in _SIDES:
            raise LineError(f"`{where}.of` must be `tags` or `properties`")
        try:
            steps = parse_pointer(path)
        except ValueError as problem:
            raise LineError(f"`{where}.path`: {problem}") from None
        yield steps, _value(entry, reason), side


def _value(entry: Tree, reason: str, depth: int = 0) -> Unresolved:
    detail = entry.get("detail")
    text = detail if isinstance(detail, str) else ""
    target = entry.get("target")
    pair: tuple[str, str] | None = None
    if isinstance(target, list) and len(target) == 2 and all(isinstance(t, str) for t in target):
        pair = (target[0], target[1])
    if reason not in UNRESOLVED_REASONS:
        # a later 1.x may name reasons this version does not know: still not known, never an error
        text = f"{reason}: {text}" if text else reason
        reason = "unsupported"
    present = entry.get("present") is True
    return Unresolved(reason, text, present=present, target=pair, **_parts(entry, depth))


def _parts(entry: Tree, depth: int) -> dict[str, Any]:
    """Return the known parts of a text, and what is known of what stands between them; nothing else is believed."""
    parts, gaps = entry.get("parts"), entry.get("gaps", [])
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts) or depth > _DEEPEST:
        return {}
    between: tuple[Unresolved, ...] = ()
    if isinstance(gaps, list) and len(gaps) == len(parts) - 1:
        told = [g for g in gaps if isinstance(g, dict) and isinstance(g.get("reason"), str)]
        if len(told) == len(gaps):
            between = tuple(_value(gap, gap["reason"], depth + 1) for gap in told)
    return {"parts": tuple(parts), "gaps": between}


class Unknowns:
    """The parts of one line while its pointers are applied."""

    __slots__ = ("properties", "related", "tags", "type")

    def __init__(self, type: str, properties: Tree, tags: Any, related: Tree) -> None:
        self.type = type
        self.properties = properties
        self.tags = tags
        self.related = related

    def apply(self, steps: Steps, value: Unresolved, side: str | None) -> None:
        """Apply one pointer; raises LineError when it steps through a value that is no container."""
        if steps in ((), ("-",)):
            self._open_all(value)
        elif steps[0] == "related" and side is None:
            self._related(steps, value)
        elif steps[0] == "Tags" and len(steps) <= 2 and side != "properties":
            self._tag(steps, value)
            if side is None and (len(steps) == 1 or isinstance(self.properties.get("Tags"), dict)):
                place(self.properties, steps, value)
        else:
            place(self.properties, steps, value)

    def _open_all(self, value: Unresolved) -> None:
        """Any property may be there: those the catalog knows are filled in, for readers of one key."""
        known = dict.fromkeys(registry.top_level(self.type), value)
        self.properties = OpenDict({**known, **self.properties}, value)

    def _related(self, steps: Steps, value: Unresolved) -> None:
        if len(steps) == 1 or steps[1:] == ("-",):
            self.related = OpenDict(self.related, value)
        else:
            place(self.related, steps[1:], value)

    def _tag(self, steps: Steps, value: Unresolved) -> None:
        if len(steps) == 1 or steps[1] == "-":
            self.tags = value
        elif not isinstance(self.tags, Unresolved):
            known = self.tags or {}
            self.tags = {**known, steps[1]: value.certain() if steps[1] in known else value}


def place(tree: Tree, steps: Sequence[str], value: Unresolved) -> None:
    """Put ``value`` at the pointer, or at its first missing ancestor."""
    parent: Any = None
    key: str | int = ""
    here: Any = tree
    for depth, step in enumerate(steps):
        if here.__class__ is Unresolved:
            return
        if step == "-" and depth == len(steps) - 1 and isinstance(here, dict | list):
            parent[key] = OpenList(here, value) if isinstance(here, list) else OpenDict(here, value)
            return
        index = _child(here, step, steps[:depth])
        if index is None:
            _fill(here, step, value, parent, key)
            return
        parent, key, here = here, index, here[index]
        if here is None:
            break
    parent[key] = value


def _child(here: Any, step: str, above: Sequence[str]) -> str | int | None:
    """Return the key of an existing child, None when it is missing."""
    if isinstance(here, dict):
        return step if step in here else None
    if isinstance(here, list):
        if not (step.isascii() and step.isdigit() and len(step) < 10):
            raise LineError(f"`unknown`: `{step}` is no index into the list at `/{'/'.join(above)}`")
        return int(step) if int(step) < len(here) else None
    raise LineError(f"`unknown`: the value at `/{'/'.join(above)}` is {json_kind(here)} and has no `{step}`")


def _fill(here: Any, step: str, value: Unresolved, parent: Any, key: str | int) -> None:
    if isinstance(here, dict):
        here[step] = value
    elif int(step) == len(here):
        here.append(value)
    else:
        parent[key] = OpenList(here, value)
