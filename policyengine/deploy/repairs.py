"""The role of each remediation, made of what it declares, and the documents by which SSM and AWS Config call it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from policyengine.aws.actions import actions_for
from policyengine.deploy.choice import Choice
from policyengine.deploy.functions import (
    EVENTS,
    POLICY_PATH,
    REMEDIATION,
    ROLE_PREFIX,
    function_role,
    role_arn,
    role_id,
    role_name,
)
from policyengine.deploy.parts import allow, arn_of, document, filled, ref, resource, service_trust, sub
from policyengine.deploy.storage import TAGS
from policyengine.iam.catalogue import catalogue
from policyengine.remediate.declaration import Declaration
from policyengine.remediate.planning import parameters_of

Json = dict[str, Any]
PARAMETER: Final = "{parameter."


def repairs(choice: Choice) -> Json:
    """Return the roles and the SSM document."""
    found: Json = {}
    for declaration in choice.remediations:
        found |= _role(declaration, parameters_of(declaration, choice.settings.remediation))
    if choice.remediations:
        found |= _ssm()
    return found


def _role(declaration: Declaration, parameters: Mapping[str, Any]) -> Json:
    id = role_id(declaration.id)
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": [function_role(function) for function in (EVENTS, REMEDIATION)]},
        "Action": "sts:AssumeRole",
    }
    return {
        f"{id}Role": resource(
            "AWS::IAM::Role",
            {
                "RoleName": sub(role_name(declaration.id)),
                "Description": f"policyengine: {declaration.title}"[:1000],
                "AssumeRolePolicyDocument": document([trust]),
                "MaxSessionDuration": 3600,
                "Tags": TAGS,
            },
            DependsOn=[f"{function.id}Role" for function in (EVENTS, REMEDIATION)],
        ),
        f"{id}Policy": resource(
            "AWS::IAM::ManagedPolicy",
            {
                "Path": sub(POLICY_PATH),
                "Description": f"policyengine: what the remediation {declaration.id} does",
                "Roles": [ref(f"{id}Role")],
                "PolicyDocument": document(statements(declaration, parameters)),
            },
        ),
    }


def statements(declaration: Declaration, parameters: Mapping[str, Any]) -> list[Json]:
    """Return what a remediation's role allows: its operations' actions, on the ARNs it declares, under the conditions it
    declares, and nothing else. Actions with the same resources and conditions share a statement."""
    granted: dict[str, tuple[str, ...]] = {}
    for operation in sorted(declaration.operations):
        scope = tuple(declaration.scope.get(operation, ("*",)))
        for action in actions_for(operation):
            known = granted.get(published(action), ())
            granted[published(action)] = tuple(dict.fromkeys((*known, *scope)))
    granted |= {action: tuple(arns) for action, arns in declaration.also.items()}
    alike: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for action, scope in granted.items():
        arns = tuple(arn for each in scope for arn in _arns(each, parameters))
        if arns:
            condition = json.dumps(declaration.conditions.get(action, {}), sort_keys=True)
            alike.setdefault((arns, condition), []).append(action)
    found = [
        allow(
            sorted(actions),
            "*" if "*" in arns else [filled(arn) for arn in arns],
            _conditions(json.loads(condition)),
        )
        for (arns, condition), actions in sorted(alike.items())
    ]
    changing = sorted(action for action in granted if action.startswith("iam:") and not _reads(action))
    if changing:  # INVARIANT: no remediation changes what remediations may do
        policies = f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy{POLICY_PATH}*"
        own = [role_arn("${Name}-*"), sub(policies)]
        found.append({"Sid": "NotOwn", "Effect": "Deny", "Action": changing, "Resource": own})
    return found


def _reads(action: str) -> bool:
    known = catalogue().action(action)
    return known is not None and known.access_level in ("Read", "List")


def _arns(template: str, parameters: Mapping[str, Any]) -> list[str]:
    """An ARN that a parameter holds is that one; one that nobody set is none."""
    if not template.startswith(PARAMETER):
        return [template]
    value = parameters.get(template.removeprefix(PARAMETER).removesuffix("}"))
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str) and each]


def _conditions(tests: Mapping[str, Mapping[str, list[str]]]) -> Json:
    return {
        operator: {key: [filled(v) for v in values] for key, values in keys.items()}
        for operator, keys in tests.items()
    }


def published(action: str) -> str:
    """Return an action as the service authorization reference spells it."""
    known = catalogue().action(action)
    return action if known is None else known.name


def _ssm() -> Json:
    """One document for every remediation: it calls the kernel, which reads and judges again.

    AWS Config may call it by hand; nothing here makes it automatic, because a custom rule's NON_COMPLIANT may stand for
    "not determined".
    """
    invoke = allow(["lambda:InvokeFunction"], arn_of(REMEDIATION.id))
    own = {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}}
    return {
        "AutomationRole": resource(
            "AWS::IAM::Role",
            {
                "RoleName": sub(f"{ROLE_PREFIX}automation"),
                "Description": "policyengine: what the SSM document calls the remediation function as",
                "AssumeRolePolicyDocument": service_trust("ssm.amazonaws.com", condition=own),
                "Tags": TAGS,
            },
        ),
        "AutomationPolicy": resource(
            "AWS::IAM::ManagedPolicy",
            {
                "Path": sub(POLICY_PATH),
                "Description": "policyengine: calling the remediation function",
                "Roles": [ref("AutomationRole")],
                "PolicyDocument": document([invoke]),
            },
        ),
        "RepairDocument": resource(
            "AWS::SSM::Document",
            {
                "Name": sub("${Name}-repair"),
                "DocumentType": "Automation",
                "DocumentFormat": "JSON",
                "UpdateMethod": "NewVersion",
                "Content": _automation(),
                "Tags": TAGS,
            },
        ),
    }


def _automation() -> Json:
    """https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-lambda.html"""
    names = ("Rule", "ResourceType", "ResourceId", "Account", "Region", "RequestedBy")
    payload = {
        "rule": "{{ Rule }}",
        "resource_type": "{{ ResourceType }}",
        "resource_id": "{{ ResourceId }}",
        "account": "{{ Account }}",
        "region": "{{ Region }}",
        "requested_by": "{{ RequestedBy }}",
    }
    return {
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
                    "FunctionName": sub("${Name}-remediation"),
                    "InvocationType": "RequestResponse",
                    "InputPayload": payload,
                },
            }
        ],
    }
