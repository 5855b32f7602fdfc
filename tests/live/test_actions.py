"""Operations and the IAM actions they need, held against the service authorization reference."""

from __future__ import annotations

import pytest

from policyengine.aws.actions import IRREGULAR, actions_for
from policyengine.engine.needs import needs_of, top_names
from policyengine.iam.catalogue import catalogue
from policyengine.rules.packs import load_packs
from policyengine.sources.live.calls import operations
from policyengine.sources.live.plan import make_plan

pytest.importorskip("botocore")

UNPUBLISHED: frozenset[str] = frozenset()
"""Actions that AWS's pages name and the catalogue's data lacks, each with its page."""


def _known() -> set[str]:
    return {name.lower() for name in catalogue().names}


def test_every_operation_of_a_collector_has_an_action_aws_publishes() -> None:
    plan = make_plan(top_names(needs_of(load_packs().rules)))
    known = _known()
    wrong = {
        (operation, action)
        for operation in operations(plan)
        for action in actions_for(operation)
        if action.lower() not in known and action not in UNPUBLISHED
    }
    assert not wrong


def test_irregular_names_are_published() -> None:
    known = _known()
    for operation, actions in IRREGULAR.items():
        for action in actions:
            assert action.lower() in known, f"{operation}: {action}"


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("s3:GetBucketEncryption", "s3:GetEncryptionConfiguration"),
        ("s3:GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
        ("s3control:GetPublicAccessBlock", "s3:GetAccountPublicAccessBlock"),
        ("s3:ListBuckets", "s3:ListAllMyBuckets"),
        ("elbv2:DescribeLoadBalancers", "elasticloadbalancing:DescribeLoadBalancers"),
        ("efs:DescribeFileSystems", "elasticfilesystem:DescribeFileSystems"),
        ("apigatewayv2:GetApis", "apigateway:GET"),
        ("cloudcontrol:GetResource", "cloudformation:GetResource"),
        ("docdb:DescribeDBClusters", "rds:DescribeDBClusters"),
    ],
)
def test_names_that_differ(operation: str, action: str) -> None:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html and the others."""
    assert actions_for(operation) == (action,)
