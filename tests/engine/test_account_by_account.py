"""A snapshot read account by account, whole, or in processes gives the same findings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks import snapshot_data
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Wanted
from policyengine.engine.scan import Scan
from policyengine.engine.tables import Tables, groups_of
from policyengine.model.finding import Finding
from policyengine.model.reasons import VERDICTS
from policyengine.model.resource import Resource
from policyengine.rules.packs import load_packs
from policyengine.sources.base import SourceOptions
from policyengine.sources.snapshot import SnapshotSource, open_snapshot, write_snapshot

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RULES = {"ebs-customer-managed-key", "security-group-in-use", "ec2-instance-not-reachable-from-internet",
         "cloudtrail-multi-region-trail", "tags-mandatory", "s3-bucket-access-logged"}  # fmt: skip


def evaluator() -> Evaluator:
    """Return an evaluator of rules that reach into every scope."""
    pack = load_packs()
    rules = tuple(r for r in pack.rules if r["id"] in RULES or any(v["with"] for v in r["variants"]))
    return Evaluator(type(pack)("sha256:test", rules), now=NOW)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a snapshot of five accounts, small ones."""
    whole = snapshot_data.write(tmp_path_factory.mktemp("whole") / "s", 9_000)
    resources = [r for i, r in enumerate(open_snapshot(whole, SourceOptions()).resources()) if i % 12 == 0]
    covered = frozenset((r.account or "", r.region or "", "*") for r in resources)
    target = tmp_path_factory.mktemp("small") / "s"
    return write_snapshot(target, resources, created=snapshot_data.CREATED, coverage=covered)


class Whole:
    """A snapshot whose accounts nobody tells apart."""

    def __init__(self, source: SnapshotSource) -> None:
        self._source = source
        self.errors = source.errors

    def groups(self) -> list[list[Any]]:
        """Return one group."""
        return [self._source.shards()]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


def findings(source: Any, jobs: int = 1) -> list[Finding]:
    """Return every finding of a scan."""
    scan = Scan(evaluator(), [source], Wanted(frozenset(VERDICTS)), jobs=jobs)
    found = list(scan.findings())
    assert (scan.errors, source.errors) == ([], [])
    assert sum(scan.counts.verdicts.values()) == len(found)
    return found


def test_every_way_gives_the_same_findings(snapshot: Path) -> None:
    source = open_snapshot(snapshot, SourceOptions())
    assert len(source.groups()) > 3
    by_account = findings(source)
    assert len({f.verdict for f in by_account}) == 4
    assert findings(Whole(open_snapshot(snapshot, SourceOptions()))) == by_account
    assert findings(open_snapshot(snapshot, SourceOptions()), jobs=2) == by_account
    assert findings(Whole(open_snapshot(snapshot, SourceOptions())), jobs=2) == by_account


def test_only_one_account_is_held(snapshot: Path) -> None:
    source = open_snapshot(snapshot, SourceOptions())
    tables = Tables(evaluator(), source)
    first = groups_of(source)[0]
    world = tables.of_group(first).world
    accounts = {r.account for held in world._by_type.values() for r in held}
    assert accounts == {source.parts[first[0].part].account}


def test_a_reader_that_stops_early_ends_the_processes(snapshot: Path) -> None:
    scan = Scan(evaluator(), [open_snapshot(snapshot, SourceOptions())], Wanted(frozenset(VERDICTS)), jobs=2)
    stream = scan.findings()
    next(stream)
    stream.close()  # hangs where the pool waits for a feeder that waits for a reader


def test_a_line_in_another_accounts_part_is_an_error(tmp_path: Path) -> None:
    one, other = (Resource("AWS::S3::Bucket", f"b{n}", n * 12, "eu-west-1", {}) for n in "12")
    folder = write_snapshot(tmp_path / "s", [one, other], created=snapshot_data.CREATED, compress=False)
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(
        text.replace('"account": "111111111111"', '"account": "333333333333"')
    )
    source = open_snapshot(folder, SourceOptions())
    assert [r.id for r in source.resources()] == ["b2"]
    assert "of account `111111111111`, its part is of account `333333333333`" in str(source.errors[0])
