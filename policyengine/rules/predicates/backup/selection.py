"""Whether a selection of AWS Backup takes in a resource, in three truth values.

How a selection is read (https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupSelection.html and
https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources-json.html): a resource is in when it
matches one of ``Resources`` or one tag of ``ListOfTags``, matches all ``Conditions`` and none of
``NotResources``; with neither ``Resources`` nor ``ListOfTags`` every supported resource is in. Where a
selection has both and they disagree AWS's pages do too (union, or tags as a filter): that is UNKNOWN. So is
a negated condition on a tag that is not there. Opt-in of services is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from policyengine.model.logic import FALSE, TRUE, UNKNOWN, Truth, conjunction, disjunction, negate, truth_of
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, OpenList, Unresolved

ARNS: Final[Mapping[str, tuple[str, str]]] = {
    "AWS::DocDB::DBCluster": ("rds", "cluster:"),
    "AWS::DynamoDB::Table": ("dynamodb", "table/"),
    "AWS::EC2::Instance": ("ec2", "instance/"),
    "AWS::EC2::Volume": ("ec2", "volume/"),
    "AWS::EFS::FileSystem": ("elasticfilesystem", "file-system/"),
    "AWS::FSx::FileSystem": ("fsx", "file-system/"),
    "AWS::Neptune::DBCluster": ("rds", "cluster:"),
    "AWS::RDS::DBCluster": ("rds", "cluster:"),
    "AWS::RDS::DBInstance": ("rds", "db:"),
    "AWS::Redshift::Cluster": ("redshift", "cluster:"),
    "AWS::S3::Bucket": ("s3", ""),
}
"""Type that AWS Backup supports -> service and resource part of its ARN
(https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html)."""

_TAG_PREFIX: Final = "aws:ResourceTag/"
_Test = Callable[[str, str], bool]


def selects(selection: Resource, resource: Resource) -> Truth:
    """Return whether a backup selection takes in a resource."""
    body = selection.properties.get("BackupSelection", ABSENT)
    if not isinstance(body, dict):
        return UNKNOWN
    named, listed = body.get("Resources", ABSENT), body.get("ListOfTags", ABSENT)
    bases = [
        part
        for value, part in (
            (named, _any(named, lambda arn: _matches_arn(arn, resource))),
            (listed, _any(listed, lambda tag: _has_tag(tag, resource))),
        )
        if value is not ABSENT and (value != [] or isinstance(value, OpenList))
    ]
    base = TRUE if not bases else bases[0] if len(set(bases)) == 1 else UNKNOWN
    excluded = _any(body.get("NotResources", ABSENT), lambda arn: _matches_arn(arn, resource))
    return conjunction((base, _conditions(body.get("Conditions", ABSENT), resource), negate(excluded)))


def _any(values: Any, check: Callable[[Any], Truth]) -> Truth:
    """Return whether one of the listed values passes; a list that is not known may hold anything."""
    if values is ABSENT:
        return FALSE
    if not isinstance(values, list):
        return UNKNOWN
    doubt = [UNKNOWN] if isinstance(values, OpenList) else []
    return disjunction([*(check(value) for value in values), *doubt])


def _matches_arn(pattern: Any, resource: Resource) -> Truth:
    if isinstance(pattern, Unresolved):
        if pattern.target is None:
            return UNKNOWN
        return truth_of(pattern.target[0] == resource.id)
    if not isinstance(pattern, str):
        return UNKNOWN
    if pattern == "*":
        return TRUE
    if resource.arn is not None:
        return truth_of(like(resource.arn, pattern))
    return _matches_shape(pattern, resource)


def _matches_shape(pattern: str, resource: Resource) -> Truth:
    """Compare a pattern with what is known of an ARN that the source does not show."""
    service, prefix = ARNS.get(resource.type, ("", ""))
    if not service:
        return UNKNOWN
    parts = pattern.split(":", 5)
    known = (
        ("arn",),
        ("aws", "aws-cn", "aws-us-gov"),
        (service,),
        _place(resource.region, service),
        _place(resource.account, service),
    )
    truths = [_matches_part(part, values) for part, values in zip(parts, known, strict=False)]
    if len(parts) == 6:
        truths.append(_matches_name(parts[5], prefix, resource))
    elif not pattern.endswith("*"):
        return FALSE
    return conjunction(truths)


def _matches_part(part: str, values: Sequence[str] | None) -> Truth:
    if part == "*":
        return TRUE
    return UNKNOWN if values is None else truth_of(any(like(value, part) for value in values))


def _place(value: str | None, service: str) -> tuple[str, ...] | None:
    """Return the account or region an ARN has there: none for buckets, None where it is not known."""
    return ("",) if service == "s3" else (value,) if value is not None else None


def _matches_name(pattern: str, prefix: str, resource: Resource) -> Truth:
    """Compare the last part; a logical id of code is no name, so that only the prefix is known."""
    if resource.file is None:
        return truth_of(like(prefix + resource.id, pattern))
    head = pattern.split("*", 1)[0]
    if pattern in ("*", prefix + "*"):
        return TRUE
    fits = prefix.startswith(head) if "*" in pattern and len(head) < len(prefix) else head.startswith(prefix)
    return UNKNOWN if fits else FALSE


def _has_tag(condition: Any, resource: Resource) -> Truth:
    return _compare(condition, resource, lambda value, wanted: value == wanted, missing=FALSE)


def _conditions(conditions: Any, resource: Resource) -> Truth:
    if conditions is ABSENT:
        return TRUE
    if not isinstance(conditions, dict) or hasattr(conditions, "more"):
        return UNKNOWN
    return conjunction(
        part for operator, entries in conditions.items() for part in _of_operator(operator, entries, resource)
    )


def _of_operator(operator: str, entries: Any, resource: Resource) -> Iterable[Truth]:
    if operator.removeprefix("StringNot").removeprefix("String") not in ("Equals", "Like"):
        return (UNKNOWN,)
    if not isinstance(entries, list) or isinstance(entries, OpenList):
        return (UNKNOWN,)
    test: _Test = like if operator.endswith("Like") else lambda value, wanted: value == wanted
    if not operator.startswith("StringNot"):
        return [_compare(entry, resource, test, missing=FALSE) for entry in entries]
    return [negate(_compare(entry, resource, test, missing=UNKNOWN)) for entry in entries]


def _compare(condition: Any, resource: Resource, test: _Test, *, missing: Truth) -> Truth:
    if not isinstance(condition, dict):
        return UNKNOWN
    key, wanted = condition.get("ConditionKey"), condition.get("ConditionValue")
    if not isinstance(key, str) or not isinstance(wanted, str):
        return UNKNOWN
    tags = resource.tags
    if tags is None or isinstance(tags, Unresolved):
        return UNKNOWN
    value = tags.get(key.removeprefix(_TAG_PREFIX), getattr(tags, "more", ABSENT))
    if value is ABSENT:
        return missing
    return truth_of(test(value, wanted)) if isinstance(value, str) else UNKNOWN


def like(text: str, pattern: str) -> bool:
    """Return whether a text matches a pattern in which ``*`` stands for any characters; linear time."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    last = rest.pop()
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    return _in_order(text, rest, len(first), len(text) - len(last))


def _in_order(text: str, pieces: Sequence[str], start: int, end: int) -> bool:
    for piece in pieces:
        found = text.find(piece, start, end)
        if found < 0:
            return False
        start = found + len(piece)
    return True
