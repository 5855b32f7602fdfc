"""Amazon S3 and EFS, as AWS Config records them.

A bucket's settings stand in ``supplementaryConfiguration`` under the names of the first Java SDK
(https://docs.aws.amazon.com/config/latest/developerguide/resource-config-reference.html, S3); those that
are always there hold null where there is nothing.
"""

from __future__ import annotations

from typing import Any, Final

from policyengine.model.values import Unresolved
from policyengine.sources.config.item import Item
from policyengine.sources.config.spec import ConfigType, Part, flag, objects, under
from policyengine.sources.live.collectors.s3_shapes import acl

Json = dict[str, Any]

_GROUPS: Final = {
    "AllUsers": "http://acs.amazonaws.com/groups/global/AllUsers",
    "AuthenticatedUsers": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
    "LogDelivery": "http://acs.amazonaws.com/groups/s3/LogDelivery",
}
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#specifying-grantee"""
_PERMISSIONS: Final = {
    "FullControl": "FULL_CONTROL",
    "Read": "READ",
    "Write": "WRITE",
    "ReadAcp": "READ_ACP",
    "WriteAcp": "WRITE_ACP",
}
_ODD_FILTER: Final = Unresolved("unsupported", "the filter of the rule is not written as known")
_ODD_GRANT: Final = Unresolved("unsupported", "a grant of the access control list is not written as known")


def _bucket(item: Item) -> Json:
    listed = item.supplement.get("AccessControlList")
    return {
        "BucketName": item.configuration.get("name") or item.id,
        "CreationDate": item.configuration.get("creationDate"),
        "ObjectLockEnabled": _lock_enabled(item),
        **(_acl(listed) if listed is not None else {}),
    }


def _policy(value: Any, item: Item) -> Any:
    text = value.get("policyText") if isinstance(value, dict) else value
    return [{"Bucket": item.id, "PolicyDocument": text}] if text else []


def _versioning(value: Any, _item: Item) -> Any:
    """``Off`` is a bucket that never had versioning (BucketVersioningConfiguration.OFF of the SDK)."""
    status, delete = under(value, "status"), flag(under(value, "isMfaDeleteEnabled"))
    found: Json = {} if status in (None, "Off") else {"Status": status}
    if isinstance(delete, bool):
        found["MfaDelete"] = "Enabled" if delete else "Disabled"
    return found or None


def _logging(value: Any, _item: Item) -> Any:
    return value if under(value, "destinationBucketName") else None


def _acl(value: Any) -> Json:
    """The list in the API's own names, for the shape that the live collector uses too."""
    grants = under(value, "grantList") or under(value, "grantSet") or []
    found = [_grant(grant) for grant in grants] if isinstance(grants, list) else [None]
    if None in found:
        return {"AccessControl": _ODD_GRANT, "AccessControlGrants": _ODD_GRANT}
    return acl({"Owner": {"ID": under(value, "owner", "id")}, "Grants": found}, {})


def _grant(grant: Any) -> Json | None:
    """A group is a word, anybody else an object with an id."""
    grantee, permission = under(grant, "grantee"), _PERMISSIONS.get(str(under(grant, "permission")))
    if isinstance(grantee, str):
        grantee = {"uri": _GROUPS.get(grantee)}
    found = {"URI": under(grantee, "uri"), "ID": under(grantee, "id")}
    if permission is None or not any(found.values()):
        return None
    return {"Permission": permission, "Grantee": {name: text for name, text in found.items() if text}}


def _lifecycle(value: Any, _item: Item) -> Any:
    """The SDK writes -1 where a rule has no number of days."""
    rules = []
    for given in objects(under(value, "rules")):
        rule = {name: below for name, below in given.items() if name != "filter" and below != -1}
        rule.update(_lifecycle_filter(under(given, "filter", "predicate")))
        rules.append(rule)
    return rules


