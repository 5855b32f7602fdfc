"""Deny requests to a bucket that do not come over TLS: one statement more in its policy, the rest byte for byte as it
was.
"""

from __future__ import annotations

import json
from typing import Any, Final

from policyengine.iam.documents import MAX_DEPTH, parse_json, too_deep
from policyengine.iam.errors import PolicyError
from policyengine.iam.tls_only import NotProvedError, tls_only
from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target
from policyengine.remediate.families.distributions import at_bucket, by_http, s3_origins

MOST_BYTES: Final = 20 * 1024
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html: "limited to 20 KB in size"."""


def image(target: Target, read: Reader) -> Json:
    """Return the policy, and who may ask over plain HTTP: website and distributions."""
    asked = {"Bucket": target.id, "ExpectedBucketOwner": target.account}
    found = read.call("s3", "GetBucketPolicy", asked, none=("NoSuchBucketPolicy",))
    website = read.call("s3", "GetBucketWebsite", asked, none=("NoSuchWebsiteConfiguration",))
    return {
        **_spelled(None if found is None else found["Policy"]),
        "website": website is not None,
        "distributions": by_http(at_bucket(s3_origins(read, target.partition), target.id)),
    }


def _spelled(text: str | None) -> Json:
    """Return what a policy says, and its text only where that has white space or escapes of its own: otherwise it is the
    same for S3 to give its members in another order."""
    found: Any = None
    if text is not None and not too_deep(text, MAX_DEPTH):
        try:
            found = parse_json(text)
        except PolicyError:
            found = None
    if not isinstance(found, dict):
        return {"policy": None, "text": text}
    return {"policy": found, "text": None if _compact(found) == text else text}


def _text(image: Json) -> str | None:
    """Return the text of the policy, byte for byte."""
    text: str | None = image["text"]
    return text if text is not None or image["policy"] is None else _compact(image["policy"])


def _compact(policy: Json) -> str:
    return json.dumps(policy, separators=(",", ":"), ensure_ascii=False)


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
    arns = [f"arn:{target.partition}:s3:::{target.id}", f"arn:{target.partition}:s3:::{target.id}/*"]
    try:
        found = tls_only(_text(image), arns, "s3:*")
    except PolicyError as error:
        raise Refused(
            "unsupported", f"the bucket policy cannot be read, so it is not touched: {error}"
        ) from None
    except NotProvedError as error:
        raise Refused("unsupported", str(error)) from None
    if found is None:
        return Proposal("requests without TLS are denied already", after=image)
    return _proposal(target, image, *found)


def _proposal(target: Target, image: Json, text: str, sid: str) -> Proposal:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise Refused("unsupported", f"the policy would have {size} bytes; S3 takes at most {MOST_BYTES}")
    before = _text(image)
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
        why=f"adds the statement {sid}; every other byte of the policy stays",
    )
    told = f"CloudFront fetches by the viewer's protocol: who asks {', '.join(image['distributions'])} over HTTP is denied"
    return Proposal(
        "deny requests that do not come over TLS",
        (step,),
        after={**image, **_spelled(text)},
        concerns=(told,) if image["distributions"] else (),
    )
