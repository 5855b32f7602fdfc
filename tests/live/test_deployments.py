"""Stacks over HTTP; environments of Beanstalk with answers as AWS documents them."""

from __future__ import annotations

import json
from typing import Any

from policyengine.model.values import Unresolved
from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict

REGION = "eu-north-1"
LOGS = {"Namespace": "aws:elasticbeanstalk:cloudwatch:logs", "OptionName": "StreamLogs"}
STACK = "AWS::CloudFormation::Stack"


def test_stacks_over_http(account: Any, aws: Any, collect: Any) -> None:
    template = json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
    client = aws("cloudformation", REGION)
    client.create_stack(
        StackName="good", TemplateBody=template, EnableTerminationProtection=True,
        Tags=[{"Key": "Owner", "Value": "me"}],
    )  # fmt: skip
    client.create_stack(StackName="plain", TemplateBody=template)
    found = {r.properties["StackName"]: r for r in collect(account, STACK, region=REGION)}
    good, plain = found["good"], found["plain"]
    assert good.id == good.arn == good.properties["StackId"]
    assert (good.tags, good.properties["StackStatus"]) == ({"Owner": "me"}, "CREATE_COMPLETE")
    assert [verdict("stack-termination-protection", r) for r in (good, plain)] == ["PASS", "FAIL"]


def test_nested_stacks_are_protected_by_their_root(canned: Any, collect: Any) -> None:
    arn = f"arn:aws:cloudformation:us-east-1:{MOTO_ACCOUNT}:stack/"
    common = {
        "StackStatus": "CREATE_COMPLETE",
        "Parameters": [{"ParameterKey": "P", "ParameterValue": "secret"}],
    }
    asked: list[str] = []
    stacks: list[Any] = [
        {**common, "StackName": "nested", "StackId": arn + "nested/1", "RootId": arn + "root/1"},
        {
            **common,
            "StackName": "root",
            "StackId": arn + "root/1",
            "DriftInformation": {"StackDriftStatus": "DRIFTED"},
        },
        {**common, "StackName": "lost", "StackId": arn + "lost/1", "RootId": arn + "hidden/1"},
        {
            **common,
            "StackName": "plain",
            "StackId": arn + "plain/1",
            "RoleARN": "arn:aws:iam::1:role/deploys",
        },
    ]

    def described(arguments: Any) -> Any:
        if "StackName" not in arguments:
            return {"Stacks": stacks}
        asked.append(arguments["StackName"].removeprefix(arn))
        if asked[-1] == "hidden/1":
            return failure("cloudformation:DescribeStacks", "AccessDenied")
        return {"Stacks": [{"StackName": "n", "EnableTerminationProtection": asked[-1] == "root/1"}]}

    found = collect(canned({"cloudformation:DescribeStacks": described}), STACK)
    assert [verdict("stack-termination-protection", r) for r in found] == ["PASS", "PASS", "UNKNOWN", "FAIL"]
    assert asked == ["root/1", "hidden/1", "plain/1"]
    assert verdict("stack-not-drifted", found[1]) == "FAIL"
    assert isinstance(found[1].properties["Parameters"], Unresolved)
    assert "RoleARN" not in found[1].properties
    assert found[3].properties["RoleARN"] == "arn:aws:iam::1:role/deploys"


def test_environments_and_the_options_that_are_deployed(canned: Any, collect: Any) -> None:
    variable = {
        "Namespace": "aws:elasticbeanstalk:application:environment",
        "OptionName": "K",
        "Value": "secret",
    }
    arn = f"arn:aws:elasticbeanstalk:us-east-1:{MOTO_ACCOUNT}:environment/app/"
    environments = [
        {"EnvironmentName": name, "EnvironmentArn": arn + name, "ApplicationName": "app", "Status": status}
        for name, status in (
            ("good", "Ready"),
            ("plain", "Ready"),
            ("hidden", "Ready"),
            ("over", "Terminated"),
        )
    ]

    def settings(arguments: Any) -> Any:
        draft = {"DeploymentStatus": "pending", "OptionSettings": [{**LOGS, "Value": "true"}]}
        value = "true" if arguments["EnvironmentName"] == "good" else "false"
        deployed = {"DeploymentStatus": "deployed", "OptionSettings": [{**LOGS, "Value": value}, variable]}
        return {
            "ConfigurationSettings": [] if arguments["EnvironmentName"] == "hidden" else [draft, deployed]
        }

    account = canned({
        "elasticbeanstalk:DescribeEnvironments": {"Environments": environments},
        "elasticbeanstalk:DescribeConfigurationSettings": settings,
        "elasticbeanstalk:ListTagsForResource": {"ResourceTags": [{"Key": "Owner", "Value": "me"}]},
    })  # fmt: skip
    found = {
        r.properties["EnvironmentName"]: r for r in collect(account, "AWS::ElasticBeanstalk::Environment")
    }
    assert set(found) == {"good", "plain", "hidden"}
    good = found["good"]
    assert good.tags == {"Owner": "me"}
    given = {each["OptionName"]: each["Value"] for each in good.properties["OptionSettings"]}
    assert given["StreamLogs"] == "true"
    assert isinstance(given["K"], Unresolved)
    assert [verdict("beanstalk-logs-streamed", found[n]) for n in ("good", "plain", "hidden")] == [
        "PASS", "FAIL", "UNKNOWN",
    ]  # fmt: skip
