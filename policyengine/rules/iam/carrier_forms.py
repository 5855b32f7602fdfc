"""Which types run with a role, and what of them says with which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

PROFILE: Final = "AWS::IAM::InstanceProfile"
TASK_DEFINITION: Final = "AWS::ECS::TaskDefinition"
SERVICE: Final = "AWS::ECS::Service"
TASK: Final = "AWS::ECS::Task"
EC2: Final = "ec2.amazonaws.com"
TASKS: Final = "ecs-tasks.amazonaws.com"


class Form(NamedTuple):
    """Where a type names its role, who assumes it, and its ARN; ``names``: what may hold its name or ARN."""

    role: str
    service: str
    arn: str
    names: tuple[str, ...]


FORMS: Final[Mapping[str, Form]] = {
    "AWS::Lambda::Function": Form("Role", "lambda.amazonaws.com", "lambda:{r}:{a}:function:{n}", ("FunctionName",)),
    "AWS::EC2::Instance": Form("IamInstanceProfile", EC2, "ec2:{r}:{a}:instance/{n}", ("InstanceId",)),
    "AWS::EC2::LaunchTemplate": Form(
        "LaunchTemplateData.IamInstanceProfile", EC2, "ec2:{r}:{a}:instance/of-{n}", ("LaunchTemplateName",)
    ),
    "AWS::CloudFormation::Stack": Form(
        "RoleARN", "cloudformation.amazonaws.com", "cloudformation:{r}:{a}:stack/{n}/id", ("StackId", "StackName")
    ),
    "AWS::CodeBuild::Project": Form(
        "ServiceRole", "codebuild.amazonaws.com", "codebuild:{r}:{a}:project/{n}", ("Name",)
    ),
    "AWS::Glue::DevEndpoint": Form(
        "RoleArn", "glue.amazonaws.com", "glue:{r}:{a}:devEndpoint/{n}", ("EndpointName",)
    ),
    "AWS::SageMaker::NotebookInstance": Form(
        "RoleArn", "sagemaker.amazonaws.com", "sagemaker:{r}:{a}:notebook-instance/{n}", ("NotebookInstanceName",)
    ),
    SERVICE: Form("TaskDefinition", TASKS, "ecs:{r}:{a}:task/of-{n}/1", ("ServiceName",)),
    TASK: Form("TaskDefinitionArn", TASKS, "ecs:{r}:{a}:task/{n}", ("TaskArn",)),
    "AWS::AppRunner::Service": Form(
        "InstanceConfiguration.InstanceRoleArn", "tasks.apprunner.amazonaws.com",
        "apprunner:{r}:{a}:service/{n}/1", ("ServiceArn", "ServiceName"),
    ),
    "AWS::BedrockAgentCore::CodeInterpreterCustom": Form(
        "ExecutionRoleArn", "bedrock-agentcore.amazonaws.com",
        "bedrock-agentcore:{r}:{a}:code-interpreter-custom/{n}", ("CodeInterpreterArn", "Name"),
    ),
}  # fmt: skip
"""ARNs as the catalogue of actions has them; a task of a service, and an instance of a launch template, have
none before they run, so one is made up."""

TYPES: Final = frozenset({*FORMS, PROFILE, TASK_DEFINITION})
READ: Final = tuple(
    sorted(
        {
            *(form.role.partition(".")[0] for form in FORMS.values()),
            *(name for form in FORMS.values() for name in form.names),
            "Arn", "EnableExecuteCommand", "TaskRoleArn", "Roles", "InstanceProfileName", "TaskDefinitionArn",
        }
    )
)  # fmt: skip
"""The properties that ``carriers`` looks at, besides what every resource has; ``running`` relies on it."""
SERVICES: Final = frozenset(form.service for form in FORMS.values())
