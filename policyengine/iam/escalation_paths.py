"""The known ways by which a principal of AWS gets permissions that it was not given, as data.

Each path names the requests it needs and what they give. The requests were taken from the published
research that ``reference`` names, mostly pathfinding.cloud's catalogue, and the actions from AWS's service
authorization reference. A path that nobody has published is not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

On = Literal["self", "own policy", "own group", "group", "user", "role", "new user", "carrier", "any"]
"""What a request must be about: the principal itself, a customer managed policy attached to it, a group it
is in; another group, another user, a role; a user it makes; a resource that runs with a role; anything."""

Gives = Literal[
    "anything", "no boundary", "group", "user", "user anything", "role", "role anything", "new user"
]
"""The principal with any policy, without its boundary, or with a group's policies; what a user or a role
may do; the same with any policy added; a new user with any policy and no boundary."""


class Need(NamedTuple):
    """One request: ``kind`` is the type of resource it must be about, where the action takes several;
    ``context`` the keys AWS puts into it."""

    action: str
    on: On = "any"
    kind: str = ""
    context: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """One way up. ``service``: the role must trust it (``carrier`` in the needs: the resource's role does);
    ``holder``: only a user or only a role can go it."""

    id: str
    needs: tuple[Need, ...]
    gives: Gives
    reference: str
    service: str | None = None
    holder: Literal["user", "role"] | None = None
    open_trust: bool = False
    """Whether the path rewrites the role's trust policy, so that it need not trust anybody before."""
    only: tuple[str, ...] = ()
    """The actions that what it gives is good for; none: all."""


ADMINISTRATOR: Final = "arn:aws:iam::aws:policy/AdministratorAccess"
"""https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html"""
_SITE: Final = "https://pathfinding.cloud/paths/"
_RHINO: Final = "https://rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation/"
_BOUNDARIES: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"
_BEDROCK_KEYS: Final = "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-permissions.html"
_ADMIN: Final = (("iam:PolicyARN", ADMINISTRATOR),)
_ASSUME: Final = Need("sts:AssumeRole", "role")


def _iam(
    number: int,
    gives: Gives,
    *needs: Need,
    holder: Literal["user", "role"] | None = None,
    trust: bool = False,
) -> Path:
    name = "+".join(n.action for n in needs)
    return Path(name, needs, gives, f"{_SITE}iam-{number:03}", None, holder, trust)


def _pass(service: str, reference: str, *needs: Need | str) -> Path:
    """Return the path that hands a role to something new which runs with it."""
    told = Need("iam:PassRole", "role", "", (("iam:PassedToService", service),))
    wanted = tuple(Need(n) if isinstance(n, str) else n for n in needs)
    name = "+".join(["iam:PassRole", *(n.action for n in wanted)])
    return Path(name, (told, *wanted), "role", f"{_SITE}{reference}", service)


def _use(service: str, reference: str, *needs: Need) -> Path:
    """Return the path through something that is there and runs with a role."""
    name = "+".join(n.action for n in needs)
    url = reference if reference.startswith("https:") else f"{_SITE}{reference}"
    return Path(name, needs, "role", url, service)


def _on(action: str, kind: str = "") -> Need:
    return Need(action, "carrier", kind)


_SELF: Final = (
    _iam(1, "anything", Need("iam:CreatePolicyVersion", "own policy")),
    _iam(2, "anything", Need("iam:SetDefaultPolicyVersion", "own policy")),
    _iam(7, "anything", Need("iam:AttachUserPolicy", "self", "", _ADMIN), holder="user"),
    _iam(8, "anything", Need("iam:AttachGroupPolicy", "own group", "", _ADMIN), holder="user"),
    _iam(9, "anything", Need("iam:AttachRolePolicy", "self", "", _ADMIN), holder="role"),
    _iam(10, "anything", Need("iam:PutUserPolicy", "self"), holder="user"),
    _iam(11, "anything", Need("iam:PutGroupPolicy", "own group"), holder="user"),
    _iam(5, "anything", Need("iam:PutRolePolicy", "self"), holder="role"),
    _iam(13, "group", Need("iam:AddUserToGroup", "group"), holder="user"),
    Path("iam:DeleteUserPermissionsBoundary", (Need("iam:DeleteUserPermissionsBoundary", "self"),),
         "no boundary", _BOUNDARIES, None, "user"),
    Path("iam:DeleteRolePermissionsBoundary", (Need("iam:DeleteRolePermissionsBoundary", "self"),),
         "no boundary", _BOUNDARIES, None, "role"),
    Path("iam:PutUserPermissionsBoundary",
         (Need("iam:PutUserPermissionsBoundary", "self", "", (("iam:PermissionsBoundary", ADMINISTRATOR),)),),
         "no boundary", _BOUNDARIES, None, "user"),
    Path("iam:PutRolePermissionsBoundary",
         (Need("iam:PutRolePermissionsBoundary", "self", "", (("iam:PermissionsBoundary", ADMINISTRATOR),)),),
         "no boundary", _BOUNDARIES, None, "role"),
)  # fmt: skip
_OTHERS: Final = (
    _iam(4, "user", Need("iam:CreateAccessKey", "user")),
    _iam(5, "user", Need("iam:CreateLoginProfile", "user")),
    _iam(6, "user", Need("iam:UpdateLoginProfile", "user")),
    Path("iam:CreateServiceSpecificCredential", (Need("iam:CreateServiceSpecificCredential", "user"),), "user",
         _BEDROCK_KEYS, None, None, False, ("bedrock:*", "bedrock-mantle:*", "codecommit:*", "cassandra:*")),
    Path("sts:AssumeRole", (_ASSUME,), "role", f"{_SITE}sts-001"),
    _iam(12, "role", Need("iam:UpdateAssumeRolePolicy", "role"), trust=True),
    Path("iam:AttachRolePolicy+sts:AssumeRole", (Need("iam:AttachRolePolicy", "role", "", _ADMIN), _ASSUME),
         "role anything", _RHINO),
    Path("iam:PutRolePolicy+sts:AssumeRole", (Need("iam:PutRolePolicy", "role"), _ASSUME),
         "role anything", _RHINO),
    _iam(19, "role anything", Need("iam:AttachRolePolicy", "role", "", _ADMIN),
         Need("iam:UpdateAssumeRolePolicy", "role"), trust=True),
    _iam(21, "role anything", Need("iam:PutRolePolicy", "role"),
         Need("iam:UpdateAssumeRolePolicy", "role"), trust=True),
    Path("iam:AttachUserPolicy+iam:CreateAccessKey",
         (Need("iam:AttachUserPolicy", "user", "", _ADMIN), Need("iam:CreateAccessKey", "user")),
         "user anything", _RHINO),
    Path("iam:PutUserPolicy+iam:CreateAccessKey",
         (Need("iam:PutUserPolicy", "user"), Need("iam:CreateAccessKey", "user")), "user anything", _RHINO),
    Path("iam:CreateUser+iam:AttachUserPolicy+iam:CreateAccessKey",
         (Need("iam:CreateUser", "new user"), Need("iam:AttachUserPolicy", "new user", "", _ADMIN),
          Need("iam:CreateAccessKey", "new user")), "new user", f"{_SITE}iam-017"),
    Path("iam:CreateUser+iam:PutUserPolicy+iam:CreateAccessKey",
         (Need("iam:CreateUser", "new user"), Need("iam:PutUserPolicy", "new user"),
          Need("iam:CreateAccessKey", "new user")), "new user", f"{_SITE}iam-018"),
)  # fmt: skip
_FUNCTION: Final = Need("lambda:CreateFunction")
_PASSED: Final = (
    _pass("ec2.amazonaws.com", "ec2-001", Need("ec2:RunInstances", "any", "instance")),
    _pass("ec2.amazonaws.com", "ec2-003", "ec2:RequestSpotInstances"),
    _pass("ec2.amazonaws.com", "ec2-001", Need("ec2:AssociateIamInstanceProfile", "any", "instance"),
          Need("ssm:SendCommand", "any", "instance")),
    _pass("lambda.amazonaws.com", "lambda-001", _FUNCTION, "lambda:InvokeFunction"),
    _pass("lambda.amazonaws.com", "lambda-002", _FUNCTION, "lambda:CreateEventSourceMapping"),
    _pass("lambda.amazonaws.com", "lambda-006", _FUNCTION, "lambda:AddPermission"),
    _pass("glue.amazonaws.com", "glue-001", "glue:CreateDevEndpoint"),
    _pass("glue.amazonaws.com", "glue-003", "glue:CreateJob", "glue:StartJobRun"),
    _pass("glue.amazonaws.com", "glue-004", "glue:CreateJob", "glue:CreateTrigger"),
    _pass("glue.amazonaws.com", "glue-005", "glue:UpdateJob", "glue:StartJobRun"),
    _pass("glue.amazonaws.com", "glue-006", "glue:UpdateJob", "glue:CreateTrigger"),
    _pass("cloudformation.amazonaws.com", "cloudformation-001", "cloudformation:CreateStack"),
    _pass("cloudformation.amazonaws.com", "cloudformation-002", "cloudformation:UpdateStack"),
    _pass("cloudformation.amazonaws.com", "cloudformation-003", "cloudformation:CreateStackSet",
          "cloudformation:CreateStackInstances"),
    _pass("cloudformation.amazonaws.com", "cloudformation-004", "cloudformation:UpdateStackSet"),
    _pass("cloudformation.amazonaws.com", "cloudformation-005", "cloudformation:CreateChangeSet",
          "cloudformation:ExecuteChangeSet"),
    _pass("datapipeline.amazonaws.com", "datapipeline-001", "datapipeline:CreatePipeline",
          "datapipeline:PutPipelineDefinition", "datapipeline:ActivatePipeline"),
    _pass("sagemaker.amazonaws.com", "sagemaker-001", "sagemaker:CreateNotebookInstance",
          "sagemaker:CreatePresignedNotebookInstanceUrl"),
    _pass("sagemaker.amazonaws.com", "sagemaker-002", "sagemaker:CreateTrainingJob"),
    _pass("sagemaker.amazonaws.com", "sagemaker-003", "sagemaker:CreateProcessingJob"),
    _pass("codebuild.amazonaws.com", "codebuild-001", "codebuild:CreateProject", "codebuild:StartBuild"),
    _pass("codebuild.amazonaws.com", "codebuild-004", "codebuild:CreateProject", "codebuild:StartBuildBatch"),
    _pass("ecs-tasks.amazonaws.com", "ecs-004", "ecs:RegisterTaskDefinition", "ecs:RunTask"),
    _pass("ecs-tasks.amazonaws.com", "ecs-005", "ecs:RegisterTaskDefinition", "ecs:StartTask"),
    _pass("ecs-tasks.amazonaws.com", "ecs-003", "ecs:RegisterTaskDefinition", "ecs:CreateService"),
    _pass("ecs-tasks.amazonaws.com", "batch-001", "batch:RegisterJobDefinition", "batch:SubmitJob"),
    _pass("tasks.apprunner.amazonaws.com", "apprunner-001", "apprunner:CreateService"),
    _pass("bedrock-agentcore.amazonaws.com", "bedrock-001", "bedrock-agentcore:CreateCodeInterpreter",
          "bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"),
)  # fmt: skip
_CARRIED: Final = (
    _use("lambda.amazonaws.com", "lambda-003", _on("lambda:UpdateFunctionCode")),
    _use("lambda.amazonaws.com", "https://rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation-part-2/",
         _on("lambda:UpdateFunctionConfiguration")),
    _use("ec2.amazonaws.com", "ssm-002", _on("ssm:SendCommand", "instance")),
    _use("ec2.amazonaws.com", "ssm-001", _on("ssm:StartSession", "instance")),
    _use("ec2.amazonaws.com", "ec2instanceconnect-003", _on("ec2-instance-connect:SendSSHPublicKey", "instance")),
    _use("ec2.amazonaws.com", "ec2-002", _on("ec2:ModifyInstanceAttribute", "instance"),
         _on("ec2:StopInstances", "instance"), _on("ec2:StartInstances", "instance")),
    _use("cloudformation.amazonaws.com", "cloudformation-002", _on("cloudformation:UpdateStack", "stack")),
    _use("cloudformation.amazonaws.com", "cloudformation-005", _on("cloudformation:CreateChangeSet", "stack"),
         _on("cloudformation:ExecuteChangeSet", "stack")),
    _use("codebuild.amazonaws.com", "codebuild-002", _on("codebuild:StartBuild", "project")),
    _use("codebuild.amazonaws.com", "codebuild-003", _on("codebuild:StartBuildBatch", "project")),
    _use("glue.amazonaws.com", "glue-002", _on("glue:UpdateDevEndpoint")),
    _use("sagemaker.amazonaws.com", "sagemaker-004", _on("sagemaker:CreatePresignedNotebookInstanceUrl")),
    _use("sagemaker.amazonaws.com", "sagemaker-005", Need("sagemaker:CreateNotebookInstanceLifecycleConfig"),
         _on("sagemaker:StopNotebookInstance"), _on("sagemaker:UpdateNotebookInstance", "notebook-instance"),
         _on("sagemaker:StartNotebookInstance")),
    _use("ecs-tasks.amazonaws.com", "ecs-006", _on("ecs:ExecuteCommand", "task")),
    _use("tasks.apprunner.amazonaws.com", "apprunner-002", _on("apprunner:UpdateService", "service")),
    _use("bedrock-agentcore.amazonaws.com", "bedrock-002",
         _on("bedrock-agentcore:StartCodeInterpreterSession"), _on("bedrock-agentcore:InvokeCodeInterpreter")),
)  # fmt: skip

PATHS: Final[tuple[Path, ...]] = (*_SELF, *_OTHERS, *_PASSED, *_CARRIED)
