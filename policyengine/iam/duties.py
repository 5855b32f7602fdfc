"""Who does what around a delivery pipeline, as data: duties, and the requests each of them is made of.

A duty is held by whoever may make all requests of one of its deeds. What a request is about is named by a
word (``repository``, ``stage``, …) that whoever reads a pipeline fills with ARNs. Actions and their keys are
those of the Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

ANY: Final = "example"
"""Stands for any value of a key: CodeBuild's keys for whole fields only tell whether the field is there."""

_CODEBUILD: Final = "https://docs.aws.amazon.com/codebuild/latest/userguide"
_CODECOMMIT: Final = "https://docs.aws.amazon.com/codecommit/latest/userguide/auth-and-access-control-permissions-reference.html"
_CODEPIPELINE: Final = "https://docs.aws.amazon.com/codepipeline/latest/userguide"
_REFERENCE: Final = "https://docs.aws.amazon.com/service-authorization/latest/reference"


class Need(NamedTuple):
    """One request: an action on what a word stands for, with these keys (None: absent; others are free)."""

    action: str
    on: str
    context: tuple[tuple[str, str | None], ...] = ()


class Deed(NamedTuple):
    """Requests that are needed together, those on the same word about the same thing."""

    needs: tuple[Need, ...]
    reference: str


class Duty(NamedTuple):
    """``verb``: what whoever holds it can do, in words."""

    verb: str
    deeds: tuple[Deed, ...]


def _each(on: str, reference: str, actions: str) -> tuple[Deed, ...]:
    return tuple(Deed((Need(action, on),), reference) for action in actions.split())


_BUILD_KEYS: Final = f"{_CODEBUILD}/action-context-keys.html"
_OVERRIDES: Final[tuple[tuple[str, str], ...]] = (
    ("codebuild:source.buildspec", ANY),
    ("codebuild:source.location", ANY),
    ("codebuild:environment.image", ANY),
    ("codebuild:environment.privilegedMode", "true"),
)
"""Fields of StartBuild with which a build does what the project does not say."""
_OVERRIDING: Final = (
    *(
        Deed((Need(action, "project", (override,)),), _BUILD_KEYS)
        for override in _OVERRIDES
        for action in ("codebuild:StartBuild", "codebuild:StartBuildBatch")
    ),
    Deed(
        (
            Need("codebuild:StartBuild", "project", (("codebuild:serviceRole", ANY),)),
            Need("iam:PassRole", "any role", (("iam:PassedToService", "codebuild.amazonaws.com"),)),
        ),
        _BUILD_KEYS,
    ),
    Deed(
        (Need("codebuild:StartSandbox", "project"), Need("codebuild:StartCommandExecution", "sandbox")),
        f"{_CODEBUILD}/sandbox.html",
    ),
)
_PUSHING: Final = _each(
    "branch",
    _CODECOMMIT,
    "codecommit:GitPush codecommit:PutFile codecommit:CreateCommit codecommit:DeleteFile"
    " codecommit:MergeBranchesByFastForward codecommit:MergeBranchesBySquash"
    " codecommit:MergeBranchesByThreeWay codecommit:MergePullRequestByFastForward"
    " codecommit:MergePullRequestBySquash codecommit:MergePullRequestByThreeWay",
)
_PASSING: Final = (
    Deed(
        (
            Need("iam:PassRole", "pipeline role", (("iam:PassedToService", "codepipeline.amazonaws.com"),)),
            Need("codepipeline:CreatePipeline", "new pipeline"),
        ),
        f"{_CODEPIPELINE}/security_iam_troubleshoot.html",
    ),
    Deed(
        (
            Need("iam:PassRole", "build role", (("iam:PassedToService", "codebuild.amazonaws.com"),)),
            Need("codebuild:CreateProject", "new project"),
            Need("codebuild:StartBuild", "new project"),
        ),
        f"{_CODEBUILD}/setting-up-service-role.html",
    ),
)

