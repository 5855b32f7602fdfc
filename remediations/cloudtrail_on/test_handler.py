"""Trails are switched on, sign what they write and cover all regions; a new one only where its bucket is declared."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.remediate.api import Refused, Target
from policyengine.testing.canned import (
    ACCOUNT,
    CannedReader,
    check_calls,
    declaration_beside,
    handler_beside,
    target,
)
from policyengine.testing.remediations import Bench

handler: Any = handler_beside(__file__)
TRAIL, OWN = "AWS::CloudTrail::Trail", "AWS::::Account"
ON, VALID, MULTI = "cloudtrail-is-logging", "cloudtrail-log-file-validation", "cloudtrail-multi-region-trail"
DEFAULTS = {name: form["default"] for name, form in declaration_beside(__file__).parameters.items()}


def arn(name: str, account: str = ACCOUNT, home: str = "us-east-1") -> str:
    return f"arn:aws:cloudtrail:{home}:{account}:trail/{name}"


def trail(name: str = "t", logging: bool = False, selectors: Any = None, **more: Any) -> dict[str, Any]:
    home = more.pop("home", "us-east-1")
    return {
        "described": {
            "Name": name, "TrailARN": arn(name, more.pop("account", ACCOUNT), home), "HomeRegion": home,
            "IsMultiRegionTrail": False, "IncludeGlobalServiceEvents": False, "LogFileValidationEnabled": False, **more,
        },
        "logging": logging,
        "selectors": selectors or {},
    }  # fmt: skip


def reader(*trails: dict[str, Any]) -> CannedReader:
    by = {each["described"]["TrailARN"]: each for each in trails}
    return CannedReader(
        {
            "cloudtrail:DescribeTrails": {"trailList": [each["described"] for each in trails]},
            "cloudtrail:GetTrailStatus": lambda given: {"IsLogging": by[given["Name"]]["logging"]},
            "cloudtrail:GetEventSelectors": lambda given: by[given["TrailName"]]["selectors"],
        }
    )


def about(rule: str, type: str = TRAIL, **parameters: Any) -> Target:
    return target(
        type, "t" if type == TRAIL else ACCOUNT, rule, arn=arn("t"), at="us-east-1", region="us-east-1",
        parameters={**DEFAULTS, **parameters},
    )  # fmt: skip


def planned(on: Target, *trails: dict[str, Any]) -> Any:
    proposal = handler.plan(on, handler.image(on, reader(*trails)))
    check_calls(proposal)
    return proposal


def operations(proposal: Any) -> list[str]:
    return [step.call.operation for step in proposal.steps]


def test_a_trail_is_switched_on_where_it_lives() -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StartLogging.html: "This operation must be
    called from the Region in which the trail was created." """
    on = target(TRAIL, "t", ON, arn=arn("t", home="eu-west-1"), parameters=DEFAULTS)
    (step,) = planned(on, trail(home="eu-west-1")).steps
    assert (step.call.operation, step.call.region) == ("StartLogging", "eu-west-1")
    assert (step.undo[0].operation, step.undo[0].region) == ("StopLogging", "eu-west-1")


def test_a_trail_of_another_account_is_changed_there() -> None:
    with pytest.raises(Refused) as found:
        planned(about(ON), trail(account="999999999999", IsOrganizationTrail=True))
    assert found.value.code == "unsupported"


def test_without_a_declared_bucket_no_trail_is_made() -> None:
    with pytest.raises(Refused) as found:
        planned(about(MULTI, OWN))
    assert found.value.code == "unsupported"
    assert "`bucket`" in found.value.text


def test_a_trail_is_made_where_the_bucket_is_declared() -> None:
    proposal = planned(about(MULTI, OWN, bucket="trail-{account}", prefix="p", kms_key="alias/trail"))
    create, start = proposal.steps
    assert create.call.arguments == {
        "Name": "management-events", "S3BucketName": f"trail-{ACCOUNT}", "S3KeyPrefix": "p", "KmsKeyId": "alias/trail",
        "IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": True, "EnableLogFileValidation": True,
    }  # fmt: skip
    assert create.undo[0].arguments == {"Name": "management-events"}
    assert start.call.operation == "StartLogging"
    assert proposal.concerns == ()


