"""The role that a scan needs: sufficient, minimal, within AWS's sizes; templates that load."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from policyengine.deploy import scanner_role
from policyengine.engine.needs import needs_of, top_names
from policyengine.iam.catalogue import catalogue
from policyengine.rules.packs import load_packs
from policyengine.sources.live.plan import Plan, make_plan

pytest.importorskip("botocore")


@cache
def _plan(*ids: str) -> Plan:
    forms = load_packs().rules
    return make_plan(top_names(needs_of(f for f in forms if not ids or f["id"] in ids)))


def test_one_rule_needs_what_it_reads() -> None:
    grant = scanner_role.grant_for(_plan("s3-tls-only"))
    assert grant.actions == ("ec2:DescribeRegions", "s3:GetBucketPolicy", "s3:ListAllMyBuckets")
    assert grant.through == ()


def test_tags_do_not_need_policies() -> None:
    actions = scanner_role.grant_for(_plan("tags-mandatory")).actions
    assert {"ec2:DescribeVolumes", "s3:GetBucketTagging"} <= set(actions)
    assert "s3:GetBucketPolicy" not in actions


def test_every_rule_together_only_reads() -> None:
    grant = scanner_role.grant_for(_plan(), organization=True)
    known = catalogue()
    for action in (*grant.actions, *grant.through):
        level = known.action(action).access_level
        assert level in ("Read", "List"), f"{action} is {level}"


def test_no_data_can_be_read() -> None:
    """Objects, messages, secret values: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/SecurityAudit.html
    grants none of these either."""
    grant = scanner_role.grant_for(_plan())
    data = {
        "s3:GetObject",
        "dynamodb:GetItem",
        "secretsmanager:GetSecretValue",
        "ssm:GetParameter",
        "sqs:ReceiveMessage",
    }
    assert not data & {*grant.actions, *grant.through}


def test_documents_are_within_the_size_of_managed_policies() -> None:
    documents = scanner_role.policies(scanner_role.grant_for(_plan()))
    assert len(documents) <= 10  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    for document in documents:
        assert len(json.dumps(document, separators=(",", ":"))) <= scanner_role.MAX_POLICY
    granted = [a for d in documents for s in d["Statement"] for a in _listed(s["Action"])]
    assert len(granted) == len(set(granted))


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def test_the_stack_set_carries_the_role() -> None:
    documents = scanner_role.policies(scanner_role.grant_for(_plan()))
    template = scanner_role.stack_set_template(scanner_role.role_template(documents, "Scanner"))
    properties = template["Resources"]["ScannerRoles"]["Properties"]
    assert len(properties["TemplateBody"]) <= 51_200  # the quota of a template given as text
    member = json.loads(properties["TemplateBody"])
    assert member["Resources"]["Role"]["Properties"]["RoleName"] == "Scanner"
    assert {p["ParameterKey"] for p in properties["Parameters"]} == set(member["Parameters"])
    trust = member["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}}
