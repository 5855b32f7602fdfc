"""The role that a scan needs: the actions of the calls its rules lead to, and nothing else."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from policyengine.aws.actions import GATEWAY_PATHS, actions_for
from policyengine.catalog import registry
from policyengine.iam.catalogue import catalogue
from policyengine.sources.live.calls import operations
from policyengine.sources.live.plan import Plan
from policyengine.sources.live.spec import RegistryCollector

Json = dict[str, Any]
ALWAYS: Final = ("ec2:DescribeRegions",)
"""Calls of every collection, whatever the rules."""
ORGANIZATION: Final = (
    "organizations:DescribeOrganization", "organizations:ListAccounts",
    "organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent",
)  # fmt: skip
"""Calls that find the accounts of ``--org``; made in the management account only."""
MAX_POLICY: Final = 6144
"""Characters of a managed policy, white space not counted
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""


class Grant(NamedTuple):
    """What a role is granted. ``through`` are actions that Cloud Control needs while it reads a type, as the
    registry declares them; no call of ours shows whether each is used."""

    actions: tuple[str, ...]
    through: tuple[str, ...]
    gateway: bool


def grant_for(plan: Plan, *, organization: bool = False) -> Grant:
    """Return what the role needs for a plan; ``organization`` adds finding the accounts."""
    asked = {*operations(plan), *ALWAYS, *(ORGANIZATION if organization else ())}
    own = {action for operation in asked for action in actions_for(operation)}
    through = {
        action
        for collector in plan.collectors
        if isinstance(collector, RegistryCollector)
        for action in _through(collector.type)
    }
    gateway = "apigateway:GET" in own | through
    return Grant(
        tuple(sorted(own - {"apigateway:GET"})), tuple(sorted(through - own - {"apigateway:GET"})), gateway
    )


def _through(type: str) -> set[str]:
    """Reading never needs more than reading: what a handler declares beyond that, or misspells, is not granted."""
    handlers = registry.handlers(type)
    declared = {*(handlers.list or ()), *(handlers.read or ())}
    known = (catalogue().action(action) for action in declared)
    return {action.name for action in known if action is not None and _reads(action.name)}


def _reads(action: str) -> bool:
    name = action.partition(":")[2]
    return name == "GET" or (
        name.startswith(("Batch", "Describe", "Get", "List", "Search", "Select")) and (action not in _NEVER)
    )


_NEVER: Final = frozenset(
    {
        "dynamodb:GetItem", "kms:GetPublicKey", "s3:GetObject", "secretsmanager:GetRandomPassword",
        "secretsmanager:GetSecretValue", "ssm:GetParameter", "ssm:GetParameters", "sqs:ReceiveMessage",
    }
)  # fmt: skip
"""Actions that read data and not configuration: a scanner must not be able to."""


def policies(grant: Grant, partition: str = "*") -> list[Json]:
    """Return the policy documents, each within the size of a managed policy."""
    documents: list[Json] = []
    batch: list[str] = []
    for action in sorted({*grant.actions, *grant.through}):
        if _size(_document([*batch, action], gateway=False, partition=partition)) > MAX_POLICY - 600:
            documents.append(_document(batch, gateway=False, partition=partition))
            batch = []
        batch.append(action)
    documents.append(_document(batch, gateway=grant.gateway, partition=partition))
    return documents


def _document(actions: Sequence[str], *, gateway: bool, partition: str) -> Json:
    statements: list[Json] = []
    if actions:
        statements.append(
            {"Sid": "ReadConfiguration", "Effect": "Allow", "Action": list(actions), "Resource": "*"}
        )
    if gateway:
        arns = [f"arn:{partition}:apigateway:*::{path}" for path in GATEWAY_PATHS]
        statements.append(
            {"Sid": "ReadGateways", "Effect": "Allow", "Action": "apigateway:GET", "Resource": arns}
        )
    return {"Version": "2012-10-17", "Statement": statements}


def _size(document: Json) -> int:
    return len(json.dumps(document, separators=(",", ":")))


