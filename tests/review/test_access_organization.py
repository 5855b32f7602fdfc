"""What SCPs and RCPs of an organisation no longer deny."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from policyengine.model.resource import Resource
from policyengine.review.access import access_changes
from policyengine.review.changes import Change, worst
from policyengine.review.matching import paired_resources
from tests.review.access_side import deny, document, review, told

EU = ["eu-west-1", "eu-central-1"]


def outside(*regions: str, action: Any = "bedrock:*") -> dict[str, Any]:
    return deny(action, Condition={"StringNotEquals": {"aws:RequestedRegion": list(regions)}})


def scp(
    *statements: Any, targets: Iterable[Any] = ("ou-1",), type_: str = "SERVICE_CONTROL_POLICY"
) -> dict[str, Any]:
    properties = {"Name": "p", "Type": type_, "Content": document(*statements), "TargetIds": list(targets)}
    return {"Type": "AWS::Organizations::Policy", "Properties": properties}


def test_a_region_more_is_open_to_bedrock() -> None:
    (change,) = review({"P": scp(outside(*EU))}, {"P": scp(outside(*EU, "us-east-1"))})
    assert (change.kind, change.effect, change.severity) == ("bedrock", "worse", "high")
    assert change.title == "Bedrock is newly open to `ou-1` in us-east-1"
    assert change.witness is not None
    assert change.witness.context["aws:RequestedRegion"] == "us-east-1"
    (back,) = review({"P": scp(outside(*EU, "us-east-1"))}, {"P": scp(outside(*EU))})
    assert (back.effect, back.kind) == ("better", "access")


def test_the_same_regions_in_other_words() -> None:
    split = [outside(*reversed(EU), action="bedrock:Invoke*"), outside(*EU, action="bedrock:*")]
    assert review({"P": scp(outside(*EU))}, {"Q": scp(*split), "P": scp(outside(*EU))}) == []
    assert review({"P": scp(outside(*EU))}, {"P": scp(split[0]), "Q": scp(split[1])}) == []


def test_a_policy_that_is_detached() -> None:
    change, *more = review(
        {"P": scp(deny("s3:DeleteBucket"))}, {"P": scp(deny("s3:DeleteBucket"), targets=["ou-2"])}
    )
    assert (change.effect, change.title) == ("worse", "SCPs no longer deny s3:DeleteBucket in `ou-1`")
    assert change.path == ("TargetIds",)
    assert told(more) == [("better", "low", "SCPs newly deny s3:DeleteBucket in `ou-2`")]


def test_a_policy_that_is_gone() -> None:
    (change,) = review(
        {"P": scp(deny("s3:DeleteBucket")), "Q": scp(deny("sqs:*"))}, {"Q": scp(deny("sqs:*"))}
    )
    assert (change.effect, change.title) == ("worse", "SCPs no longer deny s3:DeleteBucket in `ou-1`")
    assert change.before == deny("s3:DeleteBucket")


def test_an_unknown_target_under_another_name() -> None:
    before, after = (
        {name: scp(deny("s3:*"), targets=[{"Ref": unit}]), unit: ou()}
        for name, unit in (("P", "U"), ("P2", "U2"))
    )
    assert review(before, after) == []


def ou(parent: str = "r-root") -> dict[str, Any]:
    return {"Type": "AWS::Organizations::OrganizationalUnit", "Properties": {"Name": "u", "ParentId": parent}}


def test_rcps_protect_from_anybody() -> None:
    def side(region: str) -> dict[str, Any]:
        statement = {
            **deny("s3:*"),
            "Principal": "*",
            "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": region}},
        }
        return {"P": scp(statement, type_="RESOURCE_CONTROL_POLICY")}

    found = review(side("o-aaaaaaaaaa"), side("o-aaaaaaaaab"))
    assert {c.effect for c in found} == {"worse", "better"}
    assert found[0].title.startswith("RCPs no longer keep anybody from 1")


# -- a snapshot with accounts ---------------------------------------------------------------------------


def snapshot(
    content: Any, targets: Iterable[str], *, parents: dict[str, str], enabled: bool = True
) -> list[Resource]:
    def made(kind: str, id_: str, **properties: Any) -> Resource:
        return Resource(f"AWS::Organizations::{kind}", id_, "999999999999", "global", properties)

    types = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}] if enabled else []
    full = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    every = ["r-root", "ou-a", "ou-b", *parents]
    return [
        made("Organization", "o-1", RootId="r-root", ManagementAccountId="999999999999", PolicyTypes=types),
        made("OrganizationalUnit", "ou-a", Id="ou-a", ParentId="r-root"),
        made("OrganizationalUnit", "ou-b", Id="ou-b", ParentId="r-root"),
        *(made("Account", a, AccountId=a, ParentIds=[p]) for a, p in parents.items()),
        made("Policy", "p-FullAWSAccess", Type="SERVICE_CONTROL_POLICY", Content=full, TargetIds=every),
        made(
            "Policy",
            "p-1",
            Type="SERVICE_CONTROL_POLICY",
            Content=json.dumps(content),
            TargetIds=list(targets),
        ),
    ]


def compared(base: list[Resource], head: list[Resource]) -> list[Change]:
    return worst(access_changes(paired_resources(base, head)))


ACCOUNTS = {"111111111111": "ou-a", "222222222222": "ou-a", "333333333333": "ou-b"}
GUARD = document(deny("cloudtrail:StopLogging"))


def test_moving_the_policy_up_is_better_and_down_is_worse() -> None:
    low, high = snapshot(GUARD, ["ou-a"], parents=ACCOUNTS), snapshot(GUARD, ["r-root"], parents=ACCOUNTS)
    (better,) = compared(low, high)
    assert told([better]) == [
        ("better", "low", "SCPs newly deny cloudtrail:StopLogging in account `333333333333`")
    ]
    (worse,) = compared(high, low)
    assert told([worse]) == [
        ("worse", "high", "SCPs no longer deny cloudtrail:StopLogging in account `333333333333`")
    ]
    assert worse.path == ("TargetIds",)
    assert worse.witness is not None
    assert worse.witness.action == "cloudtrail:StopLogging"


def test_moving_an_account_from_under_the_policy_is_worse() -> None:
    base = snapshot(GUARD, ["ou-a"], parents=ACCOUNTS)
    head = snapshot(GUARD, ["ou-a"], parents={**ACCOUNTS, "222222222222": "ou-b"})
    (worse,) = compared(base, head)
    assert worse.title == "SCPs no longer deny cloudtrail:StopLogging in account `222222222222`"


def test_both_accounts_below_are_one_change() -> None:
    base, head = snapshot(GUARD, ["ou-a"], parents=ACCOUNTS), snapshot(GUARD, [], parents=ACCOUNTS)
    (worse,) = compared(base, head)
    assert worse.title == "SCPs no longer deny cloudtrail:StopLogging in account `111111111111` and 1 more"


def test_disabling_scps_frees_everything_and_full_access_gone_denies_everything() -> None:
    base = snapshot(GUARD, ["r-root"], parents=ACCOUNTS)
    (worse,) = compared(base, snapshot(GUARD, ["r-root"], parents=ACCOUNTS, enabled=False))
    assert worse.title == "SCPs no longer deny cloudtrail:StopLogging in account `111111111111` and 2 more"
    without = [r for r in base if r.id != "p-FullAWSAccess"]
    full = Resource(
        "AWS::Organizations::Policy", "p-FullAWSAccess", "999999999999", "global",
        {**base[-2].properties, "TargetIds": ["r-root", "ou-a", "ou-b"]},
    )  # fmt: skip
    found = compared(base, [*without, full])
    assert {c.effect for c in found} == {"better"}


@pytest.mark.parametrize("same", [True, False])
def test_a_content_that_is_not_known(same: bool) -> None:
    def side(name: str) -> dict[str, Any]:
        return {"P": {**scp(), "Properties": {**scp()["Properties"], "Content": {"Ref": name}}}}

    parameters = {"One": {"Type": "String"}, "Two": {"Type": "String"}}
    found = review(side("One"), side("One" if same else "Two"), Parameters=parameters)
    assert [c.effect for c in found] == ([] if same else ["unclear"])


def test_a_chain_that_is_no_longer_known_is_not_clear() -> None:
    base = snapshot(GUARD, ["ou-a"], parents=ACCOUNTS)
    head = snapshot(GUARD, ["ou-a"], parents={**ACCOUNTS, "222222222222": "ou-gone"})
    (change,) = compared(base, head)
    assert (change.effect, change.resource is not None) == ("unclear", True)
    assert change.title == "what SCPs deny in account `222222222222` is not clear"
