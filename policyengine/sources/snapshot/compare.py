"""What changed between two snapshots: both are read side by side in order, in constant memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

from policyengine.model.errors import InputError
from policyengine.model.location import Location
from policyengine.model.resource import Path, json_pointer
from policyengine.sources.snapshot import files
from policyengine.sources.snapshot.peek import identity_key
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
    left, right = _records(before), _records(after)
    old, new = next(left, None), next(right, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old[0] < new[0]):
            assert old is not None
            yield _alone(old[1], after, "removed", "not_collected")
            old = next(left, None)
        elif old is None or new[0] < old[0]:
            yield _alone(new[1], before, "added", "appeared")
            new = next(right, None)
        else:
            if old[1] != new[1]:
                change = _changed(json.loads(old[1]), json.loads(new[1]))
                if change is not None:
                    yield change
            old, new = next(left, None), next(right, None)


def _records(source: SnapshotSource) -> Iterator[tuple[tuple[bytes, ...], bytes]]:
    last: tuple[bytes, ...] = ()
    for part in source.parts:
        number = 0
        try:
            for number, lines in files.cut_lines(files.expand(files.read_blocks(part.path)), lambda _: None):
                for line in lines:
                    if not line or line.isspace():
                        continue
                    key = identity_key(line)
                    if key is None:
                        raise InputError(
                            "is no line of a snapshot", Location(part.name, number), code="bad_line"
                        )
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


def _alone(line: bytes, other: SnapshotSource, kind: Kind, otherwise: Kind) -> Change:
    record = json.loads(line)
    place = (record["account"], record["region"])
    known = {(*place, record["type"]), (*place, "*")} & other.coverage
    return Change(kind if known else otherwise, record["type"], record["id"], *place)


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
