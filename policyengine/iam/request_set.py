"""Sets of requests: which actions, resources, principals and context values a question is about.

The form of a file is ``{"action": […], "resource": […], "principal": […], "context": {key: …}}``: a list
means any of these patterns, ``{"not": […]}`` any other present value, ``"or_absent": true`` beside it (or
beside ``"in": […]``) admits the absent key; ``{"in": […], "not": […]}`` leaves the second out of the first.
A key or a field not named is free. The first five parts of a resource's ARN are compared one by one.
``@name`` among actions is a list of ``action_sets``. Principals that
``not`` names are compared as ``ArnLike`` does: a star stays within its part of the ARN.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from policyengine.iam.action_sets import action_set, action_sets
from policyengine.iam.catalogue import catalogue
from policyengine.iam.cells import Pattern, arn_glob, glob, matches
from policyengine.iam.comparisons import address_block
from policyengine.iam.documents import MAX_CHARACTERS, MAX_DEPTH, parse_json, too_deep
from policyengine.iam.errors import JsonPath, PolicyError, shown
from policyengine.iam.glob import compile_glob
from policyengine.iam.opaque import Opaque
from policyengine.iam.request import Request

MAX_PATTERNS: Final = 10_000
_FIELDS: Final = ("action", "resource", "principal", "context")
_FORMS: Final = "a list of patterns, or an object with `in`, `not` or both and perhaps `or_absent`"


@dataclass(frozen=True, slots=True)
class Values:
    """Which values of a key are in the set: those that match a pattern, or (``negated``) none of them;
    none that match a pattern of ``but``."""

    patterns: tuple[str, ...] = ("*",)
    negated: bool = False
    absent: bool = False
    but: tuple[str, ...] = ()

    def hold(self, values: tuple[str, ...] | Opaque | None) -> bool:
        """Say whether values of a request are among them; None: it does not carry the key."""
        if values is None:
            return self.absent
        if isinstance(values, Opaque):
            return False
        return all(
            _among(self.patterns, v) != self.negated and not (self.but and _among(self.but, v))
            for v in values
        )


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
    exempt: tuple[str, ...] = ()
    """ARNs of principals that are left out, as ``ArnLike`` compares them."""
    excluded: tuple[str, ...] = ()
    """Resources that are left out."""

    def holds(self, request: Request) -> bool:
        """Say whether a request is in the set."""
        if not _matched(tuple(a.lower() for a in self.actions), request.lower_action):
            return False
        if not any(matches(resource_pattern(p), request.resource) for p in self.resources):
            return False
        if any(matches(resource_pattern(p), request.resource) for p in self.excluded):
            return False
        if not _matched(self.principals, request.caller.name) or self.exempts(request):
            return False
        return all(wanted.hold(request.values(key)) for key, wanted in self.context.items())

    def names(self, principal: str) -> bool:
        """Say whether a principal is one of those asked about, by its ARN."""
        return _matched(self.principals, principal)

    def exempts(self, request: Request) -> bool:
        """Say whether a request is, or may be, one of a principal that is left out."""
        if not self.exempt:
            return False
        names = request.values("aws:principalarn")
        if isinstance(names, Opaque):
            return True
        return any(matches(arn_glob(p), name) for p in self.exempt for name in names or ())


def resource_pattern(text: str) -> Pattern:
    """Return what a pattern of resources means: of an ARN, a star stays within its part but in the last."""
    return arn_glob(text) if len(text.split(":", 5)) == 6 else glob(text)


def _among(patterns: tuple[str, ...], value: str) -> bool:
    return _matched(patterns, value) or any(_in_block(value, p) for p in patterns if "/" in p)


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
    resources, excluded = _in_and_not(value, "resource")
    principals, exempt = _in_and_not(value, "principal")
    for at, pattern in enumerate(exempt):
        if pattern != "*" and len(pattern.split(":", 5)) < 6:
            raise PolicyError(("principal", "not", at), "no ARN", shown(pattern), "the ARN of a principal")
    return RequestSet(
        _actions(value),
        resources,
        principals,
        keys,
        {key.lower(): key for key in context},
        exempt,
        excluded,
    )


def _actions(value: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the patterns of actions; ``in`` less ``not`` by services and names of the catalogue."""
    found = value.get("action")
    if not isinstance(found, dict):
        return _patterns(value, "action")
    wanted, without = _in_and_not(value, "action")
    return _less(_read_actions(wanted), _read_actions(without))


@lru_cache(maxsize=256)
def _less(wanted: tuple[str, ...], without: tuple[str, ...]) -> tuple[str, ...]:
    if not without:
        return wanted
    known = catalogue()
    left = known.matching_any(wanted) & ~known.matching_any(without)
    found: list[str] = []
    for service in known.services:
        mask = known.service_mask(service)
        if mask and not mask & ~left:
            found.append(f"{service}:*")
            left &= ~mask
    while left:
        found.append(known.names[(left & -left).bit_length() - 1])
        left &= left - 1
    return tuple(found)


def _in_and_not(value: Mapping[str, Any], name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the patterns of a field and those that are left out of them."""
    found = value.get(name)
    if not isinstance(found, dict):
        return _patterns(value, name), ()
    if not found or found.keys() - {"in", "not"}:
        raise PolicyError((name,), "no patterns", shown(json.dumps(found)), "a list, or `in`, `not` or both")
    without = found.get("not", [])
    excluded = () if without == [] else _texts(without, (name, "not"))
    return (_texts(found["in"], (name, "in")) if "in" in found else ("*",)), excluded


def _patterns(value: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = value.get(name)
    if found is None:
        return ("*",)
    patterns = _texts(found, (name,))
    return _read_actions(patterns) if name == "action" else patterns


def _read_actions(texts: tuple[str, ...]) -> tuple[str, ...]:
    patterns = _listed(texts)
    for at, pattern in enumerate(patterns):
        if pattern != "*" and not all(pattern.partition(":")):
            raise PolicyError(
                ("action", at), "no action", shown(pattern), "`*` or `service:Name`, with wildcards"
            )
    return patterns


def _listed(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the patterns with the actions of each ``@list`` in its place."""
    found: dict[str, None] = {}
    for at, pattern in enumerate(patterns):
        if not pattern.startswith("@"):
            found[pattern] = None
            continue
        actions = action_set(pattern[1:])
        if actions is None:
            names = ", ".join(f"`@{name}`" for name in action_sets())
            raise PolicyError(("action", at), "no list of actions", shown(pattern), names)
        found.update(dict.fromkeys(actions))
    return tuple(found)


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
    if unknown or not isinstance(absent, bool) or not found:
        raise PolicyError(path, "no values", shown(json.dumps(found)), _FORMS)
    if "in" in found and found.get("not"):
        return Values(_texts(found["in"], (*path, "in")), False, absent, _texts(found["not"], (*path, "not")))
    if "not" in found and "in" not in found:
        excluded = found["not"]
        return Values(() if excluded == [] else _texts(excluded, (*path, "not")), True, absent)
    if "in" in found:
        return Values(_texts(found["in"], (*path, "in")), False, absent)
    return Values((), False, absent) if absent else Values()
