"""A review as JSON: ``policyengine/review/v1`` (docs/output-formats.md has its schema)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from policyengine import __version__
from policyengine.model.finding import plain, witness_json
from policyengine.model.resource import Resource, json_pointer
from policyengine.review.changes import EFFECTS, Change
from policyengine.review.content import steps

SCHEMA: Final = "policyengine/review/v1"


@dataclass(frozen=True)
class About:
    """What a review compared: names of both sides, the clock (RFC 3339), the rules, and what went wrong."""

    base: str
    head: str
    as_of: str
    rule_pack: str
    rules: int
    config: str | None = None
    errors: Sequence[dict[str, Any]] = ()
    incomplete: bool = False
    notes: Sequence[str] = ()
    compared: dict[str, int] = field(default_factory=dict)
    """Resources by how they were paired: ``unchanged``, ``changed``, ``new``, ``gone``."""


def review_json(changes: Iterable[Change], about: About) -> dict[str, Any]:
    """Return the document; the order of the changes is kept."""
    entries: list[dict[str, Any]] = []
    seen: Counter[str] = Counter()
    for change in changes:
        entry = entry_json(change)
        seen[entry["id"]] += 1
        if seen[entry["id"]] > 1:
            entry["id"] = _hash([entry["id"], str(seen[entry["id"]])])
        entries.append(entry)
    counts = Counter(entry["effect"] for entry in entries)
    return {
        "schema": SCHEMA,
        "run": {
            "base": about.base,
            "head": about.head,
            "as_of": about.as_of,
            "engine_version": __version__,
            "rule_pack": {"digest": about.rule_pack, "rules": about.rules},
            "config": about.config,
            "complete": not about.errors,
            "errors": list(about.errors),
            "notes": list(about.notes),
            "resources": dict(sorted(about.compared.items())),
        },
        "summary": {effect: counts[effect] for effect in EFFECTS},
        "entries": entries,
    }


def entry_json(change: Change) -> dict[str, Any]:
    """Return one entry. Its id is the same in every format, and in every review of the same change."""
    place = change.place()
    return {
        "id": _id(change),
        "kind": change.kind,
        "effect": change.effect,
        "severity": change.severity,
        "title": change.title,
        "file": place.file if place is not None else change.file,
        "line": place.line if place is not None else None,
        "column": place.column if place is not None else None,
        "resource": _resource(change.resource),
        "base_resource": _resource(change.old) if change.old is not change.resource else None,
        "path": json_pointer(change.path),
        "before": plain(change.before),
        "after": plain(change.after),
        "witness": witness_json(change.witness) if change.witness is not None else None,
        "details": list(change.details),
        "rules": [rule._asdict() for rule in change.rules],
    }


def _resource(resource: Resource | None) -> dict[str, Any] | None:
    if resource is None:
        return None
    return {
        "type": resource.type,
        "id": resource.id,
        "account": resource.account,
        "region": resource.region,
        "file": resource.file,
    }


def _id(change: Change) -> str:
    identity = change.resource.identity if change.resource is not None else ("", change.file or "", "", "")
    action = change.witness.action if change.witness is not None else ""
    return _hash(
        [change.kind, change.effect, *identity, *steps(change.path), action, *(r.rule for r in change.rules)]
    )


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
