"""Templates as resources, and both sides of a change judged by some rules."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Wanted
from policyengine.engine.scan import Scan
from policyengine.model.finding import Finding
from policyengine.model.reasons import VERDICTS
from policyengine.model.resource import Resource
from policyengine.review.changes import Change
from policyengine.review.compare import compared
from policyengine.review.matching import paired_resources
from policyengine.review.pairs import Identity
from policyengine.rules.packs import load_packs
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def resources(folder: Path, text: str, name: str = "template.yaml") -> list[Resource]:
    """Return the resources of one template."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    found = open_targets([str(folder / name)], SourceOptions(base=folder))
    assert not found.errors, found.errors
    return [resource for source in found.sources for resource in source.resources()]


def judged(folder: Path, name: str = "template.yaml") -> dict[Identity, dict[str, Finding]]:
    """Return all findings of one template by identity and rule."""
    found = open_targets([str(folder / name)], SourceOptions(base=folder))
    scan = Scan(Evaluator(load_packs([]), now=NOW), found.sources, Wanted(frozenset(VERDICTS)))
    by: dict[Identity, dict[str, Finding]] = {}
    for finding in scan.findings():
        by.setdefault(finding.identity, {})[finding.rule] = finding
    return by


def reviewed(tmp_path: Path, before: str, after: str) -> list[Change]:
    """Return what a change of one template did."""
    base, head = tmp_path / "base", tmp_path / "head"
    pairing = paired_resources(resources(base, before), resources(head, after))
    return compared(pairing, judged(base), judged(head))
