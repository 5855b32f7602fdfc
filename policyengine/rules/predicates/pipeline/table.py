"""The predicates about delivery pipelines: what each is called and asked with.

Their answers come from ``pipeline_*`` modules, which load the reasoning library when a rule asks first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject

_PIPELINE: Final = "AWS::CodePipeline::Pipeline"
_PROJECT: Final = "AWS::CodeBuild::Project"
_REPOSITORY: Final = "AWS::ECR::Repository"
_IAM: Final = (
    "AWS::IAM::Group",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::IAM::User",
    "AWS::IAM::UserToGroupAddition",
)
_CARRIERS: Final = (
    "AWS::AppRunner::Service", "AWS::BedrockAgentCore::CodeInterpreterCustom", "AWS::CloudFormation::Stack",
    "AWS::EC2::Instance", "AWS::EC2::LaunchTemplate", "AWS::ECS::Service", "AWS::ECS::Task",
    "AWS::ECS::TaskDefinition", "AWS::Glue::DevEndpoint", "AWS::IAM::InstanceProfile", "AWS::Lambda::Function",
    "AWS::SageMaker::NotebookInstance",
)  # fmt: skip
"""What runs with roles, but for build projects."""
_NEEDS: Final = (
    *_IAM,
    _PROJECT,
    "AWS::S3::Bucket",
    _REPOSITORY,
    "AWS::CodeCommit::Repository",
    _PIPELINE,
    *_CARRIERS,
)
_WIDE: Final = tuple(
    f"AWS::Organizations::{name}" for name in ("Organization", "OrganizationalUnit", "Account", "Policy")
)
DUTIES: Final = (
    "commit", "push-anywhere", "override-build", "approve", "change-pipeline", "change-build", "change-roles",
    "change-review", "release", "write-artifacts", "write-source", "push-image", "deploy",
)  # fmt: skip
"""The keys of ``iam.duties.DUTIES``, which a table of predicates does not load."""
_USES: Final = ("pipeline", "action", "build", "deploy")


def separated(
    subject: Subject, *, duties: Sequence[str], exempt: Sequence[str], administrators: bool
) -> Answer:
    """TRUE when nobody holds two of the duties."""
    from policyengine.rules.predicates.pipeline import duties as pipeline_duties

    return pipeline_duties.separated(subject, duties=duties, exempt=exempt, administrators=administrators)


def reserved(subject: Subject, *, duty: str, exempt: Sequence[str], administrators: bool) -> Answer:
    """TRUE when nobody but the delivery's own roles holds the duty."""
    from policyengine.rules.predicates.pipeline import duties as pipeline_duties

    return pipeline_duties.reserved(subject, duty=duty, exempt=exempt, administrators=administrators)


def roles_without(subject: Subject, *, uses: Sequence[str], duties: Sequence[str]) -> Answer:
    """TRUE when none of the delivery's own roles holds one of the duties."""
    from policyengine.rules.predicates.pipeline import duties as pipeline_duties

    return pipeline_duties.roles_without(subject, uses=uses, duties=duties)


def role_of(subject: Subject, *, services: Sequence[str]) -> Answer:
    """TRUE when one of the services may assume the role."""
    from policyengine.rules.predicates.pipeline import roles as pipeline_roles

    return pipeline_roles.role_of(subject, services=services)


def read_only(subject: Subject, *, allowed: Sequence[str], forbidden: Sequence[str]) -> Answer:
    """TRUE when the policies allow no action that changes something."""
    from policyengine.rules.predicates.pipeline import roles as pipeline_roles

    return pipeline_roles.read_only(subject, allowed=allowed, forbidden=forbidden)


def guarded_roles(subject: Subject, *, roles: str) -> Answer:
    """TRUE when roles of other accounts admit nobody but the pipeline without MFA or a source condition."""
    from policyengine.rules.predicates.pipeline import roles as pipeline_roles

    return pipeline_roles.guarded_roles(subject, roles=roles)


