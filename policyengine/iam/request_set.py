"""Sets of requests: which actions, resources, principals and context values a question is about.

The form of a file is ``{"action": […], "resource": […], "principal": […], "context": {key: …}}``: a list
means any of these patterns, ``{"not": […]}`` any other present value, ``"or_absent": true`` beside it (or
beside ``"in": […]``) admits the absent key; a key or a field not named is free.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from policyengine.iam.comparisons import address_block
from policyengine.iam.documents import MAX_CHARACTERS, MAX_DEPTH, parse_json, too_deep
from policyengine.iam.errors import JsonPath, PolicyError, shown
from policyengine.iam.glob import compile_glob
from policyengine.iam.opaque import Opaque
from policyengine.iam.request import Request

MAX_PATTERNS: Final = 10_000
_FIELDS: Final = ("action", "resource", "principal", "context")
_FORMS: Final = "a list of patterns, or an object with `in` or `not` and perhaps `or_absent`"


@dataclass(frozen=True, slots=True)
class Values:
    """Which values of a key are in the set: those that match a pattern, or (``negated``) none of them."""

    patterns: tuple[str, ...] = ("*",)
    negated: bool = False
    absent: bool = False

    def hold(self, values: tuple[str, ...] | Opaque | None) -> bool:
        """Say whether values of a request are among them; None: it does not carry the key."""
        if values is None:
            return self.absent
        if isinstance(values, Opaque):
            return False
        return all(self._match(v) != self.negated for v in values)

    def _match(self, value: str) -> bool:
        return _matched(self.patterns, value) or any(_in_block(value, p) for p in self.patterns if "/" in p)


@dataclass(frozen=True, slots=True)
class RequestSet:
    """A set of requests. An empty tuple is free: any action, any resource, any principal in question."""

    actions: tuple[str, ...] = ("*",)
    resources: tuple[str, ...] = ("*",)
    principals: tuple[str, ...] = ("*",)
    context: Mapping[str, Values] = field(default_factory=dict)
    """Key in lower case → its values."""
    spelled: Mapping[str, str] = field(default_factory=dict)
    """Key in lower case → as it was written."""

    def holds(self, request: Request) -> bool:
        """Say whether a request is in the set."""
        if not _matched(tuple(a.lower() for a in self.actions), request.lower_action):
            return False
        if not _matched(self.resources, request.resource):
            return False
        if not _matched(self.principals, request.caller.name):
            return False
        return all(wanted.hold(request.values(key)) for key, wanted in self.context.items())


def _in_block(value: str, block: str) -> bool:
    """Say whether an address is in a block (`aws:SourceIp` and its like are asked about in blocks)."""
    address, wanted = address_block(value), address_block(block)
    if address is None or wanted is None:
        return False
    return address[0] == wanted[0] and wanted[1] <= address[1] and address[2] <= wanted[2]


def _matched(patterns: tuple[str, ...], text: str) -> bool:
    return any(compile_glob(p)(text) for p in patterns)


def read_request_set(value: Any) -> RequestSet:
    """Return the set a JSON text or object describes; raises PolicyError with the path of a mistake."""
    if isinstance(value, str):
        if len(value) > MAX_CHARACTERS:
            raise PolicyError((), "too large", f"{len(value)} characters", f"at most {MAX_CHARACTERS}")
        if too_deep(value, MAX_DEPTH):
            raise PolicyError((), f"nested deeper than {MAX_DEPTH} levels")
        value = parse_json(value)
    if not isinstance(value, dict):
        raise PolicyError((), "no set of requests", shown(value), "an object with `action`")
    for key in value:
        if key not in _FIELDS:
            raise PolicyError((), "no such key", shown(key), ", ".join(f"`{f}`" for f in _FIELDS))
    context = value.get("context") or {}
    if not isinstance(context, dict):
        raise PolicyError(("context",), "no context", shown(context), "key → values")
    keys: dict[str, Values] = {}
    for key, found in context.items():
        if ":" not in key:
            raise PolicyError(("context", key), "no condition key", shown(key), "`service:Key`")
        if key.lower() in keys:
            raise PolicyError(("context", key), "the key stands twice")
        keys[key.lower()] = _values(found, ("context", key))
    return RequestSet(
        _patterns(value, "action"),
        _patterns(value, "resource"),
        _patterns(value, "principal"),
        keys,
        {key.lower(): key for key in context},
    )


def _patterns(value: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = value.get(name)
    if found is None:
        return ("*",)
    patterns = _texts(found, (name,))
    for at, pattern in enumerate(patterns):
        if name == "action" and pattern != "*" and not all(pattern.partition(":")):
            raise PolicyError(
                (name, at), "no action", shown(pattern), "`*` or `service:Name`, with wildcards"
            )
    return patterns


def _texts(found: Any, path: JsonPath) -> tuple[str, ...]:
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list) or not listed:
        raise PolicyError(path, "no patterns", shown(found), "a list of texts")
    if len(listed) > MAX_PATTERNS:
        raise PolicyError(path, "too large", f"{len(listed)} patterns", f"at most {MAX_PATTERNS}")
    for at, item in enumerate(listed):
        if not isinstance(item, str) or not item:
            raise PolicyError((*path, at), "no text", shown(item), "a text")
    return tuple(listed)


def _values(found: Any, path: JsonPath) -> Values:
    if not isinstance(found, dict):
        return Values(_texts(found, path))
    unknown = found.keys() - {"in", "not", "or_absent"}
    absent = found.get("or_absent", False)
    if unknown or ("in" in found and "not" in found) or not isinstance(absent, bool) or not found:
        raise PolicyError(path, "no values", shown(json.dumps(found)), _FORMS)
    if "not" in found:
        excluded = found["not"]
        return Values(() if excluded == [] else _texts(excluded, (*path, "not")), True, absent)
    if "in" in found:
        return Values(_texts(found["in"], (*path, "in")), False, absent)
    return Values((), False, absent) if absent else Values()