DUTIES: Final[Mapping[str, Duty]] = {
    "commit": Duty(
        "commit",
        (
            *_PUSHING,
            *_each("source object", f"{_CODEPIPELINE}/action-reference-S3.html", "s3:PutObject"),
            *_each("source image", f"{_CODEPIPELINE}/action-reference-ECR.html", "ecr:PutImage"),
            Deed(
                (Need("codeconnections:UseConnection", "connection"),),
                f"{_REFERENCE}/list_awscodeconnections.html",
            ),
            Deed(
                (Need("codestar-connections:UseConnection", "old connection"),),
                f"{_REFERENCE}/list_awscodestarconnections.html",
            ),
            *_OVERRIDING,
        ),
    ),
    "push-anywhere": Duty(
        "push to some branch", _each("repository", _CODECOMMIT, "codecommit:GitPush codecommit:CreateCommit")
    ),
    "override-build": Duty("start builds that do what the project does not say", _OVERRIDING),
    "approve": Duty(
        "approve",
        _each(
            "approval", f"{_CODEPIPELINE}/approvals-iam-permissions.html", "codepipeline:PutApprovalResult"
        ),
    ),
    "change-pipeline": Duty(
        "change the pipeline",
        (
            *_each(
                "pipeline",
                f"{_CODEPIPELINE}/permissions-reference.html",
                "codepipeline:UpdatePipeline codepipeline:DeletePipeline",
            ),
            *_each(
                "stage",
                f"{_CODEPIPELINE}/permissions-reference.html",
                "codepipeline:OverrideStageCondition codepipeline:EnableStageTransition",
            ),
            *_PASSING,
        ),
    ),
    "change-build": Duty(
        "change the build project",
        _each(
            "project",
            f"{_REFERENCE}/list_awscodebuild.html",
            "codebuild:UpdateProject codebuild:UpdateWebhook",
        ),
    ),
    "change-roles": Duty(
        "change what the pipeline's roles may do",
        _each(
            "role",
            f"{_REFERENCE}/list_awsidentityandaccessmanagementiam.html",
            "iam:PutRolePolicy iam:AttachRolePolicy iam:DeleteRolePolicy iam:DetachRolePolicy"
            " iam:UpdateAssumeRolePolicy iam:DeleteRolePermissionsBoundary iam:PutRolePermissionsBoundary",
        )
        + _each(
            "role policy",
            f"{_REFERENCE}/list_awsidentityandaccessmanagementiam.html",
            "iam:CreatePolicyVersion iam:SetDefaultPolicyVersion",
        ),
    ),
    "change-review": Duty(
        "set aside the approval rules of pull requests",
        _each(
            "repository",
            _CODECOMMIT,
            "codecommit:OverridePullRequestApprovalRules codecommit:DeletePullRequestApprovalRule"
            " codecommit:UpdatePullRequestApprovalRuleContent"
            " codecommit:DisassociateApprovalRuleTemplateFromRepository"
            " codecommit:BatchDisassociateApprovalRuleTemplateFromRepositories",
        )
        + _each(
            "approval rules",
            _CODECOMMIT,
            "codecommit:UpdateApprovalRuleTemplateContent codecommit:DeleteApprovalRuleTemplate",
        ),
    ),
    "release": Duty(
        "start the pipeline with a revision of their choice",
        _each(
            "pipeline",
            f"{_CODEPIPELINE}/pipelines-trigger-source-overrides.html",
            "codepipeline:StartPipelineExecution",
        ),
    ),
    "write-artifacts": Duty(
        "write to the artifact bucket",
        _each("artifact", f"{_CODEPIPELINE}/concepts.html", "s3:PutObject")
        + _each("artifact bucket", f"{_CODEPIPELINE}/concepts.html", "s3:PutBucketPolicy"),
    ),
    "write-source": Duty(
        "write the source object",
        _each("source object", f"{_CODEPIPELINE}/action-reference-S3.html", "s3:PutObject"),
    ),
    "push-image": Duty(
        "push an image under a tag that exists",
        _each(
            "image",
            "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html",
            "ecr:PutImage",
        ),
    ),
    "deploy": Duty(
        "deploy past the pipeline",
        (
            *_each(
                "function",
                f"{_REFERENCE}/list_awslambda.html",
                "lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration lambda:UpdateAlias",
            ),
            *_each("service", f"{_REFERENCE}/list_amazonelasticcontainerservice.html", "ecs:UpdateService"),
            *_each("stack", f"{_REFERENCE}/list_awscloudformation.html", "cloudformation:UpdateStack"),
            Deed(
                (
                    Need("cloudformation:CreateChangeSet", "stack"),
                    Need("cloudformation:ExecuteChangeSet", "stack"),
                ),
                f"{_REFERENCE}/list_awscloudformation.html",
            ),
            *_each(
                "deployment group", f"{_REFERENCE}/list_awscodedeploy.html", "codedeploy:CreateDeployment"
            ),
            *_each("deployed object", f"{_REFERENCE}/list_amazons3.html", "s3:PutObject"),
            *_each(
                "environment",
                f"{_REFERENCE}/list_awselasticbeanstalk.html",
                "elasticbeanstalk:UpdateEnvironment",
            ),
        ),
    ),
}
"""Approving a colleague's pull request is no duty here: CodeCommit refuses the author's own approval
(https://docs.aws.amazon.com/codecommit/latest/APIReference/API_UpdatePullRequestApprovalState.html)."""