def _lifecycle_filter(predicate: Any) -> Json:
    """A prefix, a tag, or several of them joined; sizes of objects and what else may come are not known."""
    if predicate is None:
        return {}
    joined = under(predicate, "type") == "LifecycleAndOperator"
    found: Json = {}
    for one in under(predicate, "operands") or [] if joined else [predicate]:
        kind, tag = under(one, "type"), under(one, "tag")
        if kind == "LifecyclePrefixPredicate":
            found["prefix"] = under(one, "prefix")
        elif kind == "LifecycleTagPredicate" and isinstance(tag, dict):
            found["tagFilters"] = [*found.get("tagFilters", []), tag]
        else:
            return {"prefix": _ODD_FILTER, "tagFilters": _ODD_FILTER}
    return found


def _replication(value: Any, _item: Item) -> Any:
    """The SDK has the rules as a map by their ids."""
    rules = under(value, "rules")
    found = []
    for id, rule in rules.items() if isinstance(rules, dict) else ():
        there = under(rule, "destinationConfig") or {}
        destination = {
            "Bucket": there.get("bucketARN"),
            "StorageClass": there.get("storageClass"),
            "Account": there.get("account"),
        }
        found.append(
            {
                "Id": id,
                "Status": under(rule, "status"),
                "Priority": under(rule, "priority"),
                "Destination": destination,
            }
        )
    role = under(value, "roleARN")
    if not found and role is not None:
        return {
            "Role": role,
            "Rules": Unresolved("not_collected", "AWS Config recorded no rules", present=True),
        }
    return {"Role": role, "Rules": found}


def _lock_enabled(item: Item) -> Any:
    value = under(item.supplement.get("ObjectLockConfiguration"), "objectLockEnabled")
    return True if value == "Enabled" else None


def _file_system(item: Item) -> Json:
    tags = item.configuration.get("FileSystemTags", item.configuration.get("Tags"))
    return {**item.configuration, "FileSystemTags": tags}


TYPES = (
    ConfigType(
        "AWS::S3::Bucket",
        id="BucketName",
        shape=_bucket,
        parts=(
            Part(
                "ServerSideEncryptionConfiguration",
                "BucketEncryption.ServerSideEncryptionConfiguration",
                {"applyServerSideEncryptionByDefault": "ServerSideEncryptionByDefault"},
                lambda value, _: under(value, "rules"),
            ),
            Part("PublicAccessBlockConfiguration", "PublicAccessBlockConfiguration"),
            Part("BucketPolicy", "related.policies", shape=_policy),
            Part("BucketVersioningConfiguration", "VersioningConfiguration", shape=_versioning),
            Part("BucketLoggingConfiguration", "LoggingConfiguration", {"logFilePrefix": "LogFilePrefix"}, _logging),
            Part(
                "BucketLifecycleConfiguration",
                "LifecycleConfiguration.Rules",
                {"transitions.days": "TransitionInDays", "transitions.date": "TransitionDate"},
                _lifecycle,
            ),
            Part("BucketReplicationConfiguration", "ReplicationConfiguration", shape=_replication),
            Part("ObjectLockConfiguration", "ObjectLockConfiguration"),
            Part("BucketAccelerateConfiguration", "AccelerateConfiguration", {"status": "AccelerationStatus"},
                 lambda value, _: value if under(value, "status") else None),
            Part("BucketWebsiteConfiguration", "WebsiteConfiguration", {"indexDocumentSuffix": "IndexDocument"}),
        ),
        recorded=(
            "BucketEncryption", "PublicAccessBlockConfiguration", "LoggingConfiguration", "LifecycleConfiguration",
            "ReplicationConfiguration", "ObjectLockConfiguration", "ObjectLockEnabled", "WebsiteConfiguration",
        ),
        unknown=("BucketEncryption.ServerSideEncryptionConfiguration.BlockedEncryptionTypes",),
    ),
    ConfigType(
        "AWS::EFS::FileSystem",
        shape=_file_system,
        recorded=("BackupPolicy", "KmsKeyId", "LifecyclePolicies", "ProvisionedThroughputInMibps"),
    ),
)  # fmt: skip
