"""Running a declaration: details, failures, what is not known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from policyengine.model.values import Unresolved
from policyengine.sources.live.plan import make_plan
from tests.live.conftest import failure

VOLUMES = {"Volumes": [{"VolumeId": "vol-1", "Encrypted": True, "Tags": [{"Key": "Owner", "Value": "a"}]}]}
NAMED = {"AWS::EC2::Volume": frozenset({"AutoEnableIO"})}


def test_a_listed_resource_is_canonical(canned: Callable[..., Any], collect: Any) -> None:
    account = canned(
        {"ec2:DescribeVolumes": VOLUMES, "ec2:DescribeVolumeAttribute": {"AutoEnableIO": {"Value": False}}}
    )
    (volume,) = collect(account, "AWS::EC2::Volume", needs=NAMED)
    assert (volume.id, volume.region, volume.tags) == ("vol-1", "us-east-1", {"Owner": "a"})
    assert volume.properties["Encrypted"] is True
    assert volume.properties["AutoEnableIO"] is False
    assert "KmsKeyId" not in volume.properties  # AWS could have said it and did not
    assert "AWS::EC2::Volume" in collect.last.whole


def test_a_detail_nobody_needs_is_not_asked_for(canned: Callable[..., Any], collect: Any) -> None:
    account = canned({"ec2:DescribeVolumes": VOLUMES})
    (volume,) = collect(account, "AWS::EC2::Volume", needs={"AWS::EC2::Volume": frozenset({"tags"})})
    assert account.log.operations() == {"ec2:DescribeVolumes"}
    assert volume.properties["AutoEnableIO"] == Unresolved(
        "not_collected", "ec2:DescribeVolumeAttribute was not asked for"
    )


def test_a_denied_detail_is_one_unknown_property(canned: Callable[..., Any], collect: Any) -> None:
    denied = failure("ec2:DescribeVolumeAttribute", "UnauthorizedOperation")
    account = canned({"ec2:DescribeVolumes": VOLUMES, "ec2:DescribeVolumeAttribute": denied})
    (volume,) = collect(account, "AWS::EC2::Volume", needs=NAMED)
    value = volume.properties["AutoEnableIO"]
    assert (value.reason, value.detail) == (
        "access_denied",
        "ec2:DescribeVolumeAttribute: UnauthorizedOperation",
    )
    assert volume.properties["Encrypted"] is True
    assert "AWS::EC2::Volume" in collect.last.whole  # all volumes are here; one property is not
    assert [f.operation for f in collect.last.failures] == ["ec2:DescribeVolumeAttribute"]


def test_a_resource_that_went_meanwhile_is_left_out(canned: Callable[..., Any], collect: Any) -> None:
    gone = failure("ec2:DescribeVolumeAttribute", "InvalidVolume.NotFound", "read_error")
    account = canned({"ec2:DescribeVolumes": VOLUMES, "ec2:DescribeVolumeAttribute": gone})
    assert collect(account, "AWS::EC2::Volume", needs=NAMED) == []
    assert not collect.last.failures


def test_a_denied_listing_is_not_an_empty_account(canned: Callable[..., Any], collect: Any) -> None:
    denied = failure("ec2:DescribeVolumes", "UnauthorizedOperation")
    assert collect(canned({"ec2:DescribeVolumes": denied}), "AWS::EC2::Volume") == []
    assert collect.last.whole == ()
    assert collect.last.incomplete["AWS::EC2::Volume"] is denied


def test_a_mistake_in_a_collector_loses_only_its_type(canned: Callable[..., Any], collect: Any) -> None:
    account = canned({"ec2:DescribeVolumes": {"Volumes": [{}]}})  # no VolumeId
    assert collect(account, "AWS::EC2::Volume", needs=NAMED) == []
    assert collect.last.whole == ()
    assert collect.last.failures[0].error == "MalformedAnswer"


def test_a_bucket_over_http(account: Any, aws: Any, collect: Any) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="declared-bucket")
    s3.put_bucket_policy(Bucket="declared-bucket", Policy='{"Version":"2012-10-17","Statement":[]}')
    bucket = next(b for b in collect(account, "AWS::S3::Bucket") if b.id == "declared-bucket")
    assert bucket.tags == {}
    assert bucket.related["policies"][0]["PolicyDocument"] == {"Version": "2012-10-17", "Statement": []}
    assert "BucketEncryption" not in bucket.properties


def test_what_two_collectors_list_is_asked_for_once() -> None:
    plan = make_plan(
        {"AWS::EC2::Volume": frozenset({"*"}), "AWS::EC2::Instance": frozenset({"BlockDeviceMappings"})}
    )
    assert any(key[0] == "ec2:DescribeVolumes" for key in plan.shared)
    alone = make_plan({"AWS::EC2::Volume": frozenset({"*"}), "AWS::EC2::Instance": frozenset({"KeyName"})})
    assert not any(key[0] == "ec2:DescribeVolumes" for key in alone.shared)
