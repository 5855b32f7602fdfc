"""Policies of Cloud Custodian: what its filters select fails, and nothing is let through that they would select.

The meaning of filters: c7n/filters/core.py (`ValueFilter.match`), https://cloudcustodian.io/docs/filters.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from policyengine.catalog import registry
from policyengine.migrate.custodian import read_policies
from policyengine.migrate.custodian_types import TYPES
from policyengine.migrate.drafts import Draft
from policyengine.model.errors import PolicyEngineError
from tests.migrate.asked import verdict


def drafted(resource: str, *filters: Any, **more: Any) -> Draft:
    policy = {"name": "one", "resource": resource, "filters": list(filters), **more}
    drafts, left = read_policies(json.dumps({"policies": [policy]}).encode(), "p.yml")
    assert left == []
    return drafts[0]


def why_not(resource: str, *filters: Any, **more: Any) -> str:
    policy = {"name": "one", "resource": resource, "filters": list(filters), **more}
    drafts, left = read_policies(json.dumps({"policies": [policy]}).encode(), "p.yml")
    assert drafts == []
    return str(left[0])


def value(key: str, op: str, wanted: Any, **more: Any) -> dict[str, Any]:
    return {"type": "value", "key": key, "op": op, "value": wanted, **more}


@pytest.mark.parametrize(
    ("resource", "filter_", "passes", "fails"),
    [
        ("rds", {"StorageEncrypted": False}, {"StorageEncrypted": True}, {"StorageEncrypted": False}),
        ("rds", {"StorageEncrypted": False}, {"StorageEncrypted": True}, {}),  # AWS's default is in force
        ("aws.rds", value("BackupRetentionPeriod", "lt", 7), {"BackupRetentionPeriod": 7}, {"BackupRetentionPeriod": 6}),
        ("rds", value("BackupRetentionPeriod", "lte", 7), {"BackupRetentionPeriod": 8}, {"BackupRetentionPeriod": 7}),
        ("rds", value("DBInstanceClass", "in", ["a", "b"]), {"DBInstanceClass": "c"}, {"DBInstanceClass": "a"}),
        ("rds", value("DBInstanceClass", "in", ["a"]), {}, {"DBInstanceClass": "a"}),
        ("rds", value("DBInstanceClass", "not-in", ["a"]), {"DBInstanceClass": "a"}, {}),
        ("rds", value("DBInstanceClass", "ne", "a"), {"DBInstanceClass": "a"}, {}),
        ("rds", value("Engine", "regex", "^my.*"), {"Engine": "postgres"}, {"Engine": "MySQL"}),
        ("rds", value("Engine", "regex-case", "my"), {"Engine": "MySQL"}, {"Engine": "mysql"}),
        ("rds", value("Engine", "regex", "my$"), {"Engine": "mysql"}, {"Engine": "my"}),
        ("rds", value("Engine", "glob", "my*l"), {"Engine": "mysq"}, {"Engine": "mysql"}),
        ("rds", value("Engine", "contains", "sq"), {"Engine": "oracle"}, {"Engine": "mysql"}),
        ("lambda", {"KmsKeyArn": "absent"}, {"KmsKeyArn": "k"}, {}),
        ("lambda", {"KMSKeyArn": "absent"}, {"KmsKeyArn": "k"}, {}),  # the API's letters
        ("lambda", {"KmsKeyArn": "empty"}, {"KmsKeyArn": "k"}, {"KmsKeyArn": ""}),
        ("lambda", {"KmsKeyArn": "not-null"}, {"KmsKeyArn": ""}, {"KmsKeyArn": "k"}),
        ("lambda", {"VpcConfig.SubnetIds": "empty"}, {"VpcConfig": {"SubnetIds": ["s"]}}, {"VpcConfig": {"SubnetIds": []}}),
        ("rds-cluster", value("AvailabilityZones", "contains", "a"), {}, {"AvailabilityZones": ["b", "a"]}),
        ("ec2", {"or": [{"ImageId": "a"}, {"KeyName": "k"}]}, {"ImageId": "b"}, {"ImageId": "b", "KeyName": "k"}),
        ("ec2", {"not": [{"ImageId": "a"}, {"KeyName": "k"}]}, {"ImageId": "a", "KeyName": "k"}, {"ImageId": "a"}),
        ("ec2", {"and": [{"ImageId": "a"}, {"KeyName": "k"}]}, {"ImageId": "a"}, {"ImageId": "a", "KeyName": "k"}),
        (
            "acm-certificate", value("NotAfter", "lt", 30, value_type="expiration"),
            {"NotAfter": "2026-03-01T00:00:00Z"}, {"NotAfter": "2026-01-20T00:00:00Z"},
        ),
        (
            "security-group", {"type": "ingress", "Ports": [22], "Cidr": {"value": "0.0.0.0/0"}},
            {"SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}]},
            {"SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 20, "ToPort": 30, "CidrIp": "0.0.0.0/0"}]},
        ),
    ],
)  # fmt: skip
def test_what_is_selected_fails(
    resource: str, filter_: Any, passes: dict[str, Any], fails: dict[str, Any]
) -> None:
    draft = drafted(resource, filter_)
    assert (verdict(draft, passes), verdict(draft, fails)) == ("PASS", "FAIL")


@pytest.mark.parametrize(
    ("wanted", "passes", "fails"),
    [
        ("absent", {"Owner": "x"}, {}),
        ("present", {}, {"Owner": "x"}),
        ("empty", {"Owner": "x"}, {"Owner": ""}),
        ("x", {"Owner": "y"}, {"Owner": "x"}),
    ],
)
def test_tags(wanted: str, passes: dict[str, str], fails: dict[str, str]) -> None:
    draft = drafted("sqs", {"tag:Owner": wanted})
    assert (verdict(draft, {}, passes), verdict(draft, {}, fails)) == ("PASS", "FAIL")


def test_a_flag_without_a_known_default_fails_where_nothing_says_it() -> None:
    """A describe call always says a flag; a template may not: then nobody knows, and that is never PASS."""
    draft = drafted("ec2", {"HibernationOptions.Configured": False})
    assert verdict(draft, {}) == "FAIL"
    assert any("no AWS default is known" in note for note in draft.notes)
    assert verdict(drafted("ec2", {"not": [{"HibernationOptions.Configured": True}]}), {}) == "FAIL"


def test_all_filters_have_to_select() -> None:
    draft = drafted("rds", {"Engine": "postgres"}, {"StorageEncrypted": False}, actions=["stop"])
    assert verdict(draft, {"Engine": "mysql", "StorageEncrypted": False}) == "PASS"
    assert verdict(draft, {"Engine": "postgres", "StorageEncrypted": False}) == "FAIL"
    assert any("actions are not converted" in note for note in draft.notes)


@pytest.mark.parametrize(
    ("resource", "filter_", "says"),
    [
        ("s3", {"type": "check-public-block"}, "filter `check-public-block`: it has no counterpart"),
        ("s3", "cross-account", "filter `cross-account`"),
        ("azure.vm", {"a": 1}, "no CloudFormation type is known"),
        ("elasticsearch", {"a": 1}, "no CloudFormation type is known"),
        ("ec2", {"InstanceLifecycle": "spot"}, "no property of AWS::EC2::Instance"),
        ("ec2", {"length(NetworkInterfaces)": 2}, "JMESPath beyond names"),
        ("ec2", {"BlockDeviceMappings.DeviceName": "a"}, "lists otherwise"),
        ("ec2", {"ImageId": ["a"]}, "no single text"),
        ("ec2", {"ImageId": None}, "no single text"),
        ("ec2", {"Monitoring": "x"}, "kind boolean"),
        ("ec2", value("ImageId", "mod", 2), "operator `mod`"),
        ("ec2", value("ImageId", "gt", "b"), "whole numbers only"),
        ("ec2", value("ImageId", "eq", 2, value_type="size"), "`value_type: size`"),
        ("ec2", value("ImageId", "eq", "a", value_from={"url": "x"}), "`value_from`"),
        ("ec2", value("ImageId", "regex", "(a)\\1"), "pattern has no counterpart"),
        ("iam-role", value("AssumeRolePolicyDocument", "eq", "a"), "free-form"),
        ("security-group", {"type": "ingress", "Cidr": {"value": "10.0.0.0/8"}}, "only the whole internet"),
        ("security-group", {"type": "ingress", "SelfReference": True}, "`SelfReference`"),
        ("security-group", {"not": [{"type": "ingress", "Cidr": {"value": "::/0"}}]}, "under `not`"),
        ("ec2", {"or": []}, "expected a list of filters"),
    ],
)
def test_what_has_no_counterpart_is_named(resource: str, filter_: Any, says: str) -> None:
    assert says in why_not(resource, filter_)


def test_policies_that_select_otherwise_are_left() -> None:
    assert "inventory" in why_not("ec2")
    assert "`query`" in why_not("ec2", {"ImageId": "a"}, query=[{"instance-state-name": "running"}])


def test_the_place_is_that_of_the_construct() -> None:
    text = b"policies:\n  - name: one\n    resource: ec2\n    filters:\n      - ImageId: a\n      - or:\n          - type: offhour\n"
    _, left = read_policies(text, "p.yml")
    assert str(left[0]).startswith("p.yml:7: filter `offhour`")


@pytest.mark.parametrize(
    "text", [b"", b"a: 1", b"[", b"policies: 3", b"\xff\xfe", b"policies:\n" + b" - [" * 400]
)
def test_what_holds_no_policies_is_refused(text: bytes) -> None:
    with pytest.raises(PolicyEngineError):
        read_policies(text, "p.yml")


def test_every_type_is_one_of_the_catalog() -> None:
    assert sorted(set(TYPES.values()) - set(registry.covered())) == []
