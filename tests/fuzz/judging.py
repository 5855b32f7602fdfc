"""Judging with the whole rule pack, and nothing swallowed: a crash of a rule is a crash of the target."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Wanted
from policyengine.engine.rule import BoundRule
from policyengine.engine.scan import Scan
from policyengine.model.errors import PolicyEngineError
from policyengine.model.finding import Finding
from policyengine.model.reasons import REASONS, VERDICTS
from policyengine.rules.packs import load_packs
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets

from .bounds import timed

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LIMIT = 20.0
"""Seconds of processor time for every rule on the resources of one input."""


class Loud(Evaluator):
    """Lets the crash of a rule through with its trace; a scan makes a finding of it and goes on."""

    def _crashed(self, rule: BoundRule, error: Exception) -> NoReturn:
        error.add_note(f"in the rule {rule.id}")
        raise error


@cache
def bundled() -> Any:
    """Return the bundled rules."""
    return load_packs()


@cache
def everything() -> Loud:
    """Return the evaluator of the whole pack: binding rules anew for each input would take most of the time."""
    return Loud(bundled(), now=NOW)


def judge(evaluator: Evaluator, sources: Sequence[Any]) -> list[Finding]:
    """Return every finding of a scan, each complete; raises for a crash, TookTooLong for a verdict that takes too long."""
    with timed(LIMIT):
        scan = Scan(evaluator, sources, Wanted(frozenset(VERDICTS)))
        findings = list(scan.findings())
    assert not scan.counts.crashes, [f.message for f in findings if f.reason == "internal_error"][:3]
    for finding in findings:
        complete(finding)
    for error in scan.errors:
        assert isinstance(error, PolicyEngineError), repr(error)
    return findings


def judge_file(path: Path) -> None:
    """Judge what can be read of a file."""
    judge(everything(), open_targets([str(path)], SourceOptions()).sources)


def complete(finding: Finding) -> None:
    """Raise for a finding that does not say what was seen, where and why."""
    assert finding.verdict in REASONS[finding.reason][0], finding
    assert finding.message.strip(), finding
    if finding.verdict in ("FAIL", "UNKNOWN"):
        assert finding.evidence, finding
        assert finding.location is not None or finding.identity[0], finding
    for item in finding.evidence:
        assert item.expected and item.reason in REASONS, item
