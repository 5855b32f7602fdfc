"""Public snapshots: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policyengine.remediate.api import Call
from policyengine.testing.remediations import Bench
from tests.remediate.canned import Answer, Failing, propose, refused, target

HANDLER = "snapshot_not_public"
ID = "snap-0a1"
ACCOUNTS = st.lists(st.from_regex(r"\A\d{12}\Z"), unique=True, max_size=5)


def answers(*permissions: dict[str, Any]) -> dict[str, Answer]:
    return {"ec2:DescribeSnapshotAttribute": {"SnapshotId": ID, "CreateVolumePermissions": list(permissions)}}


@given(accounts=ACCOUNTS, place=st.integers(0, 5))
def test_only_everybody_goes(accounts: list[str], place: int) -> None:
    shared: list[dict[str, Any]] = [{"UserId": each} for each in accounts]
    found = propose(HANDLER, target(HANDLER, ID), answers(*shared[:place], {"Group": "all"}, *shared[place:]))
    (step,) = found.steps
    named = {"SnapshotId": ID, "Attribute": "createVolumePermission", "GroupNames": ["all"]}
    assert step.call == Call("ec2", "ModifySnapshotAttribute", {**named, "OperationType": "remove"})
    assert step.undo == (Call("ec2", "ModifySnapshotAttribute", {**named, "OperationType": "add"}),)
    assert found.after["permissions"] == [{"UserId": each} for each in sorted(accounts)]


def test_a_private_snapshot_needs_nothing() -> None:
    assert not propose(HANDLER, target(HANDLER, ID), answers({"UserId": "111122223333"})).steps


def test_permissions_that_cannot_be_read_are_refused() -> None:
    said = refused(
        HANDLER, target(HANDLER, ID), {"ec2:DescribeSnapshotAttribute": Failing("UnauthorizedOperation")}
    )
    assert said.code == "not_known"


def test_laws(bench: Bench) -> None:
    ec2 = bench.client("ec2")
    volume = ec2.create_volume(Size=1, AvailabilityZone="us-east-1a")["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    for shared in ({"GroupNames": ["all"]}, {"UserIds": ["111122223333"]}):
        ec2.modify_snapshot_attribute(
            SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", **shared
        )
    bench.laws("ebs-snapshot-not-public", "AWS::EC2::Snapshot", snapshot)


def test_an_exclusion_tag_is_seen(bench: Bench) -> None:
    """The registry of CloudFormation says nothing of a snapshot's tags; AWS gives it tags all the same."""
    ec2 = bench.client("ec2")
    volume = ec2.create_volume(Size=1, AvailabilityZone="us-east-1a")["VolumeId"]
    tags = {"ResourceType": "snapshot", "Tags": [{"Key": "policyengine:no-remediation", "Value": "asked"}]}
    snapshot = ec2.create_snapshot(VolumeId=volume, TagSpecifications=[tags])["SnapshotId"]
    shared = {"Attribute": "createVolumePermission", "OperationType": "add", "GroupNames": ["all"]}
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, **shared)
    bench.refuses("excluded", "ebs-snapshot-not-public", "AWS::EC2::Snapshot", snapshot)
