"""Where the S3 API and the registry say the same of a bucket in different structures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policyengine.model.values import Unresolved

Json = dict[str, Any]

_GROUPS: Final = "http://acs.amazonaws.com/groups/"
_OWNER: Final = ("owner", "FULL_CONTROL")
_EVERYBODY: Final = f"{_GROUPS}global/AllUsers"
_CANNED: Final = {
    frozenset((_OWNER,)): "Private",
    frozenset((_OWNER, (_EVERYBODY, "READ"))): "PublicRead",
    frozenset((_OWNER, (_EVERYBODY, "READ"), (_EVERYBODY, "WRITE"))): "PublicReadWrite",
    frozenset((_OWNER, (f"{_GROUPS}global/AuthenticatedUsers", "READ"))): "AuthenticatedRead",
    frozenset(
        (_OWNER, (f"{_GROUPS}s3/LogDelivery", "WRITE"), (f"{_GROUPS}s3/LogDelivery", "READ_ACP"))
    ): "LogDeliveryWrite",
}
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl"""


def acl(result: Json, _item: Json) -> Json:
    """The grants, and the canned ACL that makes just these: AWS keeps no name of it."""
    owner = (result.get("Owner") or {}).get("ID")
    grants = result.get("Grants") or []
    found = frozenset(
        (_grantee(grant.get("Grantee") or {}, owner) or "", str(grant.get("Permission"))) for grant in grants
    )
    other = Unresolved("not_collected", "the grants are those of no canned ACL")
    return {"AccessControl": _CANNED.get(found, other), "AccessControlGrants": grants}


def _grantee(grantee: Json, owner: str | None) -> str | None:
    if grantee.get("URI"):
        return str(grantee["URI"])
    return "owner" if owner and grantee.get("ID") == owner else grantee.get("ID")


def encryption(result: Json, _item: Json) -> Json:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionRule.html"""
    rules = []
    for rule in result.get("Rules", ()):
        given = dict(rule)
        if "ApplyServerSideEncryptionByDefault" in given:
            given["ServerSideEncryptionByDefault"] = given.pop("ApplyServerSideEncryptionByDefault")
        rules.append(given)
    return {"ServerSideEncryptionConfiguration": rules}


def versioning(result: Json, _item: Json) -> Json | None:
    """A bucket that never had versioning has neither status nor MFA delete.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html
    """
    return {name: result[name] for name in ("Status", "MFADelete") if result.get(name)} or None


def object_lock(result: Json, _item: Json) -> Json:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ObjectLockConfiguration.html"""
    return {
        "ObjectLockEnabled": result.get("ObjectLockEnabled") == "Enabled",
        "ObjectLockConfiguration": result,
    }


def lifecycle(result: Json, _item: Json) -> Json:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html"""
    size = result.get("TransitionDefaultMinimumObjectSize")
    rules = [_lifecycle_rule(rule) for rule in result.get("Rules", ())]
    return {"Rules": rules, "TransitionDefaultMinimumObjectSize": size}


def _lifecycle_rule(rule: Json) -> Json:
    told = rule.get("Filter") or {}
    within = {**told, **(told.get("And") or {})}
    tags = [*within.get("Tags", ()), *([within["Tag"]] if within.get("Tag") else [])]
    expiration = rule.get("Expiration") or {}
    return {
        "Id": rule.get("ID"),
        "Status": rule.get("Status"),
        "Prefix": rule.get("Prefix") or within.get("Prefix") or None,
        "TagFilters": tags or None,
        "ObjectSizeGreaterThan": _text(within.get("ObjectSizeGreaterThan")),
        "ObjectSizeLessThan": _text(within.get("ObjectSizeLessThan")),
        "ExpirationDate": expiration.get("Date"),
        "ExpirationInDays": expiration.get("Days"),
        "ExpiredObjectDeleteMarker": expiration.get("ExpiredObjectDeleteMarker"),
        "NoncurrentVersionExpiration": rule.get("NoncurrentVersionExpiration"),
        "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
        "Transitions": [_transition(each) for each in rule.get("Transitions", ())] or None,
        "NoncurrentVersionTransitions": [_transition(e) for e in rule.get("NoncurrentVersionTransitions", ())]
        or None,
    }


def _transition(given: Json) -> Json:
    return {
        "StorageClass": given.get("StorageClass"),
        "TransitionDate": given.get("Date"),
        "TransitionInDays": given.get("Days", given.get("NoncurrentDays")),
        "NewerNoncurrentVersions": given.get("NewerNoncurrentVersions"),
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def notification(result: Json, _item: Json) -> Json | None:
    """AWS has several events in one configuration, the registry one.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketNotificationConfiguration.html
    """
    found: Json = {
        "TopicConfigurations": list(_targets(result.get("TopicConfigurations", ()), "TopicArn", "Topic")),
        "QueueConfigurations": list(_targets(result.get("QueueConfigurations", ()), "QueueArn", "Queue")),
        "LambdaConfigurations": list(
            _targets(result.get("LambdaFunctionConfigurations", ()), "LambdaFunctionArn", "Function")
        ),
    }
    found = {name: targets for name, targets in found.items() if targets}
    if result.get("EventBridgeConfiguration") is not None:
        found["EventBridgeConfiguration"] = {"EventBridgeEnabled": True}
    return found or None


def _targets(configurations: Any, arn: str, name: str) -> Iterator[Json]:
    for each in configurations:
        key = (each.get("Filter") or {}).get("Key")
        filtered = {"Filter": {"S3Key": {"Rules": key.get("FilterRules", [])}}} if key else {}
        for event in each.get("Events", ()):
            yield {"Event": event, name: each.get(arn), **filtered}


def website(result: Json, _item: Json) -> Json:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketWebsite.html"""
    return {
        "IndexDocument": (result.get("IndexDocument") or {}).get("Suffix"),
        "ErrorDocument": (result.get("ErrorDocument") or {}).get("Key"),
        "RedirectAllRequestsTo": result.get("RedirectAllRequestsTo"),
        "RoutingRules": [
            {"RedirectRule": rule.get("Redirect"), "RoutingRuleCondition": rule.get("Condition")}
            for rule in result.get("RoutingRules", ())
        ]
        or None,
    }


def macie(results: list[Json], _item: Json) -> Json | None:
    """https://docs.aws.amazon.com/macie/latest/APIReference/datasources-s3.html"""
    return {**results[0], **(results[0].get("jobDetails") or {})} if results else None