def environments_apart(subject: Subject, *, environments: Any) -> Answer:
    """TRUE when deploy actions of different environments have roles of different accounts."""
    from policyengine.rules.predicates.pipeline import roles as pipeline_roles

    return pipeline_roles.environments_apart(subject, environments=environments)


def _problem(arguments: Mapping[str, Any]) -> str | None:
    """Say which duty or use of a role there is not."""
    named = arguments.get("duties", ())
    given = [arguments["duty"]] if "duty" in arguments else list(named) if isinstance(named, list) else []
    for duty in given:
        if isinstance(duty, str) and not duty.startswith("$") and duty not in DUTIES:
            return f"`{duty}` is no duty; they are: {', '.join(DUTIES)}"
    for use in arguments.get("uses", ()):
        if use not in _USES:
            return f"`{use}` is no use of a role; they are: {', '.join(_USES)}"
    return None


def _environments_problem(arguments: Mapping[str, Any]) -> str | None:
    found = arguments.get("environments")
    if isinstance(found, str) or found is None:
        return None
    plain = isinstance(found, dict) and all(
        isinstance(patterns, list) and all(isinstance(p, str) for p in patterns)
        for patterns in found.values()
    )
    return None if plain else "`environments` maps the name of each to a list of patterns of stage names"


_EXEMPT: Final = Arg("list:string", False, (), "patterns of ARNs and names of principals that do not count")
_ADMINISTRATORS: Final = Arg("boolean", False, False, "administrators count like everybody else")
_DUTIES: Final = Arg("list:string", help="duties")

PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "pipeline.separated",
        separated,
        "Nobody holds two of the duties around a pipeline, as themselves or as whom they can make themselves.",
        {"duties": _DUTIES, "exempt": _EXEMPT, "administrators": _ADMINISTRATORS},
        (_PIPELINE,),
        _NEEDS,
        _problem,
        wide=_WIDE,
    ),
    Predicate(
        "pipeline.reserved",
        reserved,
        "Nobody but the roles of the delivery itself holds a duty.",
        {
            "duty": Arg("string", help="the duty"),
            "exempt": _EXEMPT,
            "administrators": _ADMINISTRATORS,
        },
        (_PIPELINE, _PROJECT, _REPOSITORY),
        _NEEDS,
        _problem,
        wide=_WIDE,
    ),
    Predicate(
        "pipeline.roles_without",
        roles_without,
        "None of the roles that the delivery runs with holds one of the duties.",
        {
            "uses": Arg("list:string", help="`pipeline`, `action`, `build`, `deploy`: which roles"),
            "duties": _DUTIES,
        },
        (_PIPELINE, _PROJECT),
        _NEEDS,
        _problem,
        wide=_WIDE,
    ),
    Predicate(
        "pipeline.role_of",
        role_of,
        "One of the services may assume the role.",
        {"services": Arg("list:string", help="service principals")},
        ("AWS::IAM::Role",),
    ),
    Predicate(
        "pipeline.read_only",
        read_only,
        "The policies allow no action that changes something.",
        {
            "allowed": Arg("list:string", False, (), "patterns of actions that change nothing that matters"),
            "forbidden": Arg("list:string", False, (), "patterns of actions that read what must not be read"),
        },
        (
            "AWS::IAM::Group",
            "AWS::IAM::ManagedPolicy",
            "AWS::IAM::Role",
            "AWS::IAM::User",
            "AWS::SSO::PermissionSet",
        ),
        ("AWS::IAM::ManagedPolicy", "AWS::IAM::Group"),
    ),
    Predicate(
        "pipeline.guarded_roles",
        guarded_roles,
        "The roles of other accounts admit nobody but the pipeline without MFA or a source condition.",
        {"roles": Arg("alias", help="the relation to the roles of the actions")},
        (_PIPELINE,),
    ),
    Predicate(
        "pipeline.environments_apart",
        environments_apart,
        "Stages of different environments deploy into different accounts.",
        {"environments": Arg("json", help="name of each environment → patterns of the names of its stages")},
        (_PIPELINE,),
        problem=_environments_problem,
    ),
)
