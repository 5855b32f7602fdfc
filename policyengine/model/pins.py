"""What a finding rests on, as digests: whoever accepts a FAIL accepts these values and no others.

A digest is taken over what a report says was observed, so that it is the same from a finding and from a run that was
written down, and so that a redacted value counts by its keyed digest and never by itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from policyengine.model.finding import PROPOSAL, Finding, evidence_json
from policyengine.model.resource import parse_pointer

Pin = Mapping[str, str]
"""JSON Pointer of a value -> ``sha256:`` and 32 hex digits over what was observed there."""
_HEX: Final = 32
MOST_NAMED: Final = 3
MOST_PINNED: Final = 50
"""A finding has no more evidence (``engine.rule.MAX_EVIDENCE``): one that has as much may rest on more than it tells."""


def pin_of(finding: Finding) -> dict[str, str]:
    """Return the digest of each value a finding rests on."""
    return pin_of_json(evidence_json(each) for each in finding.evidence)


def pin_of_json(evidence: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the same from the evidence of a finding as JSON. Raises KeyError, TypeError, ValueError for what is none."""
    seen: dict[str, list[str]] = {}
    for each in evidence:
        path = each["path"]
        if parse_pointer(path)[-1:] == (PROPOSAL,):  # what would help is no value that was read
            continue
        text = json.dumps(each["observed"], sort_keys=True, separators=(",", ":"))
        seen.setdefault(path, []).append(text)
    return {path: _digest("\0".join(sorted(texts))) for path, texts in sorted(seen.items())}


def digest_of_pin(pin: Pin) -> str:
    """Return one digest over all of them."""
    return _digest(json.dumps(dict(pin), sort_keys=True, separators=(",", ":")))


def changed(before: Pin, now: Pin) -> str:
    """Name the values that are not what they were, "" where all are."""
    paths = sorted(p for p in before.keys() | now.keys() if before.get(p) != now.get(p))
    if not paths:
        return ""
    named = ", ".join(path or "what it rests on" for path in paths[:MOST_NAMED])
    more = len(paths) - MOST_NAMED
    return f"{named} and {more:,} more" if more > 0 else named


def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HEX]
