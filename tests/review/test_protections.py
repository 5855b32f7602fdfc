"""Protections that are weaker than before, whatever rules say."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.catalog import registry
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.review.changes import Change
from policyengine.review.pairs import Pair, Pairing
from policyengine.review.protections import GUARDS, PROTECTIONS, protection_changes

DB = "AWS::RDS::DBInstance"
BUCKET = "AWS::S3::Bucket"
UNKNOWN = Unresolved("unresolved_reference", "Ref: P")


def changes(type_: str, before: dict[str, Any], after: dict[str, Any], **tags: Any) -> list[Change]:
    base = Resource(type_, "it", None, None, before, file="t.yaml", tags=tags.get("old"))
    head = Resource(type_, "it", None, None, after, file="t.yaml", tags=tags.get("new"))
    return list(protection_changes(Pairing([Pair(base, head, "the same place")])))


def bucket(*algorithms: str) -> dict[str, Any]:
    rules = [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": each}} for each in algorithms]
    return {"BucketEncryption": {"ServerSideEncryptionConfiguration": rules}}


@pytest.mark.parametrize(
    ("type_", "before", "after", "effect", "kind"),
    [
        (DB, {"StorageEncrypted": True}, {"StorageEncrypted": False}, "worse", "encryption"),
        (DB, {"StorageEncrypted": True}, {"StorageEncrypted": "true"}, None, ""),
        (DB, {"StorageEncrypted": True}, {}, "worse", "encryption"),
        (DB, {"StorageEncrypted": False}, {"StorageEncrypted": True}, "better", "encryption"),
        (DB, {"StorageEncrypted": True}, {"StorageEncrypted": UNKNOWN}, "unclear", "encryption"),
        (DB, {"StorageEncrypted": UNKNOWN}, {"StorageEncrypted": UNKNOWN}, None, ""),
        (DB, {"StorageEncrypted": False}, {"StorageEncrypted": UNKNOWN}, None, ""),
        (DB, {"BackupRetentionPeriod": 30}, {"BackupRetentionPeriod": 10}, "worse", "backup"),
        (DB, {"BackupRetentionPeriod": "30"}, {"BackupRetentionPeriod": 30}, None, ""),
        (DB, {"BackupRetentionPeriod": 7}, {}, "worse", "backup"),
        (DB, {"BackupRetentionPeriod": 1}, {}, None, ""),
        (DB, {"PubliclyAccessible": False}, {"PubliclyAccessible": True}, "worse", "public"),
        (DB, {"PubliclyAccessible": False}, {}, "unclear", "public"),
        (DB, {"KmsKeyId": "k"}, {}, "worse", "encryption"),
        (DB, {"KmsKeyId": "k"}, {"KmsKeyId": UNKNOWN}, None, ""),
        (BUCKET, bucket("aws:kms"), bucket("AES256"), "worse", "encryption"),
        (BUCKET, bucket("aws:kms", "AES256"), bucket("AES256", "aws:kms"), None, ""),
        (BUCKET, {"VersioningConfiguration": {"Status": "Enabled"}}, {}, "worse", "backup"),
        (BUCKET, {"LoggingConfiguration": {"DestinationBucketName": "b"}}, {}, "worse", "logging"),
        ("AWS::Logs::LogGroup", {}, {"RetentionInDays": 30}, "worse", "logging"),
        ("AWS::Logs::LogGroup", {"RetentionInDays": 30}, {}, "better", "logging"),
        ("AWS::Kinesis::Stream", {"RetentionInDays": 30}, {"RetentionInDays": 3}, None, ""),
    ],
)  # fmt: skip
def test_a_protection_changes(
    type_: str, before: dict[str, Any], after: dict[str, Any], effect: str | None, kind: str
) -> None:
    found = changes(type_, before, after)
    assert [(c.effect, c.kind) for c in found] == ([(effect, kind)] if effect else [])


def test_lost_tags_are_told_once() -> None:
    old = {"Owner": "a", "Team": "b", "aws:cloudformation:stack-name": "s"}
    found = changes(DB, {}, {}, old=old, new={"Team": "c"})
    assert [(c.effect, c.kind, c.title) for c in found] == [("new", "tags", "the tag `Owner` is gone")]
    assert not changes(DB, {}, {}, old=old, new=old)
    assert [c.effect for c in changes(DB, {}, {}, old=old, new=UNKNOWN)] == ["unclear"]


def test_a_guard_is_lost_but_with_what_it_guarded() -> None:
    alarm = Resource(
        "AWS::CloudWatch::Alarm", "Alarm", None, None, {}, file="t.yaml", related={},
    )  # fmt: skip
    alarm.properties["Dimensions"] = [
        {"Value": Unresolved("unresolved_reference", target=("Queue", "QueueName"))}
    ]
    queue = Resource("AWS::SQS::Queue", "Queue", None, None, {}, file="t.yaml")
    alone = protection_changes(Pairing([Pair(alarm, None, "gone"), Pair(queue, queue, "the same place")]))
    assert [(c.effect, c.kind, c.title) for c in alone] == [("worse", "logging", "an alarm is gone")]
    assert not list(protection_changes(Pairing([Pair(alarm, None, "gone"), Pair(queue, None, "gone")])))


def test_every_name_of_the_table_is_a_property_of_a_type() -> None:
    """The registry's schemas are AWS's own; a name that stands in none protects nothing."""
    names = {step for name in PROTECTIONS for step in name.split("/")}
    schemas = registry.schema_data()
    found = names & _names(schemas)
    assert names == found, names - found
    assert set(GUARDS) <= set(schemas), set(GUARDS) - set(schemas)


def _names(value: Any) -> set[str]:
    found: set[str] = set()
    if isinstance(value, dict):
        found |= set(value)
        for inner in value.values():
            found |= _names(inner)
    elif isinstance(value, list):
        for inner in value:
            found |= _names(inner)
    return found
