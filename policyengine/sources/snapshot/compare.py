"""What changed between two snapshots: both are read side by side in order, in constant memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, Final, Literal, NamedTuple

from policyengine.model.errors import InputError
from policyengine.model.location import Location
from policyengine.model.pairing import paired
from policyengine.model.resource import Path, is_covered, json_pointer
from policyengine.sources.snapshot import files
from policyengine.sources.snapshot.lines import MAX_LINE
from policyengine.sources.snapshot.peek import Key, keyed_lines
from policyengine.sources.snapshot.source import SnapshotSource

Kind = Literal["added", "removed", "changed", "appeared", "not_collected"]
Json = dict[str, Any]
MAX_PATHS: Final = 50
_NOT_COMPARED: Final = frozenset({"collected_at"})
_MISSING: Final = object()


class Difference(NamedTuple):
    """One value that differs: a JSON Pointer into the line; None for a side that has nothing there."""

    path: str
    before: Any
    after: Any


class Change(NamedTuple):
    """One resource that is not the same. ``appeared`` and ``not_collected``: the other snapshot does not cover its
    type there, so that nobody knows whether it was new or deleted. ``more``: it has more differences."""

    kind: Kind
    type: str
    id: str
    account: str
    region: str
    differences: tuple[Difference, ...] = ()
    more: bool = False


def compare(before: SnapshotSource, after: SnapshotSource) -> Iterator[Change]:
    """Yield what changed, in the order of the snapshots.

    Raises InputError when one of them is not in the order the format asks for, or cannot be read to its end.
    """
    for old, new in paired(_records(before), _records(after)):
        if old is not None and new is not None:
            change = _changed(json.loads(old), json.loads(new)) if old != new else None
            if change is not None:
                yield change
        elif old is not None:
            yield _alone(old, after, "removed", "not_collected")
        elif new is not None:
            yield _alone(new, before, "added", "appeared")


def _records(source: SnapshotSource) -> Iterator[tuple[Key, bytes]]:
    last: Key = ()
    for part in source.parts:
        try:
            for number, key, line in keyed_lines(part.path, partial(_too_long, part.name)):
                if key is None:
                    raise InputError("is no line of a snapshot", Location(part.name, number), code="bad_line")
                if key < last:
                    raise InputError(
                        "is not in the order of account, region, type and id: it cannot be compared; "
                        "collect it again, or write it with policyengine",
                        Location(part.name, number),
                        code="not_sorted",
                    )
                last = key
                yield key, line
        except files.StreamError as problem:
            raise InputError(str(problem), Location(part.name), code="unreadable") from None


def _too_long(name: str, number: int) -> None:
    """A resource that is left out would be said to be gone."""
    raise InputError(
        f"the line is over the limit of {MAX_LINE >> 20} MiB", Location(name, number), code="bad_line"
    )


def _alone(line: bytes, other: SnapshotSource, kind: Kind, otherwise: Kind) -> Change:
    record = json.loads(line)
    account, region, type_ = record["account"], record["region"], record["type"]
    known = is_covered(other.coverage, account, region, type_)
    return Change(kind if known else otherwise, type_, record["id"], account, region)


def _changed(old: Json, new: Json) -> Change | None:
    found: list[Difference] = []
    for difference in _differences(_comparable(old), _comparable(new), ()):
        if len(found) == MAX_PATHS:
            return Change(
                "changed", new["type"], new["id"], new["account"], new["region"], tuple(found), more=True
            )
        found.append(difference)
    if not found:
        return None
    return Change("changed", new["type"], new["id"], new["account"], new["region"], tuple(found))


def _comparable(record: Json) -> Json:
    """What is not known is compared by its path: a digest that differs is a value that differs."""
    plain = {key: value for key, value in record.items() if key not in _NOT_COMPARED}
    if "unknown" in plain:
        plain["unknown"] = {entry.get("path", ""): entry for entry in plain["unknown"]}
    return plain


def _differences(old: Any, new: Any, path: Path) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _differences(old.get(key, _MISSING), new.get(key, _MISSING), (*path, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differences(one, other, (*path, index))
    elif old is _MISSING or new is _MISSING or old != new or type(old) is not type(new):
        yield Difference(
            json_pointer(path), None if old is _MISSING else old, None if new is _MISSING else new
        )
