"""Deny requests to a bucket that do not come over TLS: one statement more in its policy, the rest byte for byte as it
was.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from policyengine.iam.appending import free_sid, with_statement
from policyengine.iam.documents import Policy, Statement, read_policy
from policyengine.iam.errors import PolicyError
from policyengine.iam.reason import EVERYONE, No, denies, newly_allows
from policyengine.iam.request_set import read_request_set
from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target

MOST_BYTES: Final = 20 * 1024
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html: "limited to 20 KB in size"."""
_SID: Final = "DenyRequestsWithoutTls"
_KEY: Final = "aws:SecureTransport"


def image(target: Target, read: Reader) -> Json:
    """Return the text of the policy, None without one, and whether the bucket serves a website."""
    asked = {"Bucket": target.id, "ExpectedBucketOwner": target.account}
    found = read.call("s3", "GetBucketPolicy", asked, none=("NoSuchBucketPolicy",))
    website = read.call("s3", "GetBucketWebsite", asked, none=("NoSuchWebsiteConfiguration",))
    return {"policy": None if found is None else found["Policy"], "website": website is not None}


def plan(target: Target, image: Json) -> Proposal:
    """Append the Deny, proved to do what it should and nothing else.

    Website endpoints speak only HTTP: https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html
    """
    if image["website"]:
        raise Refused(
            "unsafe",
            "the bucket serves a website, whose endpoint speaks only HTTP: every request to it would be denied. Serve it "
            "through CloudFront from the bucket's REST endpoint and delete the website configuration first",
        )
    before = image["policy"]
    arns = [f"arn:{target.partition}:s3:::{target.id}", f"arn:{target.partition}:s3:::{target.id}/*"]
    try:
        old = None if before is None else read_policy(before, "resource")
        if old is not None and _denies_without_tls(old, arns):
            return Proposal("requests without TLS are denied already", after=image)
        statement = _statement(free_sid(before, _SID), arns)
        text = with_statement(before, statement)
        new = read_policy(text, "resource")
    except PolicyError as error:
        raise Refused(
            "unsupported", f"the bucket policy cannot be read, so it is not touched: {error}"
        ) from None
    _prove(old, new, arns)
    size = len(text.encode())
    if size > MOST_BYTES:
        raise Refused("unsupported", f"the policy would have {size} bytes; S3 takes at most {MOST_BYTES}")
    bucket = {"Bucket": target.id, "ExpectedBucketOwner": target.account}
    undo = (
        Call("s3", "DeleteBucketPolicy", bucket)
        if before is None
        else Call("s3", "PutBucketPolicy", {**bucket, "Policy": before})
    )
    step = Step(
        "deny",
        Call("s3", "PutBucketPolicy", {**bucket, "Policy": text}),
        undo=(undo,),
        why=f"adds the statement {statement['Sid']}; every other byte of the policy stays",
    )
    return Proposal("deny requests that do not come over TLS", (step,), after={**image, "policy": text})


def _statement(sid: str, arns: list[str]) -> Json:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html"""
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": arns,
        "Condition": {"Bool": {_KEY: "false"}},
    }


def _denies_without_tls(policy: Policy, arns: list[str]) -> bool:
    """Say whether it is proved that every request without TLS is denied."""
    asked = {"action": ["s3:*"], "resource": arns, "context": {_KEY: ["false"]}}
    return isinstance(denies([policy], read_request_set(json.dumps(asked))), No)


def _prove(old: Policy | None, new: Policy, arns: list[str]) -> None:
    """Hold that the new policy denies every request without TLS; that its first statements are those of the old one; and
    that the last one denies no request over TLS and none about anything else. Raises Refused."""
    kept = [] if old is None else [_shape(each) for each in old.statements]
    alone = replace(new, statements=new.statements[-1:])
    over_tls = {"context": {_KEY: {"in": ["true"], "or_absent": True}}}
    elsewhere = {"resource": {"not": arns}}
    unharmed = all(
        isinstance(newly_allows([alone, EVERYONE], [EVERYONE], read_request_set(json.dumps(asked))), No)
        for asked in (over_tls, elsewhere)
    )
    if not unharmed or not _denies_without_tls(new, arns) or [_shape(s) for s in new.statements[:-1]] != kept:
        raise Refused(
            "unsupported", "it could not be proved that the new policy denies requests without TLS alone"
        )


def _shape(statement: Statement) -> tuple[Any, ...]:
    """What a statement says."""
    conditions = tuple((c.operator, c.key, c.values) for c in statement.conditions)
    return (
        statement.sid, statement.allow, statement.actions, statement.not_action, statement.resources,
        statement.not_resource, statement.principals, statement.not_principal, conditions,
    )  # fmt: skip
