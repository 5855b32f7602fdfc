"""Values that an auditor may not see: what is signed holds a salted digest in their place (decision 16).

A **plan** says before collection ends which values these are: JSON Pointers by type, tags by key. The leaf of a line is
taken over :meth:`Withholding.committed`: the line without these values, with entries ``redacted`` in ``unknown`` that hold
``sha256:H(salt ‖ canonical value)``. That is the line a redacted bundle carries, so both kinds have the same roots, and a
single value can be shown later with its salt (:func:`shows`), as in SD-JWT (RFC 9901).

``salt = HMAC-SHA-256(secret, canonical [pointer, identity])``: without the secret nothing can be guessed, not even a value
of two possible ones, and one salt says nothing about another.

What stands elsewhere too, in an id, an ARN or another property, is not found by looking: it has to be named.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple

MIN_SECRET: Final = 16
ANY_TYPE: Final = "*"
RELATED: Final = "related"
"""First step of a pointer into a line's satellites."""
_IDENTITY: Final = ("type", "account", "region", "id", "location", "branch")
_KEYS: Final = ("Key", "key", "TagKey", "tagKey")
_VALUES: Final = ("Value", "value", "TagValue", "tagValue")
_MAX_DEPTH: Final = 200

_encode: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
).encode

Steps = tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What may be withheld: pointers into a line's ``properties`` (``/related/NAME/…`` into its satellites) by type,
    where ``*`` is every type and a step ``*`` every element; tags by key, wherever they stand."""

    properties: Mapping[str, tuple[str, ...]]
    tags: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain JSON."""
        return {
            "properties": {type: sorted(self.properties[type]) for type in sorted(self.properties)},
            "tags": sorted(self.tags),
        }

    @classmethod
    def from_json(cls, value: Any) -> Plan:
        """Return the plan of plain JSON. Raises ValueError for any other."""
        if not isinstance(value, dict) or set(value) != {"properties", "tags"}:
            raise ValueError("a plan of what is withheld has `properties` and `tags`")
        properties, tags = value["properties"], value["tags"]
        if not isinstance(properties, dict) or not _texts(tags) or not all(map(_texts, properties.values())):
            raise ValueError("a plan of what is withheld names pointers by type, and keys of tags")
        for pointer in (pointer for pointers in properties.values() for pointer in pointers):
            steps(pointer)
        return cls({type: tuple(pointers) for type, pointers in properties.items()}, tuple(tags))


class Disclosure(NamedTuple):
    """One withheld value of a line, shown: its pointer, the salt in hexadecimal, the value."""

    path: str
    salt: str
    value: Any


