"""What the tests of fixes share: planning one text, and judging what came out anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from policyengine.documents import Document, load
from policyengine.engine.evaluate import Evaluator
from policyengine.fix.judging import Judged, Place, judge
from policyengine.fix.planning import Plan, Wanted, plan
from policyengine.model.reasons import FAIL, PASS, UNKNOWN
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs
from policyengine.sources.base import SourceOptions

ROOT = Path(__file__).parents[2]
CORPUS = ROOT.parent / "shared" / "corpora" / "cloudformation"
FILES = sorted(p for p in CORPUS.glob("*") if p.suffix != ".txt")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLACE = Place("template.yaml", "template.yaml", SourceOptions())
UNSAFE = Wanted(unsafe=True)


@cache
def pack() -> Pack:
    return load_packs(())


@cache
def evaluator() -> Evaluator:
    return Evaluator(pack(), now=NOW)


def read(text: str, name: str = "template.yaml") -> Document:
    return load(text.encode(), name=name, style="cloudformation")


def planned(text: str, wanted: Wanted = UNSAFE, *, by: Evaluator | None = None) -> Plan:
    return plan(PLACE, read(text), by or evaluator(), wanted)


def fixed(text: str, rule: str, *, unsafe: bool = True, tags: Mapping[str, str] | None = None) -> str:
    """Return the text with one rule fixed, and hold what a fix promises against it."""
    found = planned(text, Wanted(unsafe, frozenset([rule]), tags or {}))
    assert [fix.finding.rule for fix in found.fixed] != [], [left.why for left in found.left]
    holds(text, found)
    return found.text


def why(text: str, rule: str, wanted: Wanted = UNSAFE) -> str:
    """Return why the only failure of a rule stays, and see that the text stays too."""
    found = planned(text, wanted._replace(rules=frozenset([rule])))
    assert found.text == text
    (left,) = found.left
    return left.why


def judged(text: str, by: Evaluator | None = None) -> Judged:
    return judge(by or evaluator(), PLACE, read(text))


ABOUT_TAG_VALUES = frozenset({"tags-no-placeholders"})


def holds(before: str, found: Plan, *, by: Evaluator | None = None) -> None:
    """The contract, asked anew of the text alone: the rules pass, nothing got worse, every old line is there."""
    then, now = judged(before, by), judged(found.text, by)
    for fix in found.fixed:
        assert now.verdicts[fix.key] == PASS, fix
    placeholders = {
        fix.finding.resource_id for fix in found.fixed for e in fix.effects if e.kind == "placeholder"
    }
    for key, verdict in now.verdicts.items():
        said = then.verdicts.get(key)
        if key[0] in ABOUT_TAG_VALUES and key[1].startswith(tuple(placeholders)):  # SAM hands tags on
            continue
        assert not (verdict == FAIL and said != FAIL), (key, said)
        assert not (verdict == UNKNOWN and said == PASS), key
    assert now.errors <= then.errors
    if not found.fixed:
        assert found.text == before


def template(type_: str, properties: Mapping[str, Any], **more: Any) -> str:
    body = {"Type": type_, "Properties": properties, **more}
    return json.dumps({"Resources": {"Subject": body}}, indent=2) + "\n"
