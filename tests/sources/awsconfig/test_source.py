"""Files of AWS Config as a source: the newest item counts, errors have places, nothing is covered."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from policyengine.sources.base import NO_COVERAGE, SourceOptions
from policyengine.sources.discover import open_targets

from .helpers import CORPUS, Json, delivered, item, source

needs_corpus = pytest.mark.skipif(
    not CORPUS.exists(), reason="the shared corpora are not beside this checkout"
)


def volume(id: str, time: str = "2026-11-21T08:00:00.000Z", status: str = "OK", **configuration: Any) -> Json:
    return item(
        "AWS::EC2::Volume", {"volumeId": id, "encrypted": True, **configuration}, resourceId=id,
        configurationItemCaptureTime=time, configurationItemStatus=status,
    )  # fmt: skip


def test_of_a_history_only_the_newest_item_counts(tmp_path: Path) -> None:
    items = [
        volume("vol-1", "2026-11-01T00:00:00.000Z", size=1),
        volume("vol-1", "2026-11-03T00:00:00.000Z", size=3),
        volume("vol-1", "2026-11-02T00:00:00.000Z", size=2),
        volume("vol-2", "2026-11-01T00:00:00.000Z"),
        volume("vol-2", "2026-11-02T00:00:00.000Z", "ResourceDeleted"),
        volume("vol-3", "2026-11-01T00:00:00.000Z", "ResourceDeleted"),
        volume("vol-3", "2026-11-02T00:00:00.000Z", "ResourceDiscovered"),
        volume("vol-4", status="ResourceNotRecorded"),
    ]
    for seed in range(4):
        random.Random(seed).shuffle(items)
        history = source(delivered(tmp_path, items, "history.json", snapshot=False))
        found = {r.id: r for r in history.resources()}
        assert sorted(found) == ["vol-1", "vol-3"]
        assert found["vol-1"].properties["Size"] == 3
        assert found["vol-1"].collected_at == "2026-11-03T00:00:00Z"
        assert history.skipped == {
            "older item of a resource": 4,
            "deleted resource": 1,
            "resource that is not recorded": 1,
        }
        assert [r.id for r in history.resources()] == [r.id for r in history.resources()]
        assert history.errors == []


def test_the_newest_item_may_stand_in_another_file(tmp_path: Path) -> None:
    delivered(tmp_path, [volume("vol-1", size=1), volume("vol-2")], "a.json")
    late = delivered(
        tmp_path, [volume("vol-1", "2026-11-21T09:00:00.000Z", size=9)], "b.json", snapshot=False
    )
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(late.read_bytes()))
    late.unlink()
    found = open_targets([str(tmp_path)], SourceOptions())
    (one,) = found.sources
    assert one.kind == "config"
    assert {r.id: r.properties.get("Size") for r in one.resources()}["vol-1"] == 9
    assert one.coverage == NO_COVERAGE


def test_types_can_be_asked_for(tmp_path: Path) -> None:
    cluster = item("AWS::RDS::DBCluster", {"dbclusterIdentifier": "c", "engine": "docdb"})
    found = source(delivered(tmp_path, [volume("vol-1"), cluster]))
    assert [r.id for r in found.scan_types({"AWS::DocDB::DBCluster"})] == ["c"]
    assert [r.id for r in found.scan_types({"AWS::RDS::DBCluster"})] == []
    assert [r.id for r in found.scan_types({"AWS::EC2::Volume"})] == ["vol-1"]


def test_what_cannot_be_read_is_told_once_and_the_rest_is_given(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    good = json.dumps(volume("vol-1"))
    path.write_text(
        f'{{"configSnapshotId":"x","configurationItems":[\n{good},\n{{"resourceType":"AWS::EC2::Volume"}},\n'
        f'{{"a":1,"a":2}},\n{json.dumps(volume("vol-2", status="Odd"))},\n{json.dumps(volume("vol-3"))}'
    )
    found = source(path)
    for _ in range(2):
        assert [r.id for r in found.resources()] == ["vol-1", "vol-3"]
    assert [str(e) for e in found.errors] == [
        "s.json:3:1: has no `resourceId`, which every configuration item has",
        "s.json:4:1: the key `a` stands twice in one object",
        "s.json:5:1: has the status `Odd`, which AWS Config does not document",
        f"s.json:6:{len(json.dumps(volume('vol-3'))) + 1}: the file ends before its JSON does; is it truncated?",
    ]


@needs_corpus
def test_every_public_item_loads() -> None:
    """But for the two that are malformed as published."""
    found = open_targets([str(CORPUS)], SourceOptions())
    (one,) = found.sources
    resources = list(one.resources())
    assert one.errors == []
    assert [str(e.location) for e in found.errors] == [
        "AWS_EC2_NetworkInterface.json:88:1", "AWS_SSM_ManagedInstanceInventory_Linux.json:51:41",
    ]  # fmt: skip
    # 80 items; two are malformed, and one inventory is there twice
    assert (len(resources), one.skipped) == (77, {"older item of a resource": 1})
    assert len({r.identity for r in resources}) == 77


@needs_corpus
def test_a_malformed_item_that_was_named_is_refused_with_its_place() -> None:
    for name, place in (
        ("AWS_EC2_NetworkInterface.json", ":88:1"),
        ("AWS_SSM_ManagedInstanceInventory_Linux.json", ":51:41"),
    ):
        (error,) = open_targets([str(CORPUS / name)], SourceOptions()).errors
        assert str(error.location).endswith(name + place)


def scan(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "policyengine", "scan", *arguments, "--format", "json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_scan_of_a_delivered_file(tmp_path: Path) -> None:
    path = tmp_path / "111122223333_Config_eu-west-1_ConfigSnapshot_20261121T090000Z_x.json.gz"
    snapshot = delivered(tmp_path, [volume("vol-1", encrypted=False), volume("vol-2")])
    path.write_bytes(gzip.compress(snapshot.read_bytes()))
    done = scan(str(path), "--rule", "ebs-volume-encrypted")
    report = json.loads(done.stdout)
    assert {f["resource"]["id"]: f["verdict"] for f in report["findings"]} == {
        "vol-1": "FAIL",
        "vol-2": "PASS",
    }
    assert report["run"]["complete"] is True
    assert done.returncode == 1
    path.write_bytes(path.read_bytes()[:-20])
    assert scan(str(path), "--rule", "ebs-volume-encrypted").returncode == 4


def test_same_file_same_bytes(tmp_path: Path) -> None:
    path = delivered(tmp_path, [volume("vol-2"), volume("vol-1")])
    first, second = (scan(str(path), "--as-of", "2026-11-21T10:00:00Z").stdout for _ in range(2))
    assert first == second != ""
