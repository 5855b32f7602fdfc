"""A snapshot read account by account, whole, or in processes gives the same findings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks import snapshot_data
from policyengine.engine import tables
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.only import Only
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


def test_what_is_too_much_to_be_held_gives_the_same_findings(
    snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = findings(open_snapshot(snapshot, SourceOptions()))
    monkeypatch.setattr(tables, "MOST_HELD", 0)
    assert findings(open_snapshot(snapshot, SourceOptions())) == held
    assert findings(Whole(open_snapshot(snapshot, SourceOptions()))) == held


@pytest.mark.parametrize("step", [7, 40, 300])
def test_some_resources_are_judged_as_among_all(snapshot: Path, step: int) -> None:
    """The rules about their types, with what relations reach: nothing else of the snapshot matters to them."""
    every = findings(open_snapshot(snapshot, SourceOptions()))
    chosen = {r.identity: r.type for r in list(open_snapshot(snapshot, SourceOptions()).resources())[::step]}
    source = open_snapshot(snapshot, SourceOptions())
    only = Only(source, chosen, chosen.values())
    scan = Scan(evaluator().about(set(chosen.values())), [only], Wanted(frozenset(VERDICTS)))
    assert list(scan.findings()) == [f for f in every if f.identity in chosen]
    assert (scan.errors, source.errors, scan.counts.resources) == ([], [], len(chosen))


def test_accounts_without_what_is_wanted_are_not_read_again(snapshot: Path) -> None:
    source = open_snapshot(snapshot, SourceOptions())
    (last,) = list(source.resources())[-1:]
    only = Only(source, {last.identity}, {last.type})
    assert {source.account_of(shard) for group in only.groups() for shard in group} == {last.account}
    assert [r.identity for r in only.resources()] == [last.identity]


def test_only_one_account_is_held(snapshot: Path) -> None:
    source = open_snapshot(snapshot, SourceOptions())
    first = groups_of(source)[0]
    world = Tables(evaluator(), source).of_group(first).world
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
