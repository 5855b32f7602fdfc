"""IMDSv2. "By tracking this metric to zero, you can determine if and when all of your software has been upgraded":
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-transition-to-version-2.html. Options that are not
named stay: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataOptions.html."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.remediate.api import Call
from policyengine.testing.remediations import Bench
from tests.remediate.canned import NOW, Answer, Canned, Failing, loaded, propose, refused, target

HANDLER = "imdsv2"
ID = "i-0a1"
TODAY = datetime.fromisoformat(NOW)
STARTED = TODAY - timedelta(days=3)


def answers(*sums: float | None, started: datetime = STARTED, **options: Any) -> dict[str, Answer]:
    """``sums`` of one day each, the oldest first; None is a day without a value."""
    points: list[Any] = [
        {"Timestamp": TODAY - timedelta(days=len(sums) - n), "Sum": value, "Unit": "Count"}
        for n, value in enumerate(sums)
        if value is not None
    ]
    metadata = {
        "State": "applied", "HttpTokens": "optional", "HttpPutResponseHopLimit": 3, "HttpEndpoint": "enabled",
        "HttpProtocolIpv6": "disabled", "InstanceMetadataTags": "enabled", **options,
    }  # fmt: skip
    instance = {"InstanceId": ID, "LaunchTime": started, "MetadataOptions": metadata}
    return {
        "ec2:DescribeInstances": {"Reservations": [{"Instances": [instance]}]},
        "cloudwatch:GetMetricStatistics": {"Label": "MetadataNoToken", "Datapoints": points[::-1]},
    }


QUIET = (0.0,) * 14


def test_tokens_are_required_and_nothing_else_is_named() -> None:
    found = propose(HANDLER, target(HANDLER, ID), answers(*QUIET))
    (step,) = found.steps
    assert step.call == Call(
        "ec2", "ModifyInstanceMetadataOptions", {"InstanceId": ID, "HttpTokens": "required"}
    )
    assert step.undo == (
        Call("ec2", "ModifyInstanceMetadataOptions", {"InstanceId": ID, "HttpTokens": "optional"}),
    )
    assert found.after["HttpPutResponseHopLimit"] == 3
    assert not found.concerns


def test_two_weeks_are_asked_for_by_day() -> None:
    reader = Canned(HANDLER, answers(*QUIET))
    loaded(HANDLER).image(target(HANDLER, ID), reader)
    asked = dict(reader.made)["cloudwatch:GetMetricStatistics"]
    begin, end = (datetime.fromisoformat(asked[name]) for name in ("StartTime", "EndTime"))
    assert end - begin == timedelta(days=14)
    assert (asked["Period"], asked["Statistics"], asked["Namespace"]) == (86400, ["Sum"], "AWS/EC2")
    assert end <= TODAY.astimezone(UTC)


@given(days=st.lists(st.one_of(st.none(), st.sampled_from([0.0, 0.0, 0.0, 1.0, 250.0])), max_size=14))
def test_only_fourteen_days_of_zero_let_it_pass(days: list[float | None]) -> None:
    told = answers(*days)
    if list(days) == [0.0] * 14:
        assert propose(HANDLER, target(HANDLER, ID), told).steps
        return
    said = refused(HANDLER, target(HANDLER, ID), told)
    assert said.code == ("unsafe" if any(days) else "not_known")


def test_no_data_is_not_zero() -> None:
    said = refused(HANDLER, target(HANDLER, ID), answers())
    assert said.code == "not_known" and "no value" in said.text


def test_an_instance_that_was_not_started_in_that_time_asks() -> None:
    (concern,) = propose(
        HANDLER, target(HANDLER, ID), answers(*QUIET, started=TODAY - timedelta(days=200))
    ).concerns
    assert "next start" in concern


@pytest.mark.parametrize("options", [{"HttpTokens": "required"}, {"HttpEndpoint": "disabled"}])
def test_what_is_right_needs_nothing(options: Any) -> None:
    assert not propose(HANDLER, target(HANDLER, ID), answers(**options)).steps


@pytest.mark.parametrize("operation", ["cloudwatch:GetMetricStatistics", "ec2:DescribeInstances"])
def test_incident_c7n_2824_what_cannot_be_read_is_refused(operation: str) -> None:
    told = {**answers(*QUIET), operation: Failing("AccessDenied")}
    assert refused(HANDLER, target(HANDLER, ID), told).code == "not_known"
    gone: dict[str, Answer] = {**answers(*QUIET), "ec2:DescribeInstances": {"Reservations": []}}
    assert refused(HANDLER, target(HANDLER, ID), gone).code == "not_known"


def keep_options(bench: Bench, region: str = "us-east-1") -> None:
    """moto forgets the options that a change does not name; AWS keeps them
    (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataOptions.html)."""
    import botocore.session

    ec2 = botocore.session.Session().create_client("ec2", region_name=region)
    names = (
        "HttpTokens",
        "HttpEndpoint",
        "HttpPutResponseHopLimit",
        "HttpProtocolIpv6",
        "InstanceMetadataTags",
    )

    def modify(arguments: Any) -> Any:
        (group,) = ec2.describe_instances(InstanceIds=[arguments["InstanceId"]])["Reservations"]
        old = group["Instances"][0]["MetadataOptions"]
        told = ec2.modify_instance_metadata_options(
            **{name: old[name] for name in names if name in old} | arguments
        )
        return {"InstanceId": told["InstanceId"], "InstanceMetadataOptions": told["InstanceMetadataOptions"]}

    bench.stub("ec2:ModifyInstanceMetadataOptions", modify)


def test_laws(bench: Bench) -> None:
    ec2, cloudwatch = bench.client("ec2"), bench.client("cloudwatch")
    (amazon, *_others) = ec2.describe_images(Owners=["amazon"])["Images"]
    options = {"HttpTokens": "optional", "HttpPutResponseHopLimit": 3, "HttpEndpoint": "enabled"}
    (instance,) = ec2.run_instances(
        ImageId=amazon["ImageId"], MinCount=1, MaxCount=1, MetadataOptions=options
    )["Instances"]
    name = instance["InstanceId"]
    keep_options(bench)
    place = ("ec2-instance-imdsv2", "AWS::EC2::Instance", name)
    assert "no value" in bench.refuses("not_known", *place)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for days in range(1, 15):
        moment = hour - timedelta(days=days)
        dimensions = [{"Name": "InstanceId", "Value": name}]
        point = {"MetricName": "MetadataNoToken", "Dimensions": dimensions, "Timestamp": moment, "Value": 0.0}
        cloudwatch.put_metric_data(Namespace="AWS/EC2", MetricData=[point])
    bench.laws(*place)
    (group,) = ec2.describe_instances(InstanceIds=[name])["Reservations"]
    assert group["Instances"][0]["MetadataOptions"]["HttpPutResponseHopLimit"] == 3
