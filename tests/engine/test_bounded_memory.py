"""What a scan holds on to does not grow with what nobody asks about."""

from __future__ import annotations

from array import array
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import snapshot_data
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.identities import Identities, digest
from policyengine.engine.piece import Wanted
from policyengine.engine.reach import reach_of
from policyengine.engine.scan import Scan
from policyengine.engine.tables import Tables, groups_of
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.rules.packs import load_packs
from policyengine.sources.base import SourceOptions
from policyengine.sources.snapshot import SnapshotSource, open_snapshot, write_snapshot

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HERE, THERE, HOME = "111111111111", "222222222222", "eu-west-1"
REPLICATED = {"classified-bucket-in-approved-region", "s3-replicated-to-another-region"}


def evaluator(*rules: str) -> Evaluator:
    """Return an evaluator of some bundled rules."""
    pack = load_packs()
    return Evaluator(type(pack)("sha256:test", tuple(r for r in pack.rules if r["id"] in rules)), now=NOW)


def bucket(name: str, account: str, *copies: str) -> Resource:
    """Return a bucket that is replicated to the buckets named."""
    rules = [{"Status": "Enabled", "Destination": {"Bucket": f"arn:aws:s3:::{c}"}} for c in copies]
    properties: dict[str, Any] = {"BucketName": name}
    if rules:
        properties["ReplicationConfiguration"] = {"Role": "r", "Rules": rules}
    return Resource("AWS::S3::Bucket", name, account, HOME, properties, f"arn:aws:s3:::{name}")


def snapshot(folder: Path, *resources: Resource) -> SnapshotSource:
    """Return a snapshot of these resources, in which everything was looked for."""
    covered = frozenset((account, HOME, "*") for account in (HERE, THERE))
    write_snapshot(folder, resources, created=snapshot_data.CREATED, coverage=covered)
    return open_snapshot(folder, SourceOptions())


def test_only_buckets_that_some_bucket_names_are_held_across_accounts(tmp_path: Path) -> None:
    alone = [bucket(f"b{number}", THERE) for number in range(20)]
    source = snapshot(tmp_path / "s", bucket("a", HERE, "copy"), bucket("copy", THERE), *alone)
    tables = Tables(evaluator(*REPLICATED), source)
    world = tables.of_group(groups_of(source)[0]).world
    beyond = world._beyond
    assert beyond is not None
    assert [r.id for held in beyond._by_type.values() for r in held] == ["copy"]


def test_the_named_bucket_of_another_account_is_found(tmp_path: Path) -> None:
    source = snapshot(tmp_path / "s", bucket("a", HERE, "copy"), bucket("copy", THERE), bucket("c", THERE))
    forms = evaluator(*REPLICATED)
    relation = next(r for f in forms.forms for v in f["variants"] for r in v["with"].values())
    world = Tables(forms, source).of_group(groups_of(source)[0]).world
    found = world.related(relation, bucket("a", HERE, "copy"))
    assert isinstance(found, list)
    assert [(r.id, r.account) for r in found] == [("copy", THERE)]


def test_what_is_reached_is_said_by_how_far() -> None:
    assert reach_of(evaluator(*REPLICATED).forms).named == {
        "AWS::S3::Bucket": {("AWS::S3::Bucket", "ReplicationConfiguration.Rules.Destination.Bucket")}
    }
    every = reach_of(load_packs().rules)
    assert {"AWS::CloudWatch::Alarm", "AWS::CloudTrail::Trail"} <= every.whole
    assert "AWS::EC2::SecurityGroup" in every.local
    assert not every.named.keys() & every.whole


def test_a_world_is_given_up_after_its_last_piece(tmp_path: Path) -> None:
    source = snapshot_source(tmp_path, 1_000)
    group = Tables(evaluator("security-group-in-use"), source).of_group(groups_of(source)[0])
    assert group.world._by_type
    assert sum(1 for piece in group.pieces() for _ in piece)
    assert not group.world._by_type


def snapshot_source(folder: Path, count: int) -> SnapshotSource:
    """Return a generated snapshot."""
    return open_snapshot(snapshot_data.write(folder / "generated", count), SourceOptions())


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> SnapshotSource:
    """Return a generated snapshot of four accounts."""
    return snapshot_source(tmp_path_factory.mktemp("quota"), 8_000)


def findings(source: Any, per_rule: int | None, jobs: int = 1) -> list[Finding]:
    """Return what a scan gives whoever reads only so many findings of a rule."""
    rules = ("tags-mandatory", "ebs-encryption-at-rest", "metadata-hop-limit")
    scan = Scan(evaluator(*rules), [source], Wanted(frozenset((FAIL, UNKNOWN)), per_rule), jobs=jobs)
    found = list(scan.findings())
    assert sum(n for (_, v), n in scan.counts.verdicts.items() if v in (FAIL, UNKNOWN)) >= len(found)
    return found


def test_the_first_failures_of_a_source_are_built_and_no_others(generated: SnapshotSource) -> None:
    every, few = findings(generated, None), findings(generated, 3)
    first: Counter[tuple[str, str]] = Counter()
    wanted = []
    for finding in every:
        if finding.verdict == FAIL:
            first[finding.rule, FAIL] += 1
            if first[finding.rule, FAIL] <= 3:
                wanted.append(finding)
    assert [f for f in few if f.verdict == FAIL] == wanted
    assert max(first.values()) > 3


def test_processes_build_the_same_first_findings(generated: SnapshotSource) -> None:
    assert findings(generated, 3, jobs=2) == findings(generated, 3)


WORD = st.text(st.characters(exclude_characters="\0"), max_size=3)
IDENTITY = st.tuples(WORD, WORD, WORD, WORD)


@given(st.lists(st.lists(IDENTITY, max_size=8), max_size=4))
@settings(max_examples=100)
def test_identities_that_come_twice_are_noticed(pieces: list[list[tuple[str, str, str, str]]]) -> None:
    identities = Identities()
    for piece in pieces:
        identities.add(array("q", map(digest, piece)))
    counted = Counter(identity for piece in pieces for identity in piece)
    assert identities.twice() == {digest(i) for i, number in counted.items() if number > 1}


def identity_line(finding: Finding) -> str:
    """Return a line that tells findings apart."""
    return f"{finding.id} {finding.verdict}\n"


def evidence_line(finding: Finding) -> str:
    """Return another line."""
    return f"{len(finding.evidence)}\n"


@pytest.mark.parametrize("jobs", [1, 2])
def test_findings_as_text_are_the_findings(generated: SnapshotSource, jobs: int) -> None:
    every = findings(generated, None)
    wanted = Wanted(frozenset((FAIL, UNKNOWN)), render=(identity_line, evidence_line))
    rules = evaluator("tags-mandatory", "ebs-encryption-at-rest", "metadata-hop-limit")
    scan = Scan(rules, [generated], wanted, jobs=jobs)
    blocks = list(scan.blocks())
    assert len(blocks) > 1
    for position, line in enumerate((identity_line, evidence_line)):
        assert "".join(block.texts[position] for block in blocks) == "".join(map(line, every))
    counted = sum((block.verdicts for block in blocks), Counter())
    assert counted == Counter((f.verdict, False) for f in every)
    assert scan.counts.resources == 8_000
