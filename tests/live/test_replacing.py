"""A snapshot is not replaced by a narrower one unawares."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policyengine.sources.live.collection import Target
from policyengine.sources.live.narrower import not_asked, not_covered
from policyengine.sources.live.plan import make_plan
from policyengine.sources.snapshot.manifest import NO_TYPE, Manifest, Part
from tests.live import commands

A, B, C = "111111111111", "222222222222", "333333333333"
EBS, ROLE, POLICY = "AWS::EC2::Volume", "AWS::IAM::Role", "AWS::Organizations::Policy"
PLAN = make_plan(
    {EBS: frozenset({"Encrypted"}), ROLE: frozenset({"Policies"}), POLICY: frozenset({"Content"})}
)


def nobody() -> Any:
    raise AssertionError("no account is opened")


TARGETS = [Target(A, "a", nobody, organization=True), Target(B, "b", nobody)]


def lost(
    *coverage: tuple[str, str, str],
    regions: tuple[str, ...] = ("eu-west-1",),
    parts: tuple[tuple[str, str], ...] = (),
    closed: tuple[str, ...] = (),
) -> str:
    held = [Part(Path("p"), "p", account=account, region=region) for account, region in parts]
    old = Manifest(0, None, frozenset(coverage), held)
    return not_asked(old, PLAN, TARGETS, regions, lambda account: account not in closed)


@pytest.mark.parametrize(
    ("triple", "said"),
    [
        ((A, "eu-west-1", EBS), ""),
        ((B, "global", ROLE), ""),
        ((B, "global", "AWS::IAM::ManagedPolicy"), ""),  # comes with the roles
        ((A, "global", POLICY), ""),
        ((B, "global", POLICY), f"type {POLICY}"),  # another account reads the organisation
        ((C, "eu-west-1", EBS), f"account {C}"),
        ((B, "eu-west-3", EBS), "region eu-west-3"),
        ((A, "eu-west-1", "AWS::KMS::Key"), "type AWS::KMS::Key"),
        ((A, "eu-west-1", "*"), "type *"),
        ((C, "eu-west-1", NO_TYPE), ""),  # nothing of it was whole, and nothing is held
    ],
)
def test_what_a_collection_does_not_ask_for(triple: tuple[str, str, str], said: str) -> None:
    assert lost((A, "eu-west-1", EBS), triple) == said


def test_without_a_limit_all_regions_are_asked() -> None:
    assert lost((B, "eu-west-3", EBS), regions=()) == ""


def test_resources_of_what_was_not_whole_count_too() -> None:
    assert lost(parts=((A, "eu-west-1"), (B, "global"))) == ""
    assert lost(parts=((C, "eu-west-1"), (A, "eu-west-3"))) == f"account {C}; region eu-west-3"


def test_an_account_that_was_closed_keeps_nobody_from_collecting() -> None:
    assert lost((C, "eu-west-1", EBS), closed=(C,)) == ""


def test_many_are_counted() -> None:
    regions = [f"eu-west-{number}" for number in range(2, 8)]
    said = lost(*((A, region, EBS) for region in regions))
    assert said == "regions eu-west-2, eu-west-3, eu-west-4 and 3 more"


def test_what_the_new_one_lacks() -> None:
    new = frozenset({(A, "eu-west-1", EBS), (A, "eu-west-2", NO_TYPE)})
    assert not_covered(new, new) == ""
    old = frozenset({(A, "eu-west-1", ROLE), (A, "eu-west-2", EBS), (B, "eu-west-1", EBS), (C, "x", NO_TYPE)})
    assert not_covered(old, new) == f"account {B}; region eu-west-2; type {ROLE}"


Snapshot = Callable[..., commands.Ended]


@pytest.fixture
def snapshot(moto_server: str, tmp_path: Path) -> Snapshot:
    """Collect into the same folder, over HTTP."""

    def run(*arguments: str, regions: str = "us-east-1", faults: Any = ()) -> commands.Ended:
        common = ["--live", "--regions", regions, "--rate", "10000", "-o", str(tmp_path / "s")]
        return commands.run(moto_server, tmp_path, "snapshot", *common, *arguments, faults=faults)

    return run


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "s" / "manifest.json").read_text())
    return found


BOTH = commands.rules(["ebs-volume-encrypted", "kms-key-rotation"])
ONE = commands.rules(["ebs-volume-encrypted"])


@pytest.mark.slow
def test_the_command(snapshot: Snapshot, tmp_path: Path) -> None:
    assert snapshot(*BOTH, regions="us-east-1,eu-west-1").code == 0
    again = snapshot(*BOTH, regions="us-east-1,eu-west-1")
    assert (again.code, "replaced" in again.out) == (0, False), again
    before = manifest(tmp_path)
    for arguments, regions, named in (
        (BOTH, "us-east-1", ": region eu-west-1;"),
        (ONE, "us-east-1,eu-west-1", "type AWS::KMS::Key"),
    ):
        refused = snapshot(*arguments, regions=regions)
        assert refused.code == 2
        assert "holds a snapshot of more than is asked for now" in refused.err
        assert named in refused.err
        assert "--replace" in refused.err
        assert manifest(tmp_path) == before
    replaced = snapshot(*BOTH, "--replace", regions="us-east-1")
    assert replaced.code == 0, replaced
    assert "the snapshot that was replaced also covered region eu-west-1" in replaced.out
    assert {entry["region"] for entry in manifest(tmp_path)["coverage"] if entry["types"]} == {"us-east-1"}


@pytest.mark.slow
def test_what_could_not_be_read_this_time_is_said(snapshot: Snapshot) -> None:
    assert snapshot(*BOTH).code == 0
    faults = [{"operation": "ec2:DescribeVolumes", "kind": "denied"}]
    worse = snapshot(*BOTH, faults=faults)
    assert worse.code == 4
    assert (
        "the snapshot that was replaced also covered types AWS::EC2::Volume, AWS::EC2::VolumeAttachment"
        in worse.out
    )


@pytest.mark.slow
def test_a_manifest_that_nobody_can_read(snapshot: Snapshot, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "manifest.json").write_text('{"version": "2.0"}')
    refused = snapshot(*ONE)
    assert refused.code == 2
    assert "cannot be told what it covers" in refused.err
    assert snapshot(*ONE, "--replace").code == 0
    assert manifest(tmp_path)["version"] == "1.0"
