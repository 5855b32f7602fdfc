"""The role of each remediation, made of what it declares, and the documents by which SSM and AWS Config call it."""

from __future__ import annotations

from typing import Any, Final

from policyengine.aws.actions import actions_for
from policyengine.deploy.choice import Choice
from policyengine.deploy.functions import EVENTS, REMEDIATION, ROLE_PREFIX, role_id
from policyengine.deploy.parts import allow, arn_of, document, filled, ref, resource, service_trust, sub
from policyengine.deploy.storage import TAGS
from policyengine.iam.catalogue import catalogue
from policyengine.remediate.declaration import Declaration

Json = dict[str, Any]
MOST: Final = 10_240
"""Characters of the inline policies of a role (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""


def repairs(choice: Choice) -> Json:
    """Return the roles and the SSM document."""
    found: Json = {}
    for declaration in choice.remediations:
        found |= _role(declaration)
    if choice.remediations:
        found |= _ssm()
    return found


def _role(declaration: Declaration) -> Json:
    id = role_id(declaration.id)
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": [arn_of(f"{function.id}Role") for function in (EVENTS, REMEDIATION)]},
        "Action": "sts:AssumeRole",
    }
    return {
        f"{id}Role": resource(
            "AWS::IAM::Role",
            {
                "RoleName": sub(f"{ROLE_PREFIX}{declaration.id.replace('_', '-')}"),
                "Description": f"policyengine: {declaration.title}"[:1000],
                "AssumeRolePolicyDocument": document([trust]),
                "MaxSessionDuration": 3600,
                "Tags": TAGS,
            },
        ),
        f"{id}Policy": resource(
            "AWS::IAM::RolePolicy",
            {
                "PolicyName": "remediation",
                "RoleName": ref(f"{id}Role"),
                "PolicyDocument": document(statements(declaration)),
            },
        ),
    }


def statements(declaration: Declaration) -> list[Json]:
    """Return what a remediation's role allows: its operations' actions, on the ARNs it declares, and nothing else.

    Actions with the same resources share a statement.
    """
    by_scope: dict[tuple[str, ...], set[str]] = {}
    for operation in sorted(declaration.operations):
        scope = tuple(declaration.scope.get(operation, ("*",)))
        for action in actions_for(operation):
            by_scope.setdefault(scope, set()).add(published(action))
    for action, arns in declaration.also.items():
        by_scope.setdefault(tuple(arns), set()).add(action)
    return [
        allow(sorted(actions), [filled(arn) for arn in scope] if scope != ("*",) else "*")
        for scope, actions in sorted(by_scope.items())
    ]


def published(action: str) -> str:
    """Return an action as the service authorization reference spells it."""
    return _spellings().get(action.lower(), action)


def _spellings() -> dict[str, str]:
    return {name.lower(): name for name in catalogue().names}


def _ssm() -> Json:
    """One document for every remediation: it calls the kernel, which reads and judges again.

    AWS Config may call it by hand; nothing here makes it automatic, because a custom rule's NON_COMPLIANT may stand for
    "not determined".
    """
    names = ("Rule", "ResourceType", "ResourceId", "Account", "Region", "RequestedBy")
    payload = {
        "rule": "{{ Rule }}",
        "resource_type": "{{ ResourceType }}",
        "resource_id": "{{ ResourceId }}",
        "account": "{{ Account }}",
        "region": "{{ Region }}",
        "requested_by": "{{ RequestedBy }}",
    }
    content = {
        "schemaVersion": "0.3",
        "description": "Asks policyengine to repair one resource: it is read and judged again, planned, and changed only where "
        "that is allowed without a person. The answer names the action.",
        "assumeRole": "{{ AutomationAssumeRole }}",
        "parameters": {
            "AutomationAssumeRole": {"type": "String", "description": "The role of the automation"},
            **{name: {"type": "String", "description": name} for name in names},
        },
        "mainSteps": [
            {
                "name": "repair",
                "action": "aws:invokeLambdaFunction",
                "timeoutSeconds": REMEDIATION.seconds,
                "onFailure": "Abort",
                "isEnd": True,
                "inputs": {
                    "FunctionName": sub("${AWS::StackName}-remediation"),
                    "InvocationType": "RequestResponse",
                    "InputPayload": payload,
                },
            }
        ],
    }
    invoke = allow(["lambda:InvokeFunction"], arn_of(REMEDIATION.id))
    own = {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}}
    return {
        "AutomationRole": resource(
            "AWS::IAM::Role",
            {
                "Description": "policyengine: what the SSM document calls the remediation function as",
                "AssumeRolePolicyDocument": service_trust("ssm.amazonaws.com", condition=own),
                "Policies": [{"PolicyName": "invoke", "PolicyDocument": document([invoke])}],
                "Tags": TAGS,
            },
        ),
        "RepairDocument": resource(
            "AWS::SSM::Document",
            {
                "Name": sub("${AWS::StackName}-repair"),
                "DocumentType": "Automation",
                "DocumentFormat": "JSON",
                "UpdateMethod": "NewVersion",
                "Content": content,
                "Tags": TAGS,
            },
        ),
    }
