"""What changed between two snapshots, and what nobody knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.model.errors import InputError
from policyengine.model.resource import Coverage, Resource
from policyengine.model.values import Unresolved
from policyengine.sources.base import SourceOptions
from policyengine.sources.snapshot import open_snapshot
from policyengine.sources.snapshot.compare import Change, compare
from policyengine.sources.snapshot.lines import MAX_LINE
from policyengine.sources.snapshot.source import SnapshotSource
from policyengine.sources.snapshot.writer import write_snapshot

VOLUME = "AWS::EC2::Volume"
COVERED = frozenset({("111122223333", "eu-west-1", VOLUME)})


def volume(id: str, properties: dict[str, Any], at: str = "2026-11-21T09:00:00Z") -> Resource:
    return Resource(VOLUME, id, "111122223333", "eu-west-1", dict(properties), collected_at=at)


def snapshot(folder: Path, resources: list[Resource], coverage: Coverage = COVERED) -> SnapshotSource:
    write_snapshot(folder, resources, created="2026-11-21T09:00:00Z", coverage=coverage)
    return open_snapshot(folder, SourceOptions())


def changes(
    tmp_path: Path, before: list[Resource], after: list[Resource], **coverage: Coverage
) -> list[Change]:
    old = snapshot(tmp_path / "a", before, coverage.get("old", COVERED))
    return list(compare(old, snapshot(tmp_path / "b", after, coverage.get("new", COVERED))))


def test_added_removed_changed(tmp_path: Path) -> None:
    before = [volume("vol-1", {"Encrypted": True}), volume("vol-2", {}), volume("vol-3", {"Size": 1})]
    after = [
        volume("vol-1", {"Encrypted": False}),
        volume("vol-3", {"Size": 1}, "2026-11-22T09:00:00Z"),
        volume("vol-4", {}),
    ]
    found = changes(tmp_path, before, after)
    assert [(c.kind, c.id) for c in found] == [("changed", "vol-1"), ("removed", "vol-2"), ("added", "vol-4")]
    assert [(d.path, d.before, d.after) for d in found[0].differences] == [
        ("/properties/Encrypted", True, False)
    ]


def test_what_was_not_collected_is_not_gone(tmp_path: Path) -> None:
    found = changes(tmp_path, [volume("vol-1", {})], [volume("vol-2", {})], old=frozenset(), new=frozenset())
    assert [(c.kind, c.id) for c in found] == [("not_collected", "vol-1"), ("appeared", "vol-2")]


def test_a_value_that_became_unknown_is_a_change_of_what_is_known(tmp_path: Path) -> None:
    denied = Unresolved("access_denied", "ec2:DescribeVolumeAttribute: UnauthorizedOperation")
    found = changes(
        tmp_path, [volume("vol-1", {"AutoEnableIO": True})], [volume("vol-1", {"AutoEnableIO": denied})]
    )
    assert {d.path for d in found[0].differences} == {"/properties/AutoEnableIO", "/unknown"}


LINE = '{"type":"AWS::EC2::Volume","id":"%s","account":"111122223333","region":"eu-west-1","properties":{}}\n'


@pytest.mark.parametrize(
    ("lines", "message", "number"),
    [
        ((LINE % "vol-1", "\n", LINE % "vol-3", LINE % "vol-2"), "not in the order", 4),
        ((LINE % "vol-1", LINE % "vol-2", "{}\n", LINE % "vol-3"), "no line of a snapshot", 3),
        ((LINE % "vol-1", LINE % ("v" * MAX_LINE), LINE % "vol-2"), "over the limit", 2),
    ],
    ids=["order", "no line", "too long"],
)
def test_what_cannot_be_compared_is_refused_with_the_number_of_its_line(
    tmp_path: Path, lines: tuple[str, ...], message: str, number: int
) -> None:
    file = tmp_path / "x.ndjson"
    file.write_text("".join(lines))
    source = open_snapshot(file, SourceOptions())
    with pytest.raises(InputError, match=message) as refused:
        list(compare(source, source))
    assert refused.value.location is not None
    assert refused.value.location.line == number


IDS = st.sampled_from([f"vol-{n}" for n in range(6)])
VOLUMES = st.dictionaries(IDS, st.dictionaries(st.sampled_from(["Size", "Iops"]), st.integers(0, 2)))


@settings(max_examples=60, deadline=None)
@given(VOLUMES, VOLUMES)
def test_differences_are_those_of_the_two_maps(
    tmp_path_factory: pytest.TempPathFactory, old: dict[str, dict[str, int]], new: dict[str, dict[str, int]]
) -> None:
    found = changes(
        tmp_path_factory.mktemp("diff"),
        [volume(i, p) for i, p in old.items()],
        [volume(i, p) for i, p in new.items()],
    )
    expected = {(i, "removed") for i in old.keys() - new.keys()} | {
        (i, "added") for i in new.keys() - old.keys()
    }
    expected |= {(i, "changed") for i in old.keys() & new.keys() if old[i] != new[i]}
    assert {(c.id, c.kind) for c in found} == expected
    assert [c.id for c in found] == sorted(c.id for c in found)
