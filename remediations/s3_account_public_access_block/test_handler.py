"""Blocking public access of an account. Facts: the stricter of the account's and the bucket's settings holds:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-block-public-access-account.html."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.remediate.api import Call
from policyengine.remediate.families.public_use import BLOCKED, SETTINGS
from policyengine.testing.remediations import Bench
from policyengine.testing.wire import AwsError
from tests.remediate.canned import (
    ACCOUNT,
    Answer,
    Canned,
    Failing,
    Json,
    loaded,
    one,
    propose,
    refused,
    target,
)

HANDLER = "s3_account_public_access_block"
ABOUT = target(HANDLER, ACCOUNT)
PUBLIC = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
ENFORCED = {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}


def answers(open_: str = "", **more: Answer) -> dict[str, Answer]:
    """An account with the buckets ``private``, ``site`` and ``shared``; ``open_`` is granted to everybody by its ACL."""

    def acl(asked: Json) -> Json:
        grant = {"Grantee": {"Type": "Group", "URI": PUBLIC}, "Permission": "READ"}
        return {"Grants": [grant] if asked["Bucket"] == open_ else []}

    def website(asked: Json) -> Any:
        served = {"IndexDocument": {"Suffix": "index.html"}}
        return served if asked["Bucket"] == "site" else Failing("NoSuchWebsiteConfiguration")

    return {
        "s3control:GetPublicAccessBlock": Failing("NoSuchPublicAccessBlockConfiguration"),
        "s3:ListBuckets": {"Buckets": [{"Name": n, "BucketRegion": "us-east-1"} for n in ("private", "site", "shared")]},
        "s3:GetBucketWebsite": website,
        "s3:GetBucketPolicyStatus": Failing("NoSuchBucketPolicy"),
        "s3:GetBucketAcl": acl,
        "s3:GetBucketOwnershipControls": ENFORCED,
        "s3control:ListAccessPoints": {"AccessPointList": []},
        "cloudfront:ListDistributions": {"DistributionList": {}},
        **more,
    }  # fmt: skip


def test_two_people_see_every_open_bucket() -> None:
    found = propose(HANDLER, ABOUT, answers("shared"))
    assert [text.partition(":")[0] for text in found.concerns] == ["bucket shared", "bucket site"]
    declared = one(HANDLER).declaration(HANDLER)
    assert (declared.mode, declared.approvals) == ("approval", 2)


def test_each_bucket_is_asked_about_in_its_region() -> None:
    """Access points are listed in the Region of their bucket only, and "BucketRegion [...] If the request contains at least
    one valid parameter, it is included in the response": https://docs.aws.amazon.com/AmazonS3/latest/API/API_Bucket.html."""
    reader = Canned(HANDLER, answers())
    loaded(HANDLER).image(ABOUT, reader)
    asked = dict(zip((name for name, _ in reader.made), reader.regions, strict=True))
    assert asked["s3control:ListAccessPoints"] == asked["s3:GetBucketAcl"] == "us-east-1" != ABOUT.region
    assert ("s3:ListBuckets", {"MaxBuckets": 1000}) in reader.made


def test_undone_the_account_is_as_it_was() -> None:
    (step,) = propose(HANDLER, ABOUT, answers()).steps
    assert step.undo == (Call("s3control", "DeletePublicAccessBlock", {"AccountId": ACCOUNT}),)
    some = dict.fromkeys(SETTINGS, False) | {"BlockPublicAcls": True}
    held: dict[str, Answer] = {"s3control:GetPublicAccessBlock": {"PublicAccessBlockConfiguration": some}}
    (step,) = propose(HANDLER, ABOUT, {**answers(), **held}).steps
    assert step.undo[0].arguments["PublicAccessBlockConfiguration"] == some
    held = {"s3control:GetPublicAccessBlock": {"PublicAccessBlockConfiguration": BLOCKED}}
    assert not propose(HANDLER, ABOUT, {**answers(), **held}).steps


def test_older_buckets_may_hold_public_objects() -> None:
    older: dict[str, Answer] = {
        "s3:GetBucketOwnershipControls": Failing("OwnershipControlsNotFoundError"),
        "s3:GetBucketWebsite": Failing("NoSuchWebsiteConfiguration"),
    }
    (text,) = propose(HANDLER, ABOUT, {**answers(), **older}).concerns
    assert text.startswith("3 buckets")


@pytest.mark.parametrize("operation", sorted(answers()))
def test_incident_c7n_2824_one_bucket_that_cannot_be_read_refuses(operation: str) -> None:
    usual: Any = answers()[operation]

    def one_fails(asked: Json) -> Any:
        if asked.get("Bucket", "site") == "site":
            return Failing("InternalError")
        return usual(asked) if callable(usual) else usual

    assert refused(HANDLER, ABOUT, {**answers(), operation: one_fails}).code == "not_known"


def stubbed(bench: Bench, settings: Json | None) -> list[Json | None]:
    """moto takes S3 Control at a host name made of the account's id, which resolves nowhere: its operations are stubs."""
    held = [settings]

    def get(_asked: Json) -> Json:
        if held[0] is None:
            raise AwsError("NoSuchPublicAccessBlockConfiguration", status=404)
        return {"PublicAccessBlockConfiguration": held[0]}

    def put(asked: Json) -> Json:
        held[0] = asked["PublicAccessBlockConfiguration"]
        return {}

    def delete(_asked: Json) -> Json:
        held[0] = None
        return {}

    listed = [{"Name": "quiet", "NetworkOrigin": "Internet", "Bucket": "any"}]
    bench.stub("s3control:ListAccessPoints", {"AccessPointList": listed})
    bench.stub("s3control:GetAccessPointPolicyStatus", {"PolicyStatus": {"IsPublic": False}})
    for operation, answer in (("Get", get), ("Put", put), ("Delete", delete)):
        bench.stub(f"s3control:{operation}PublicAccessBlock", answer)
    return held


LAW: Any = {"rule": "s3-account-public-access-block", "type": "AWS::::Account", "region": "global"}


def test_repairs(bench: Bench) -> None:
    held = stubbed(bench, None)
    s3 = bench.client("s3")
    s3.create_bucket(Bucket="open", ACL="public-read")
    s3.create_bucket(Bucket="closed", ObjectOwnership="BucketOwnerEnforced")
    action = bench.laws(id=bench.account, **LAW)
    assert any("bucket open" in concern for concern in action.plan["concerns"])
    assert held == [None]


def test_repairs_what_is_half_closed(bench: Bench) -> None:
    some = {**BLOCKED, "RestrictPublicBuckets": False}
    held = stubbed(bench, some)
    bench.laws(id=bench.account, **LAW)
    assert held == [some]
