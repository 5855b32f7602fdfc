"""References to waivers that a change adds: told, because they accept what nobody accepted there before."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Wanted
from policyengine.engine.scan import Scan
from policyengine.model.finding import Finding
from policyengine.model.reasons import VERDICTS
from policyengine.model.resource import Resource
from policyengine.review.changes import Change
from policyengine.review.matching import paired_resources
from policyengine.review.pairs import Identity, Pairing
from policyengine.review.references import reference_changes
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets
from tests.waivers.making import pack, waiver, waiving

PLAIN = "Resources:\n  Logs:\n    Type: AWS::S3::Bucket{comment}\n"
REFERS = "  # policyengine:waiver W-1"
ENABLED = "\n    Properties: {VersioningConfiguration: {Status: Enabled}}"


def side(folder: Path, text: str) -> tuple[list[Resource], dict[Identity, dict[str, Finding]]]:
    folder.mkdir()
    (folder / "t.yaml").write_text(text)
    found = open_targets([str(folder / "t.yaml")], SourceOptions(base=folder))
    settings = waiving(waiver(in_place=True))
    evaluator = Evaluator(pack("s3-versioning"), now=datetime(2026, 6, 1, tzinfo=UTC), settings=settings)
    by: dict[Identity, dict[str, Finding]] = {}
    for finding in Scan(evaluator, found.sources, Wanted(frozenset(VERDICTS))).findings():
        by.setdefault(finding.identity, {})[finding.rule] = finding
    return [r for source in found.sources for r in source.resources()], by


def changes(folder: Path, before: str, after: str) -> list[Change]:
    base, old = side(folder / "base", before)
    head, new = side(folder / "head", after)
    pairing: Pairing = paired_resources(base, head)
    return list(reference_changes(pairing, old, new))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (PLAIN.format(comment=""), PLAIN.format(comment=REFERS), ["FAIL"]),
        ("Resources: {T: {Type: AWS::SNS::Topic}}\n", PLAIN.format(comment=REFERS), [None]),
        (PLAIN.format(comment=REFERS), PLAIN.format(comment=REFERS), []),
        (PLAIN.format(comment=REFERS), PLAIN.format(comment=REFERS).replace("Logs", "Renamed"), []),
        (PLAIN.format(comment=REFERS), PLAIN.format(comment=""), []),
        (PLAIN.format(comment=""), PLAIN.format(comment=REFERS + ENABLED), []),
        (PLAIN.format(comment=""), PLAIN.format(comment="  # policyengine:waiver W-2"), []),
        (PLAIN.format(comment=""), PLAIN.format(comment="  # policyengine:ignore"), []),
    ],
)
def test_table(tmp_path: Path, before: str, after: str, told: list[str | None]) -> None:
    found = changes(tmp_path, before, after)
    assert [each.rules[0].before for each in found] == told
    for change in found:
        assert (change.kind, change.effect) == ("gate", "new")
        assert change.title == "code newly refers to waiver `W-1`, which accepts `s3-versioning` here"
        assert change.location is not None and change.location.line == 3
