"""CloudTrail records as requests: who asked for what, as far as a record shows it.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html say
what a record holds. The name of an event is mostly, not always, the action that was authorised.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policyengine.iam.catalogue import catalogue
from policyengine.iam.errors import PolicyError
from policyengine.iam.opaque import Opaque
from policyengine.iam.request import Request

_SOURCES: Final[Mapping[str, str]] = {
    "monitoring": "cloudwatch", "tagging": "tag", "email": "ses", "bedrock-runtime": "bedrock",
    "elasticmapreduce": "elasticmapreduce", "rds-data": "rds-data", "ecr-public": "ecr-public",
}  # fmt: skip
"""Event sources whose actions have another prefix."""

_EVENTS: Final[Mapping[str, str]] = {
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
    "s3:ListObjects": "s3:ListBucket", "s3:ListObjectsV2": "s3:ListBucket", "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject", "s3:CopyObject": "s3:PutObject", "s3:UploadPart": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject", "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:DeleteObjects": "s3:DeleteObject", "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
    "bedrock:Converse": "bedrock:InvokeModel",
    "bedrock:ConverseStream": "bedrock:InvokeModelWithResponseStream",
}  # fmt: skip
"""Events that another action permits."""

_VERSION: Final = re.compile(r"[0-9]{8}(v[0-9]+)?\Z")
_NOT_RECORDED: Final = Opaque("CloudTrail does not record it")
_REFUSED: Final = ("accessdenied", "unauthorized", "client.unauthorizedoperation", "forbidden")


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded call: a request for each resource it names (one about `*` where it names none, with
    ``about`` False), the account its principal is of, the account that received it, and when it was."""

    requests: tuple[Request, ...]
    about: bool
    principal: str
    account: str | None
    recipient: str | None
    time: str
    region: str
    service_linked: bool


def read_call(record: Any) -> Call | str | None:
    """Return the call of a record; None for one that was refused or was no caller's; else why it is none."""
    if not isinstance(record, Mapping):
        return "no CloudTrail record"
    source, name = record.get("eventSource"), record.get("eventName")
    identity = record.get("userIdentity")
    if not isinstance(source, str) or not isinstance(name, str) or not isinstance(identity, Mapping):
        return "no CloudTrail record"
    if str(record.get("errorCode", "")).lower().startswith(_REFUSED) or identity.get("type") == "AWSService":
        return None
    action = action_of(source, name)
    if action is None:
        return f"no action is known for `{name}` of `{source}`"
    principal = _principal(identity)
    if principal is None:
        return "its caller is not named"
    context = _context(record, identity)
    resources = list(_resources(record.get("resources")))
    recipient = record.get("recipientAccountId")
    owner = recipient if isinstance(recipient, str) else None
    try:
        requests = tuple(Request(principal, action, r, context, owner) for r in resources or ["*"])
    except PolicyError as error:
        return str(error)
    caller = requests[0].caller
    return Call(
        requests,
        bool(resources),
        principal,
        caller.account,
        owner,
        str(record.get("eventTime", "")),
        str(record.get("awsRegion", "")),
        caller.service_linked,
    )


def action_of(source: str, name: str) -> str | None:
    """Return the action that an event was authorised as, None where the catalogue has none."""
    host = source.removesuffix(".amazonaws.com")
    prefix = _SOURCES.get(host, host)
    plain = _VERSION.sub("", name)
    action = _EVENTS.get(f"{prefix}:{plain}", f"{prefix}:{plain}")
    found = catalogue().action(action)
    return None if found is None else found.name


def _principal(identity: Mapping[str, Any]) -> str | None:
    """Return the role of a session, else the caller itself: what `aws:PrincipalArn` is."""
    session = identity.get("sessionContext")
    issuer = session.get("sessionIssuer") if isinstance(session, Mapping) else None
    if isinstance(issuer, Mapping) and issuer.get("type") == "Role" and isinstance(issuer.get("arn"), str):
        return str(issuer["arn"])
    arn = identity.get("arn")
    if isinstance(arn, str):
        return arn
    if identity.get("type") == "AWSAccount" and identity.get("accountId") == "ANONYMOUS_PRINCIPAL":
        return "*"
    return None


def _context(record: Mapping[str, Any], identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a record shows of the condition keys; other keys are not known."""
    context: dict[str, Any] = {}
    region = record.get("awsRegion")
    if isinstance(region, str):
        context["aws:RequestedRegion"] = region
    address = record.get("sourceIPAddress")
    by_service = "invokedBy" in identity or str(address).endswith(".amazonaws.com")
    context["aws:ViaAWSService"] = "true" if by_service else "false"
    if isinstance(address, str) and not by_service and re.fullmatch(r"[0-9a-fA-F.:]+", address):
        context["aws:SourceIp"] = address
    for key, name in (("userAgent", "aws:UserAgent"), ("vpcEndpointId", "aws:SourceVpce")):
        if isinstance(record.get(key), str):
            context[name] = record[key]
    session = identity.get("sessionContext")
    attributes = session.get("attributes") if isinstance(session, Mapping) else None
    mfa = attributes.get("mfaAuthenticated") if isinstance(attributes, Mapping) else None
    if mfa in ("true", "false"):
        context["aws:MultiFactorAuthPresent"] = mfa
    if isinstance(record.get("tlsDetails"), Mapping):
        context["aws:SecureTransport"] = "true"
    return context


def _resources(listed: Any) -> Iterator[str]:
    for item in listed if isinstance(listed, list) else ():
        arn = item.get("ARN", item.get("arn")) if isinstance(item, Mapping) else None
        if isinstance(arn, str) and arn.startswith("arn:"):
            yield arn


def with_unrecorded(request: Request, keys: Sequence[str]) -> Request:
    """Return the request with these keys not known where the record does not show them."""
    for key in keys:
        if request.values(key.lower()) is None:
            request.context[key.lower()] = _NOT_RECORDED
    return request
