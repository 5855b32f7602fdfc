"""A resource that the later run does not have is gone only where that run looked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.cli.main import main
from policyengine.model.errors import InputError
from policyengine.model.resource import Coverage, Resource
from policyengine.sources.snapshot.writer import write_snapshot
from policyengine.store.coverage import FILE, coverage_json, read_coverage

ACCOUNT, VOLUME, BUCKET = "111122223333", "AWS::EC2::Volume", "AWS::S3::Bucket"
HERE, THERE = "eu-west-1", "us-east-1"
RULE = "ebs-volume-encrypted"

Volumes = dict[str, tuple[str, ...]]


def covered(*places: tuple[str, str]) -> Coverage:
    return frozenset((ACCOUNT, region, type) for region, type in places)


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    assert isinstance(end.value.code, int)
    return end.value.code


def run(folder: Path, name: str, volumes: Volumes, coverage: Coverage | None) -> Path:
    """Scan unencrypted volumes by region into a run directory; None stands for lines without a manifest."""
    resources = [
        Resource(VOLUME, id, ACCOUNT, region, {"Encrypted": False})
        for region, ids in volumes.items()
        for id in ids
    ]
    snapshot = write_snapshot(
        folder / f"{name}-snapshot", resources, created="2026-11-21T09:00:00Z", coverage=coverage or frozenset(),
        compress=False,
    )  # fmt: skip
    if coverage is None:
        lines = b"".join(part.read_bytes() for part in sorted((snapshot / "resources").iterdir()))
        snapshot = folder / f"{name}.ndjson"
        snapshot.write_bytes(lines)
    assert ended("scan", str(snapshot), "--rule", RULE, "-q", "-o", str(folder / name)) == 1
    return folder / name


def changes(before: Path, after: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[str, str]]:
    capsys.readouterr()
    assert ended("diff", str(before), str(after), "--format", "ndjson") == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {each["finding"]["resource"]["id"]: (each["change"], each["why"]) for each in found}


BOTH = {HERE: ("vol-1", "vol-2"), THERE: ("vol-9",)}
EVERYWHERE = covered((HERE, VOLUME), (THERE, VOLUME))
GONE = ("gone", "the resource is not in the later run")


def not_looked_at(what: str) -> tuple[str, str]:
    return "not_looked_at", f"the data is missing: the later run {what}"


@pytest.mark.parametrize(
    ("volumes", "coverage", "expected"),
    [
        ({HERE: ("vol-1",)}, EVERYWHERE, {"vol-2": GONE, "vol-9": GONE}),
        (
            {HERE: ("vol-1",)},
            covered((HERE, VOLUME)),
            {"vol-2": GONE, "vol-9": not_looked_at(f"has nothing of {ACCOUNT}/{THERE}")},
        ),
        (
            {HERE: ("vol-1",)},
            covered((HERE, "*"), (THERE, BUCKET)),
            {"vol-2": GONE, "vol-9": not_looked_at(f"did not read all {VOLUME} in {ACCOUNT}/{THERE}")},
        ),
        (
            {HERE: ("vol-1",)},
            covered((HERE, BUCKET), (THERE, "*")),
            {"vol-2": not_looked_at(f"did not read all {VOLUME} in {ACCOUNT}/{HERE}"), "vol-9": GONE},
        ),
        (
            {HERE: ("vol-1",)},
            None,
            {"vol-2": GONE, "vol-9": not_looked_at(f"has nothing of {ACCOUNT}/{THERE}")},
        ),
    ],
    ids=["everywhere", "another region", "not this type there", "not this type here", "lines"],
)
def test_what_is_gone_and_what_nobody_looked_at(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    volumes: Volumes,
    coverage: Coverage | None,
    expected: dict[str, Any],
) -> None:
    before = run(tmp_path, "before", BOTH, EVERYWHERE)
    after = run(tmp_path, "after", volumes, coverage)
    found = changes(before, after, capsys)
    assert found.pop("vol-1") == ("open", "")
    assert found == expected
    # the other way round: what the earlier run did not look at is new all the same, and says so
    back = changes(after, before, capsys)
    for id, (kind, why) in expected.items():
        was = why.replace("the data is missing: the later", "the earlier").replace("the later", "the earlier")
        assert back[id] == ("new", was), (kind, back)


def test_a_report_tells_only_of_which_places_it_has_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = run(tmp_path, "before", BOTH, EVERYWHERE)
    after = run(tmp_path, "after", {HERE: ("vol-1",)}, EVERYWHERE)
    (after / FILE).unlink()  # as in a run directory of an earlier version
    found = changes(before, after, capsys)
    assert found["vol-2"] == GONE
    assert found["vol-9"] == not_looked_at(f"has nothing of {ACCOUNT}/{THERE}")


def test_on_the_terminal_places_are_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = run(tmp_path, "before", {HERE: ("vol-1",), THERE: ("vol-8", "vol-9")}, EVERYWHERE)
    after = run(tmp_path, "after", {HERE: ("vol-1",)}, covered((HERE, VOLUME)))
    capsys.readouterr()
    assert ended("diff", str(before), str(after)) == 0
    assert capsys.readouterr().out.splitlines() == [
        "not looked at: 2 that failed; the data is missing: the later run has nothing of 111122223333/us-east-1",
        "2 not looked at, 1 still open",
    ]


def test_a_template_that_was_not_scanned_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    volume = {"Type": VOLUME, "Properties": {"AvailabilityZone": "eu-west-1a", "Size": 1, "Encrypted": False}}
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for file in files:
        file.write_text(json.dumps({"Resources": {file.stem: volume}}))
    whole, one = tmp_path / "whole", tmp_path / "one"
    assert ended("scan", *map(str, files), "--rule", RULE, "-q", "-o", str(whole)) == 1
    assert ended("scan", str(files[0]), "--rule", RULE, "-q", "-o", str(one)) == 1
    assert changes(whole, one, capsys)["b"] == not_looked_at(
        "was asked about other targets, and has nothing of `b.json`"
    )
    # the same targets, and the volume is not in its template any more
    files[1].write_text(json.dumps({"Resources": {"c": {**volume, "Type": BUCKET, "Properties": {}}}}))
    assert ended("scan", *map(str, files), "--rule", RULE, "-q", "-o", str(one)) == 1
    assert changes(whole, one, capsys)["b"] == GONE


def test_a_coverage_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for text in (
        "[]",
        "{",
        '{"coverage": [{"types": 1, "places": []}]}',
        '{"coverage": [{"places": [["a"]]}]}',
    ):
        (tmp_path / FILE).write_text(text)
        with pytest.raises(InputError, match="does not say what the run looked at"):
            read_coverage(tmp_path)


TRIPLES = st.tuples(
    *(st.sampled_from(names) for names in (("1", "2"), (HERE, THERE), (VOLUME, BUCKET, "*", "")))
)


@given(st.frozensets(TRIPLES))
def test_coverage_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, coverage: Coverage
) -> None:
    folder = tmp_path_factory.mktemp("run")
    (folder / FILE).write_text(json.dumps(coverage_json(coverage)))
    found = read_coverage(folder)
    assert {(*place, type) for place, types in found.items() for type in types} == coverage
