"""The templates: one stack of everything, a conformance pack, and the StackSet that puts the stack into every account."""

from __future__ import annotations

import json
from typing import Any, Final

from policyengine.deploy.choice import Choice
from policyengine.deploy.functions import CONFIG_RULE, functions
from policyengine.deploy.listening import config_rule, config_rules, event_rules
from policyengine.deploy.package import RUNTIME
from policyengine.deploy.parts import arn_of, ref, sub
from policyengine.deploy.repairs import repairs
from policyengine.deploy.storage import TAG_PARAMETERS, TAGS, storage
from policyengine.model.errors import UsageError

Json = dict[str, Any]
MOST_BYTES: Final = 1_000_000
"""Of a template that lies in S3 (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html)."""
RUNTIMES: Final = ("python3.11", "python3.12", "python3.13", "python3.14")


def stack(choice: Choice, *, security_hub: bool = False) -> Json:
    """Return the template of one account and region. Raises UsageError for one that is too large."""
    resources = {
        **storage(),
        **functions(choice),
        **repairs(choice),
        **config_rules(choice),
        **event_rules(choice, security_hub=security_hub),
    }
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"policyengine: {len(choice.pack.rules)} rules, {len(choice.remediations)} remediations",
        "Parameters": parameters(),
        "Conditions": {"IsHome": {"Fn::Equals": [ref("AWS::Region"), "us-east-1"]}},
        "Resources": resources,
        "Outputs": {
            "Queue": {"Description": "Where events wait", "Value": ref("Events")},
            "DeadLetters": {
                "Description": "Redrive it when its alarm has gone off",
                "Value": arn_of("DeadLetters"),
            },
            "Table": {"Description": "Actions, journal and verdicts", "Value": ref("Actions")},
            "ConfigRuleFunction": {"Description": "What Config rules call", "Value": arn_of(CONFIG_RULE.id)},
            "AlarmTopic": {"Description": "Subscribe to it", "Value": ref("Alarms")},
        },
    }
    if not _has_home(resources):
        del template["Conditions"]
    if len(json.dumps(template, separators=(",", ":"))) > MOST_BYTES:
        raise UsageError("the template would be larger than CloudFormation takes; choose fewer rules")
    return template


def _has_home(resources: Json) -> bool:
    return any(each.get("Condition") == "IsHome" for each in resources.values())


def parameters() -> Json:
    """Return the parameters of every stack: where the zip is, names, tags."""
    return {
        "Name": {
            "Type": "String",
            "Default": "policyengine",
            "Description": "Begins the name of everything that has one; another name for a second stack in an account",
            "AllowedPattern": "[a-z][a-z0-9-]{1,15}",
        },
        "CodeBucketPrefix": {
            "Type": "String",
            "Description": "The zip of `policyengine deploy package` lies in the bucket PREFIX-REGION of each region",
            "AllowedPattern": "[a-z0-9][a-z0-9.-]{1,40}[a-z0-9]",
        },
        "CodeKey": {
            "Type": "String",
            "Description": "Key of the zip; its name holds the digest, so that another zip is another key",
            "AllowedPattern": "[!-~]{1,1024}",
        },
        "Architecture": {
            "Type": "String",
            "Default": "arm64",
            "AllowedValues": ["arm64", "x86_64"],
            "Description": "The zip serves both",
        },
        "Runtime": {
            "Type": "String",
            "Default": RUNTIME,
            "AllowedValues": list(RUNTIMES),
            "Description": "The zip holds bytecode for its own version and runs on later ones",
        },
        **_tag_parameters(),
    }


def _tag_parameters() -> Json:
    """What an organisation asks for on every resource is asked for here too."""
    return {
        name: {"Type": "String", "Default": default, "Description": f"Tag {name} of every resource"}
        for name, default in TAG_PARAMETERS.items()
    }


def conformance_pack(choice: Choice) -> Json:
    """Return the Config rules as a conformance pack over a function that is there already.

    https://docs.aws.amazon.com/config/latest/developerguide/custom-conformance-pack.html
    """
    rules = {
        f"Rule{number}": config_rule(choice, form, ref("ConfigRuleFunctionArn"), [])
        for number, form in enumerate(choice.pack.rules, 1)
    }
    return {
        "Parameters": {
            "ConfigRuleFunctionArn": {
                "Type": "String",
                "Description": "Output ConfigRuleFunction of the stack",
            }
        },
        "Resources": rules,
    }


def stack_set(choice: Choice) -> Json:
    """Return the StackSet that puts the stack into every account of organisational units, new ones as they come.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-manage-auto-deployment.html
    """
    names = tuple(parameters())
    member = [
        {
            "ParameterKey": name,
            "ParameterValue": ref(name),
        }
        for name in names
    ]
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"policyengine in every account: {len(choice.pack.rules)} rules",
        "Parameters": {
            **parameters(),
            "TemplateUrl": {
                "Type": "String",
                "Description": "URL in S3 of the template of `policyengine deploy render`",
            },
            "OrganizationalUnits": {"Type": "CommaDelimitedList", "Description": "Roots and OUs (r-…, ou-…)"},
            "Regions": {"Type": "CommaDelimitedList", "Description": "Regions, us-east-1 among them"},
        },
        "Resources": {
            "Members": {
                "Type": "AWS::CloudFormation::StackSet",
                "Properties": {
                    "StackSetName": sub("${Name}-members"),
                    "PermissionModel": "SERVICE_MANAGED",
                    "Capabilities": ["CAPABILITY_NAMED_IAM"],
                    "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
                    "ManagedExecution": {"Active": True},
                    "OperationPreferences": {"FailureTolerancePercentage": 5, "MaxConcurrentPercentage": 10},
                    "StackInstancesGroup": [
                        {
                            "DeploymentTargets": {"OrganizationalUnitIds": ref("OrganizationalUnits")},
                            "Regions": ref("Regions"),
                        }
                    ],
                    "TemplateURL": ref("TemplateUrl"),
                    "Parameters": member,
                    "Tags": TAGS,
                },
            }
        },
    }
