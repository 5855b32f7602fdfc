"""A resource as its one canonical line: the inverse of ``lines.parse_line``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from policyengine.catalog import registry
from policyengine.model.location import Location
from policyengine.model.resource import Path, Resource, json_pointer
from policyengine.model.values import OpenDict, OpenList, Unresolved

Entry = dict[str, Any]


def to_line(resource: Resource) -> bytes:
    """Return the line, without a newline: same resource, same bytes.

    Keys inside are sorted, nothing is escaped that need not be, Unresolved values move to
    ``unknown``. The branches of a resource are lines of their own (:func:`to_lines`). Raises
    ValueError for what no snapshot can hold: a number that is not finite, half a surrogate pair,
    a satellite that is no list.
    """
    unknown: list[Entry] = []
    record: dict[str, Any] = {"type": resource.type, "id": resource.id}
    if resource.arn is not None:
        record["arn"] = resource.arn
    record["account"] = resource.account or ""
    record["region"] = resource.region or ""
    tags = _tags(resource.tags, unknown)
    if tags is not None:
        record["tags"] = tags
    record["properties"] = _properties(resource, unknown)
    if resource.related or isinstance(resource.related, OpenDict):
        record["related"] = _related(resource, unknown)
    if unknown:
        record["unknown"] = sorted(unknown, key=lambda e: (e["path"], e.get("of", "")))
    if resource.collected_at is not None:
        record["collected_at"] = resource.collected_at
    if resource.file is not None:
        record["location"] = _location(resource.file, resource.locate(()))
    if resource.branch is not None:
        record["branch"] = dict(resource.branch)
    if resource.provenance is not None:
        record["provenance"] = dict(resource.provenance)
    pieces = (f"{json.dumps(key)}:{_dump(value)}" for key, value in record.items())
    return f"{{{','.join(pieces)}}}".encode()


def to_lines(resource: Resource) -> list[bytes]:
    """Return the line of the resource and, after it, one for each of its other branches."""
    return [to_line(resource), *(to_line(other) for other in resource.variants)]


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _properties(resource: Resource, unknown: list[Entry]) -> dict[str, Any]:
    properties = resource.properties
    more = getattr(properties, "more", None)
    if not isinstance(more, Unresolved):
        return _object(properties, (), unknown)
    unknown.append(_entry((), more))
    filled = set(registry.top_level(resource.type))
    known = {k: v for k, v in properties.items() if not (k in filled and v == more)}
    return _object(known, (), unknown)


def _object(value: dict[str, Any], path: Path, unknown: list[Entry]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, element in value.items():
        if isinstance(element, Unresolved):
            unknown.append(_entry((*path, key), element))
        elif element is not None:
            plain[key] = _value(element, (*path, key), unknown)
    return plain


def _value(value: Any, path: Path, unknown: list[Entry]) -> Any:
    if isinstance(value, dict):
        if isinstance(value, OpenDict):
            unknown.append(_entry((*path, "-"), value.more))
        return _object(value, path, unknown)
    if isinstance(value, list):
        if isinstance(value, OpenList):
            unknown.append(_entry((*path, "-"), value.more))
        return list(_elements(value, path, unknown))
    return value


def _elements(value: list[Any], path: Path, unknown: list[Entry]) -> Iterator[Any]:
    """An unresolved element leaves ``null`` in its place, so that the others keep theirs."""
    for index, element in enumerate(e for e in value if e is not None):
        if isinstance(element, Unresolved):
            unknown.append(_entry((*path, index), element))
            yield None
        else:
            yield _value(element, (*path, index), unknown)


def _tags(tags: Any, unknown: list[Entry]) -> dict[str, str] | None:
    if tags is None:
        return None
    if isinstance(tags, Unresolved):
        unknown.append({**_entry(("Tags",), tags), "of": "tags"})
        return None
    more = getattr(tags, "more", None)
    if more is not None:
        unknown.append({**_entry(("Tags",), more), "of": "tags"})
    for key, value in tags.items():
        if isinstance(value, Unresolved):
            unknown.append({**_entry(("Tags", key), value), "of": "tags"})
    return {k: v for k, v in tags.items() if not isinstance(v, Unresolved)}


def _related(resource: Resource, unknown: list[Entry]) -> dict[str, Any]:
    related = resource.related
    entries: list[Entry] = []
    plain = _value(related, ("related",), entries)
    for entry in entries:
        entry.pop("of", None)
    unknown.extend(entries)
    for name, value in plain.items():
        if not isinstance(value, list):
            raise ValueError(f"`related.{name}` of `{resource.id}` is no list")  # noqa: TRY004 - one error for "no snapshot holds this"
    return dict(plain)


def _entry(path: Path, value: Unresolved) -> Entry:
    entry: Entry = {"path": json_pointer(path), **_known_of(value)}
    if path and (path[0] == "related" or (path[0] == "Tags" and len(path) <= 2)):
        entry["of"] = "properties"
    return entry


def _known_of(value: Unresolved) -> Entry:
    entry: Entry = {"reason": value.reason}
    if value.detail:
        entry["detail"] = value.detail
    if value.present:
        entry["present"] = True
    if value.target is not None:
        entry["target"] = list(value.target)
    if value.parts is not None:
        entry["parts"] = list(value.parts)
        if value.gaps:
            entry["gaps"] = [_known_of(gap) for gap in value.gaps]
    return entry


def _location(file: str, place: Location | None) -> dict[str, Any]:
    if place is None or place.file != file:
        return {"file": file}
    return {name: value for name, value in place._asdict().items() if value is not None}