class Withholding:
    """A plan with the secret that salts come from. Raises ValueError for a secret of under 16 bytes."""

    def __init__(self, plan: Plan, secret: bytes) -> None:
        if len(secret) < MIN_SECRET:
            raise ValueError(
                f"the secret has {len(secret)} bytes; expected at least {MIN_SECRET} random ones"
            )
        self.plan = plan
        self.secret = secret
        self._pointers = {
            type: tuple((pointer, steps(pointer)) for pointer in sorted(pointers))
            for type, pointers in plan.properties.items()
        }
        self._tags = frozenset(plan.tags)
        self._needles = tuple(
            json.dumps(text, ensure_ascii=False).encode()
            for text in sorted({*plan.properties, *plan.tags} - {ANY_TYPE})
        )
        self._all = bool(plan.properties.get(ANY_TYPE))
        self._met: set[tuple[str, str]] = set()

    def unmet(self) -> list[str]:
        """Return what of the plan has withheld nothing in the lines that were seen, in words."""
        named = [(type, pointer) for type, each in self.plan.properties.items() for pointer in each]
        return [
            *(f"`{pointer}` of {type}" for type, pointer in sorted(named) if not self._is_met(type, pointer)),
            *(f"the tag `{key}`" for key in sorted(self.plan.tags) if (_TAGS_SIDE, key) not in self._met),
        ]

    def _is_met(self, type: str, pointer: str) -> bool:
        """Whether a pointer, or one that takes what it is below, has withheld something."""
        inner = steps(pointer)
        return any(
            owner in (type, ANY_TYPE)
            and len(outer := steps(text)) <= len(inner)
            and all(a in (b, "*") for a, b in zip(outer, inner, strict=False))
            for owner, text in self._met
            if owner != _TAGS_SIDE
        )

    def may_hold(self, line: bytes) -> bool:
        """Whether a line may have a withheld value: quick, never False for one that has.

        A name can be spelt with escapes, so a line with one that could stand for a letter is read too.
        """
        return (
            self._all or any(needle in line for needle in self._needles) or b"\\u" in line or b"\\/" in line
        )

    def committed(self, line: bytes) -> bytes:
        """Return what the leaf of a line is taken over: the line itself, byte for byte, where nothing is withheld.

        Raises ValueError for a line that is no JSON object, or nested too deep.
        """
        if not self.may_hold(line):
            return line
        record = _record(line)
        found = self._taken(record)
        if not found:
            return line
        entries = [self._entry(record, disclosure) for disclosure in found]
        kept = record.get("unknown")
        record["unknown"] = sorted(
            [*(kept if isinstance(kept, list) else ()), *entries],
            key=lambda entry: (
                (str(entry.get("path")), str(entry.get("of", ""))) if isinstance(entry, dict) else ("", "")
            ),
        )
        return _canonical(record)

    def disclosures(self, line: bytes) -> list[Disclosure]:
        """Return what is withheld of a line, with the salts. Raises ValueError as :meth:`committed`."""
        return self._taken(_record(line)) if self.may_hold(line) else []

    def _entry(self, record: Mapping[str, Any], disclosure: Disclosure) -> dict[str, Any]:
        entry = {
            "path": disclosure.path,
            "reason": "redacted",
            "detail": digest_of(disclosure),
            "present": True,
        }
        if disclosure.path.startswith("/Tags") and disclosure.path.count("/") <= 2:
            entry["of"] = "properties"
        if disclosure.path.startswith(_TAGS_SIDE):
            entry["path"] = disclosure.path.removeprefix(_TAGS_SIDE)
            entry["of"] = "tags"
        return entry

    def _taken(self, record: dict[str, Any]) -> list[Disclosure]:
        """Take every withheld value out of a record."""
        identity = _canonical({name: record.get(name) for name in _IDENTITY})
        found: list[tuple[str, Any]] = []
        type = record.get("type")
        for owner in (ANY_TYPE, type if isinstance(type, str) else ""):
            for text, pointer in self._pointers.get(owner, ()):
                taken = list(_take(record, pointer))
                found += taken
                if taken:
                    self._met.add((owner, text))
        if self._tags:
            found += self._taken_tags(record)
        return [Disclosure(path, _salt(self.secret, path, identity), value) for path, value in found]

    def _taken_tags(self, record: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        tags = record.get("tags")
        if isinstance(tags, dict):
            for key in sorted(self._tags & set(tags)):
                if tags[key] is not None:
                    self._met.add((_TAGS_SIDE, key))
                    yield f"{_TAGS_SIDE}/Tags/{_escaped(key)}", tags.pop(key)
        for inside, path in (("properties", ""), ("related", "/related")):
            for key, place, value in _tag_values(record.get(inside), path, self._tags, 0):
                self._met.add((_TAGS_SIDE, key))
                yield place, value


_TAGS_SIDE: Final = "tags:"
"""Marks the pointer of a tag as against that of a property ``Tags``; both have salts of their own."""


def _salt(secret: bytes, path: str, identity: bytes) -> str:
    """HMAC over the canonical text of [path, identity]."""
    return hmac.digest(secret, b"[%b,%b]" % (_canonical(path), identity), "sha256").hex()


def digest_of(disclosure: Disclosure) -> str:
    """Return ``sha256:…`` as a redacted line holds it."""
    return f"sha256:{sha256(bytes.fromhex(disclosure.salt) + _canonical(disclosure.value)).hexdigest()}"


def shows(line: bytes, disclosure: Disclosure) -> bool:
    """Whether a redacted line holds the digest of a value that is shown, at its pointer. Raises ValueError as
    :meth:`Withholding.committed`."""
    path = disclosure.path.removeprefix(_TAGS_SIDE)
    of_tags = path != disclosure.path
    unknown = _record(line).get("unknown")
    return any(
        isinstance(entry, dict)
        and entry.get("path") == path
        and (entry.get("of") == "tags") == of_tags
        and entry.get("reason") == "redacted"
        and entry.get("detail") == digest_of(disclosure)
        for entry in (unknown if isinstance(unknown, list) else ())
    )


def _canonical(value: Any) -> bytes:
    """As :func:`policyengine.model.canonical_json.canonical`, with one encoder for millions of values."""
    return _encode(value).encode("utf-8", "surrogatepass")


def steps(pointer: str) -> Steps:
    """Return the steps of a JSON Pointer (RFC 6901). Raises ValueError."""
    if not pointer.startswith("/") or pointer == "/":
        raise ValueError(f"`{pointer}` is no pointer to a value; expected `/Name` or `/Name/0/Name`")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/"))


def _take(record: dict[str, Any], pointer: Steps) -> Iterator[tuple[str, Any]]:
    inside = record if pointer[0] == RELATED else record.get("properties")
    places: list[tuple[Any, str]] = [(inside, "")]
    for step in pointer[:-1]:
        places = [
            (value, f"{path}/{_escaped(key)}") for holder, path in places for key, value in _at(holder, step)
        ]
    for holder, path in places:
        for key, value in list(_at(holder, pointer[-1])):
            if value is None:
                continue
            if isinstance(holder, dict):
                del holder[key]
            else:
                holder[int(key)] = None  # the others keep their places
            yield f"{path}/{_escaped(key)}", value


def _at(holder: Any, step: str) -> Iterator[tuple[str, Any]]:
    if isinstance(holder, dict):
        for key in sorted(holder) if step == "*" else [step] if step in holder else []:
            yield key, holder[key]
    elif isinstance(holder, list):
        for index, value in enumerate(holder):
            if step in ("*", str(index)):
                yield str(index), value


def _tag_values(value: Any, path: str, keys: frozenset[str], depth: int) -> Iterator[tuple[str, str, Any]]:
    """Tags as properties hold them, ``{"Key": …, "Value": …}`` anywhere, and maps that are called tags: key, path, value."""
    if depth > _MAX_DEPTH:
        raise ValueError("it is nested too deep")
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield from _tag_values(element, f"{path}/{index}", keys, depth + 1)
    elif isinstance(value, dict):
        held = [value[name] for name in _KEYS if isinstance(value.get(name), str) and value[name] in keys]
        as_map = path.rpartition("/")[2].lower().endswith("tags")
        for name in sorted(value):
            here = f"{path}/{_escaped(name)}"
            if value[name] is not None and ((held and name in _VALUES) or (as_map and name in keys)):
                yield held[0] if held else name, here, value.pop(name)
            else:
                yield from _tag_values(value[name], here, keys, depth + 1)


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("a line is no JSON") from None
    if not isinstance(record, dict):
        raise ValueError("a line is no JSON object")  # noqa: TRY004 - one error for "no line of a snapshot"
    return record


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)
