"""Which rule each letter of a row is of: the lists of ``run/run.json``, as a tree whose root is signed.

A leaf is one type's list, ``{"rules":["…"],"type":"AWS::S3::Bucket"}`` in canonical JSON, types in their order: so a proof
of one resource names the rules of its letters, and shows no other type.
"""

from __future__ import annotations

import json
from typing import Any, BinaryIO, Final

from policyengine.evidence.bundle_zip import Stored
from policyengine.evidence.manifest import RUN_FILE, Manifest
from policyengine.evidence.problems import MISMATCH, SCHEMA, BundleError, Problem
from policyengine.evidence.statement import Root
from policyengine.model.canonical_json import canonical
from policyengine.model.merkle import Merkle

MAX_RUN: Final = 256 << 20
"""Bytes of ``run/run.json`` that are read at most."""


def rule_lines(text: bytes) -> list[bytes]:
    """Return the leaves of ``run/run.json``. Raises BundleError (``schema``) where its lists are of no known form."""
    try:
        lists = json.loads(text)["rules_of"]
        right = all(_is_list(rules) for rules in lists.values())
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        right = False
    if not right:
        raise BundleError(Problem(SCHEMA, RUN_FILE, "it does not say which rules were asked of each type"))
    return [canonical({"rules": lists[name], "type": name}) for name in sorted(lists)]


def root_of_rules(lines: list[bytes]) -> Root:
    """Return the root over the leaves."""
    tree = Merkle()
    for line in lines:
        tree.add(line)
    return Root(tree.root().hex(), tree.size)


def read_rule_lines(file: BinaryIO, places: dict[str, Stored], manifest: Manifest) -> list[bytes]:
    """Return the leaves of a bundle, none where it has no ``run/run.json``. Raises BundleError, also where their root is not
    the one of the manifest."""
    lines: list[bytes] = []
    if RUN_FILE in places:
        place = places[RUN_FILE]
        if place.size > MAX_RUN:
            raise BundleError(Problem(SCHEMA, RUN_FILE, f"it has more than {MAX_RUN:,} bytes"))
        file.seek(place.data)
        lines = rule_lines(file.read(place.size))
    if root_of_rules(lines) != manifest.rules:
        raise BundleError(
            Problem(
                MISMATCH, RUN_FILE, "the root over its lists of rules is another than the one that is listed"
            )
        )
    return lines


def rules_of_line(line: str) -> tuple[str, list[str]] | None:
    """Return type and rules of a leaf, None where it is none."""
    try:
        value: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or set(value) != {"rules", "type"} or not _is_list(value["rules"]):
        return None
    return (value["type"], value["rules"]) if isinstance(value["type"], str) else None


def _is_list(rules: Any) -> bool:
    return isinstance(rules, list) and all(isinstance(rule, str) for rule in rules)
