"""One rule text, one verdict: every bundled rule on the same resource as template, plan and snapshot.

Sources may know more or less: where a template or plan says UNKNOWN, a snapshot, which is complete,
may decide. What two sources both decide, they decide alike.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import prepare
from policyengine.engine.world import World
from policyengine.model.resource import Resource
from policyengine.rules.packs import load_packs
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation import open_template
from policyengine.sources.snapshot import open_lines
from policyengine.sources.snapshot.canonical import to_line

from .plans import read
from .test_same_as_cloudformation import CASES

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PACK = load_packs()


def verdicts(resource: Resource) -> dict[str, str]:
    prepare(resource)
    world = World()
    world.add(resource)
    return {f.rule: f.verdict for f in Evaluator(PACK, now=NOW).findings(resource, world)}


def as_snapshot(resource: Resource, folder: Path) -> Resource:
    """The same properties as a collector would write them."""
    line = json.loads(to_line(resource))
    kept = {k: line[k] for k in ("type", "id", "properties", "tags", "related", "unknown") if k in line}
    path = folder / "one.ndjson"
    path.write_text(
        json.dumps({**kept, "account": "111122223333", "region": "eu-west-1"}) + "\n", encoding="utf-8"
    )
    (found,) = open_lines(path, "one.ndjson").resources()
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["name"])
def test_template_plan_and_snapshot_agree(case: dict[str, Any], tmp_path: Path) -> None:
    template = tmp_path / "template.json"
    template.write_text(json.dumps({"Resources": {"R": case["template"]}}), encoding="utf-8")
    (written,) = open_template(template, SourceOptions(base=tmp_path)).resources()
    (planned,) = read({f"{case['type']}.r": {"after": case["after"]}}, tmp_path).values()
    in_template, in_plan = verdicts(written), verdicts(planned)
    in_snapshot = verdicts(as_snapshot(written, tmp_path))
    assert in_template.keys() == in_plan.keys() == in_snapshot.keys()
    assert in_template, "some rule is about every one of these types"
    assert different(in_template, in_plan) == {}
    assert different(in_template, in_snapshot) == {}


def different(first: dict[str, str], second: dict[str, str]) -> dict[str, tuple[str, str]]:
    return {
        r: (first[r], second[r])
        for r in first
        if first[r] != second[r] and "UNKNOWN" not in (first[r], second[r])
    }
