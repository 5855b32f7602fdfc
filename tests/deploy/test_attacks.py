"""Who may do what with the stack, and that it can stand in several regions and accounts at a time."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from policyengine.deploy.functions import EVENTS, REMEDIATION
from policyengine.deploy.template import RUNTIMES, parameters, stack, stack_set
from tests.deploy.test_template import default, rendered

Json = dict[str, Any]
LONGEST_REGION = "ap-southeast-99"
SERVICES_WITH_SOURCE = ("events.amazonaws.com", "cloudwatch.amazonaws.com", "ssm.amazonaws.com", "sns.amazonaws.com", "config.amazonaws.com")  # fmt: skip


def resources(type: str) -> dict[str, Json]:
    found = json.loads(rendered())["Resources"]
    return {name: each["Properties"] for name, each in found.items() if each["Type"] == type}


def named(value: Any, **parameters: str) -> str:
    text: str = value["Fn::Sub"] if isinstance(value, dict) else value
    given = {"AWS::Region": "eu-west-1", "AWS::AccountId": "111122223333", "AWS::Partition": "aws", "Name": "policyengine", **parameters}  # fmt: skip
    return re.sub(r"\$\{([^}]+)\}", lambda m: given[m[1]], text)


def test_two_regions_of_an_account_can_have_it() -> None:
    """Role names are an account's: the stack of the second region would not be made
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: unique within the account)."""
    roles = [each["RoleName"] for each in resources("AWS::IAM::Role").values() if "RoleName" in each]
    here, there = (
        {named(role, **{"AWS::Region": region}) for role in roles} for region in ("eu-west-1", "us-east-1")
    )
    assert len(here) == len(roles) > 30 and here.isdisjoint(there)
    for type in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
        assert not any("ManagedPolicyName" in each for each in resources(type).values())


def test_no_role_name_is_too_long() -> None:
    """At most 64 characters (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html), whatever the name of
    the stack and the region are."""
    form = parameters()["Name"]["AllowedPattern"]
    longest = "n" * max(n for n in range(1, 64) if re.fullmatch(form, "n" * n))
    for each in resources("AWS::IAM::Role").values():
        if "RoleName" in each:
            assert len(named(each["RoleName"], Name=longest, **{"AWS::Region": LONGEST_REGION})) <= 64


def test_the_function_assumes_the_roles_that_there_are() -> None:
    """What it makes of its prefix and a remediation's id is the name of a role that lets it in."""
    prefix = named(
        resources("AWS::Lambda::Function")[EVENTS.id]["Environment"]["Variables"]["POLICYENGINE_ROLE_PREFIX"]
    )
    roles = {named(r["RoleName"]): r for r in resources("AWS::IAM::Role").values() if "RoleName" in r}
    for declaration in default().remediations:
        trust = roles[f"{prefix}{declaration.id.replace('_', '-')}"]["AssumeRolePolicyDocument"]["Statement"]
        let_in = {named(arn).rpartition("/")[2] for arn in trust[0]["Principal"]["AWS"]}
        assert len(trust) == 1 and let_in == {
            f"{prefix}{f.module.replace('_', '-')}" for f in (EVENTS, REMEDIATION)
        }
        assert let_in <= set(roles)


def test_the_stack_set_hands_on_every_parameter() -> None:
    made = stack_set(default())
    given = {each["ParameterKey"] for each in made["Resources"]["Members"]["Properties"]["Parameters"]}
    assert given == set(stack(default())["Parameters"]) and RUNTIMES
    assert given <= set(made["Parameters"])


def statements() -> list[tuple[str, Json]]:
    """Every statement of a policy that admits somebody: (resource, statement)."""
    found = []
    for name, each in json.loads(rendered())["Resources"].items():
        for member in ("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument"):
            for statement in each["Properties"].get(member, {}).get("Statement", ()):
                if "Principal" in statement and statement["Effect"] == "Allow":
                    found.append((name, statement))
    return found


def test_no_service_acts_for_another_account() -> None:
    """The confused deputy (https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html): a service that acts for
    anybody is admitted for this account only. Lambda assumes roles only for functions of their own account."""
    seen = set()
    for name, statement in statements():
        services = statement["Principal"].get("Service", [])
        for service in [services] if isinstance(services, str | dict) else services:
            if service in SERVICES_WITH_SOURCE:
                seen.add(service)
                said = json.dumps(statement.get("Condition", {}))
                assert "aws:SourceAccount" in said and "AWS::AccountId" in said, (name, statement)
    assert {"events.amazonaws.com", "cloudwatch.amazonaws.com", "ssm.amazonaws.com"} <= seen


def test_nobody_else_is_let_in() -> None:
    for name, statement in statements():
        principal = statement["Principal"]
        assert set(principal) <= {"Service", "AWS"}, name
        for arn in (
            [principal.get("AWS", [])] if isinstance(principal.get("AWS"), dict) else principal.get("AWS", [])
        ):
            assert "${AWS::AccountId}" in arn["Fn::Sub"] and "*" not in arn["Fn::Sub"], (name, arn)


def test_only_aws_config_may_call_a_function_from_outside() -> None:
    permissions = resources("AWS::Lambda::Permission")
    assert [each["Principal"] for each in permissions.values()] == ["config.amazonaws.com"]
    assert all(each["SourceAccount"] == {"Ref": "AWS::AccountId"} for each in permissions.values())


@pytest.mark.parametrize("queue", ["Events", "DeadLetters"])
def test_only_our_own_event_rules_send_to_the_queues(queue: str) -> None:
    (policy,) = (p for p in resources("AWS::SQS::QueuePolicy").values() if p["Queues"] == [{"Ref": queue}])
    (allowed,) = (s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow")
    assert (
        allowed["Principal"] == {"Service": "events.amazonaws.com"} and allowed["Action"] == "sqs:SendMessage"
    )
    assert allowed["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"].endswith(":rule/${Name}-*")


def test_what_cloudformation_names_itself_is_withheld_from_remediations_too() -> None:
    """Policies have no names of their own: CloudFormation names them after the stack, and a path tells them."""
    assert all(
        each["Path"] == {"Fn::Sub": "/${Name}-stack/"}
        for each in resources("AWS::IAM::ManagedPolicy").values()
    )
    assert all("RoleName" in each for each in resources("AWS::IAM::Role").values())
    own = [
        json.dumps(statement["Resource"])
        for each in resources("AWS::IAM::ManagedPolicy").values()
        for statement in each["PolicyDocument"]["Statement"]
        if statement.get("Sid") == "NotOwn"
    ]
    assert own
    for text in own:
        assert ":role/${Name}-*" in text and ":policy/${Name}-stack/*" in text