def role_template(documents: Sequence[Json], role_name: str) -> Json:
    """Return the CloudFormation template of the role: who may assume it are parameters."""
    names = [f"Policy{number}" for number in range(1, len(documents) + 1)]
    resources: Json = {
        name: {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "Description": "Reading configuration for policyengine",
                "PolicyDocument": document,
                "Roles": [{"Ref": "Role"}],
            },
        }
        for name, document in zip(names, documents, strict=True)
    }
    resources["Role"] = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": role_name,
            "Description": "Assumed by policyengine to read the configuration of this account",
            "MaxSessionDuration": 3600,
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": {"Ref": "ScannerPrincipalArn"}},
                        "Action": "sts:AssumeRole",
                        "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
                    }
                ],
            },
        },
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The role that policyengine assumes to read configuration. It can change nothing.",
        "Parameters": {
            "ScannerPrincipalArn": {
                "Type": "String",
                "Description": "ARN of the role or user that runs policyengine",
                "AllowedPattern": "arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:.+",
            },
            "ExternalId": {
                "Type": "String",
                "Description": "what policyengine gives as --external-id",
                "MinLength": 8,
            },
        },
        "Resources": resources,
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
    }


def stack_set_template(member: Json) -> Json:
    """Return the template, for the management account, of the stack set that puts the role into every member.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-enable-trusted-access.html
    """
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Puts the role that policyengine assumes into every account, new ones included.",
        "Parameters": {
            **member["Parameters"],
            "OrganizationalUnitIds": {
                "Type": "CommaDelimitedList",
                "Description": "the root (r-…) or the OUs whose accounts get the role",
            },
        },
        "Resources": {
            "ScannerRoles": {
                "Type": "AWS::CloudFormation::StackSet",
                "Properties": {
                    "StackSetName": "policyengine-scanner-role",
                    "PermissionModel": "SERVICE_MANAGED",
                    "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
                    "Capabilities": ["CAPABILITY_NAMED_IAM"],
                    "Parameters": [
                        {"ParameterKey": name, "ParameterValue": {"Ref": name}}
                        for name in member["Parameters"]
                    ],
                    "StackInstancesGroup": [
                        {
                            "DeploymentTargets": {"OrganizationalUnitIds": {"Ref": "OrganizationalUnitIds"}},
                            "Regions": [{"Ref": "AWS::Region"}],
                        }
                    ],
                    "TemplateBody": json.dumps(member, separators=(",", ":"), sort_keys=True),
                },
            }
        },
    }


def terraform(documents: Sequence[Json], role_name: str) -> str:
    """Return the role as a Terraform configuration."""
    parts = [_TERRAFORM_ROLE.replace("ROLE_NAME", role_name)]
    for number, document in enumerate(documents, 1):
        text = json.dumps(document, indent=2).replace("\n", "\n  ")
        parts.append(_TERRAFORM_POLICY.replace("NUMBER", str(number)).replace("DOCUMENT", text))
    return "\n".join(parts)


_TERRAFORM_ROLE: Final = """variable "scanner_principal_arn" {
  type        = string
  description = "ARN of the role or user that runs policyengine"
}

variable "external_id" {
  type        = string
  description = "what policyengine gives as --external-id"
}

resource "aws_iam_role" "policyengine" {
  name        = "ROLE_NAME"
  description = "Assumed by policyengine to read the configuration of this account"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = var.scanner_principal_arn }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = var.external_id } }
    }]
  })
}
"""
_TERRAFORM_POLICY: Final = """resource "aws_iam_policy" "policyengine_NUMBER" {
  name   = "policyengine-NUMBER"
  policy = jsonencode(DOCUMENT)
}

resource "aws_iam_role_policy_attachment" "policyengine_NUMBER" {
  role       = aws_iam_role.policyengine.name
  policy_arn = aws_iam_policy.policyengine_NUMBER.arn
}
"""


def exemption(role_name: str) -> Json:
    """Return the condition that keeps a Deny in an SCP from blinding the scanner."""
    return {"ArnNotLike": {"aws:PrincipalArn": f"arn:*:iam::*:role/{role_name}"}}


def by_service(actions: Iterable[str]) -> dict[str, list[str]]:
    """Return prefix -> names, for people."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for action in sorted(actions):
        prefix, _, name = action.partition(":")
        found[prefix].append(name)
    return dict(found)