def test_a_trail_of_all_regions_that_is_off_is_used_before_one_is_made() -> None:
    proposal = planned(
        about(MULTI, OWN, bucket="b"), trail(IsMultiRegionTrail=True), trail("u", logging=True)
    )
    assert operations(proposal) == ["StartLogging"]


def test_the_named_trail_is_widened() -> None:
    proposal = planned(about(MULTI, OWN, trail="u"), trail(logging=True), trail("u"))
    assert operations(proposal) == ["UpdateTrail", "StartLogging"]
    assert proposal.steps[0].call.arguments == {
        "Name": arn("u"), "IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": True
    }  # fmt: skip
    assert proposal.steps[0].undo[0].arguments == {
        "Name": arn("u"), "IsMultiRegionTrail": False, "IncludeGlobalServiceEvents": False
    }  # fmt: skip


READS = {"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "ReadOnly"}]}
ALL = {"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "All"}]}
FIELDS = [{"Field": "eventCategory", "Equals": ["Management"]}]
ADVANCED = {"AdvancedEventSelectors": [{"FieldSelectors": FIELDS}]}
ONLY_WRITES = {
    "AdvancedEventSelectors": [{"FieldSelectors": [*FIELDS, {"Field": "readOnly", "Equals": ["false"]}]}]
}


@pytest.mark.parametrize(
    ("selectors", "enough"), [(READS, False), (ALL, True), (ADVANCED, True), (ONLY_WRITES, False)]
)
def test_a_trail_that_leaves_management_events_out_is_not_the_one(selectors: Any, enough: bool) -> None:
    proposal = planned(about(MULTI, OWN, bucket="b"), trail(IsMultiRegionTrail=True, selectors=selectors))
    assert operations(proposal) == (["StartLogging"] if enough else ["CreateTrail", "StartLogging"])
    assert bool(proposal.concerns) != enough, "a second trail costs money"


@given(st.lists(st.tuples(*[st.booleans()] * 4), min_size=1, max_size=4), st.booleans())
def test_every_other_trail_stays_as_it_is(states: list[Any], bucket: bool) -> None:
    trails = [
        trail(
            f"t{n}",
            logging,
            IsMultiRegionTrail=multi,
            LogFileValidationEnabled=valid,
            selectors=ALL if all_ else READS,
        )
        for n, (logging, multi, valid, all_) in enumerate(states)
    ]
    on = about(MULTI, OWN, bucket="b" if bucket else "", trail="t0")
    image = handler.image(on, reader(*trails))
    try:
        proposal = handler.plan(on, image)
    except Refused as refused:
        assert refused.code == "unsupported"
        return
    named = {step.call.arguments["Name"] for step in proposal.steps}
    for before in image["trails"]:
        after = next(each for each in proposal.after["trails"] if each["arn"] == before["arn"])
        assert after == before or before["arn"] in named


def _made(bench: Bench, **more: Any) -> Any:
    bench.client("s3").create_bucket(Bucket="trail")
    return bench.client("cloudtrail").create_trail(Name="t-1", S3BucketName="trail", **more)


def _selected(bench: Bench) -> None:
    """A stub: of a trail whose selectors nobody set moto tells none, AWS the one that records all management events:
    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetEventSelectors.html"""
    bench.stub("cloudtrail:GetEventSelectors", ALL)


def test_switches_on(bench: Bench) -> None:
    _made(bench)
    bench.laws(ON, TRAIL, "t-1", "us-east-1")


def test_signs(bench: Bench) -> None:
    _made(bench)
    bench.laws(VALID, TRAIL, "t-1", "us-east-1")


def test_widens(bench: Bench) -> None:
    _made(bench, IncludeGlobalServiceEvents=False)
    _selected(bench)
    bench.laws(MULTI, OWN, bench.account, "global", parameters={"trail": "t-1"})


def test_makes_one(bench: Bench) -> None:
    bench.client("s3").create_bucket(Bucket="trail")
    _selected(bench)
    bench.laws(MULTI, OWN, bench.account, "global", parameters={"bucket": "trail"})
