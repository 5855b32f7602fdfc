"""What a failure rests on, as digests: whoever accepts a FAIL accepts these values and no others.

Of the resource itself that is every property its rule reads, whole: evidence says little of it (`22 is open` has the CIDR and
not the port). Of what lies elsewhere it is what the evidence shows. Lists are digested in any order, because AWS gives
most of them in any; a redacted value counts by its keyed digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from policyengine.engine.needs import ANY, needs_of, top_names
from policyengine.model.finding import PROPOSAL, Evidence, Finding
from policyengine.model.resource import Resource, json_pointer
from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved

Pin = Mapping[str, str]
"""JSON Pointer of a value -> ``sha256:`` and 32 hex digits over it."""
_HEX: Final = 32
_MARK: Final = "!"
MOST_NAMED: Final = 3
_RELATED: Final = "related"
_TAGS: Final = "tags"
_WITH: Final = "with"
SHOWN: Final = "shown"
"""Stands for evidence that has no path: a request that is allowed, what was found elsewhere."""
_MOVING: Final = ("LastUsed", "LastModified", "LastAccessed", "LastActivity")
"""Parts of the names of properties that change while nobody changes the resource; left out of what is pinned as a whole."""
_WORDS: Final = {"": "the resource", SHOWN: "what the finding shows"}


class Pins:
    """Pins findings of some rules."""

    def __init__(self, forms: Mapping[str, Mapping[str, Any]]) -> None:
        self._forms = forms
        self._read: dict[tuple[str, str], frozenset[str]] = {}

    def of(self, finding: Finding, resource: Resource) -> dict[str, str]:
        """Return the digests of what a finding rests on; ``resource`` is the one it is about."""
        names = _whole(self._names(finding.rule, resource.type), finding.evidence)
        branches = (resource, *resource.variants)
        found: dict[str, str] = {}
        for name in sorted(names):
            path = _path(name)
            values = sorted(_text(_value(branch, name)) for branch in branches)
            found[path] = _digest("\0".join(dict.fromkeys(values)))
        seen: dict[str, list[str]] = {}
        for each in finding.evidence:
            if not _is_own(each, names):
                seen.setdefault(json_pointer(each.path) or SHOWN, []).append(_text(each.observed))
        return {**found, **{path: _digest("\0".join(sorted(texts))) for path, texts in sorted(seen.items())}}

    def _names(self, rule: str, type_: str) -> frozenset[str]:
        """Return the properties a rule reads of a type. Tags are what the evidence says: others of them come and go."""
        key = (rule, type_)
        known = self._read.get(key)
        if known is None:
            form = self._forms.get(rule)
            needs = top_names(needs_of([form])) if form is not None else {}
            known = self._read[key] = (needs.get(type_, frozenset()) | needs.get("taggable", frozenset())) - {
                _TAGS
            }
        return known


def _whole(names: frozenset[str], evidence: Sequence[Evidence]) -> frozenset[str]:
    """Return what is pinned whole. Where a rule may read anything, that is what the evidence stands in: a resource has
    values that change by themselves. Where some evidence stands nowhere, it is all of the resource."""
    if ANY not in names:
        return names
    roots = {_root(each) for each in evidence if each.path[-1:] != (PROPOSAL,)} - {_TAGS, _WITH}
    return names if "" in roots or not roots else (names - {ANY}) | roots


def _root(evidence: Evidence) -> str:
    path = evidence.path
    if not path:
        return ""
    return f"{_RELATED}.{path[1]}" if path[0] == _RELATED and len(path) > 1 else str(path[0])


def _is_own(evidence: Evidence, names: frozenset[str]) -> bool:
    """Whether a value is pinned whole already, or is none that was read."""
    if evidence.path[-1:] == (PROPOSAL,):
        return True
    root = _root(evidence)
    return root in names or (ANY in names and root not in ("", _TAGS, _WITH))


def _path(name: str) -> str:
    return "" if name == ANY else json_pointer(tuple(name.split(".")))


def _value(resource: Resource, name: str) -> Any:
    if name == ANY:
        properties = {
            key: value
            for key, value in resource.properties.items()
            if key != "Tags" and not any(part in key for part in _MOVING)
        }
        return {"properties": properties, _RELATED: resource.related}
    if name.startswith(f"{_RELATED}."):
        return resource.related.get(name.partition(".")[2], ABSENT)
    return resource.properties.get(name, ABSENT)


def _text(value: Any) -> str:
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """Return JSON that differs where values do; lists in the order of their texts."""
    if value is ABSENT:
        return {_MARK: "absent"}
    if isinstance(value, Unresolved):
        parts = None if value.parts is None else list(value.parts)
        target = None if value.target is None else list(value.target)
        return {_MARK: [value.reason, value.detail, parts, target]}
    if isinstance(value, OpenDict):
        return {_MARK: [{str(key): _plain(each) for key, each in value.items()}, _plain(value.more)]}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        items = sorted((_plain(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
        return {_MARK: [items, _plain(value.more)]} if isinstance(value, OpenList) else items
    return value


def digest_of_pin(pin: Pin) -> str:
    """Return one digest over all of them."""
    return _digest(json.dumps(dict(pin), sort_keys=True, separators=(",", ":")))


def changed(before: Pin, now: Pin) -> str:
    """Name the values that are not what they were, "" where all are."""
    paths = sorted(_changed(before, now))
    if not paths:
        return ""
    named = ", ".join(_WORDS.get(path, path) for path in paths[:MOST_NAMED])
    more = len(paths) - MOST_NAMED
    return f"{named} and {more:,} more" if more > 0 else named


def _changed(before: Pin, now: Pin) -> Iterator[str]:
    return (path for path in before.keys() | now.keys() if before.get(path) != now.get(path))


@lru_cache(maxsize=4096)
def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HEX]
