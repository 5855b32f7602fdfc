"""The predicates about what identity policies give too much of; their answers load the reasoning library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from policyengine.rules.iam.tables import SPOTS
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject

_NEEDS: Final = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Group")
CARRIERS: Final = (
    "AWS::Lambda::Function", "AWS::EC2::Instance", "AWS::EC2::LaunchTemplate", "AWS::CloudFormation::Stack",
    "AWS::CodeBuild::Project", "AWS::Glue::DevEndpoint", "AWS::SageMaker::NotebookInstance", "AWS::ECS::Service",
    "AWS::AppRunner::Service", "AWS::BedrockAgentCore::CodeInterpreterCustom", "AWS::IAM::InstanceProfile",
    "AWS::ECS::Task", "AWS::ECS::TaskDefinition",
)  # fmt: skip
"""What runs with a role, as ``rules.iam.carriers`` reads it."""
_WORKLOADS: Final = (
    "AWS::Lambda::Function", "AWS::ECS::TaskDefinition", "AWS::CodeBuild::Project",
    "AWS::CodePipeline::Pipeline", "AWS::StepFunctions::StateMachine", "AWS::Glue::Job",
    "AWS::SageMaker::NotebookInstance", "AWS::AppRunner::Service", "AWS::Batch::JobDefinition",
    "AWS::IAM::InstanceProfile",
)  # fmt: skip
"""What runs with a role, as ``privilege_shared`` reads it."""
_ORGANIZATION: Final = (
    "AWS::Organizations::Organization", "AWS::Organizations::OrganizationalUnit",
    "AWS::Organizations::Account", "AWS::Organizations::Policy",
)  # fmt: skip
_IDENTITY: Final = tuple(
    sorted(type_ for type_, spots in SPOTS.items() if any(kind == "identity" for _, kind in spots))
)
_DOCUMENTS: Final = ("all", "own", "inline")
_EXPOSED: Final = ("resource", "credentials", "data")


def allows(subject: Subject, *, requests: Any, documents: str, except_sids: Sequence[str]) -> Answer:
    """TRUE when the policies allow a request of the set."""
    from policyengine.rules.predicates.privilege import grants as privilege_grants

    return privilege_grants.allows(subject, requests=requests, documents=documents, except_sids=except_sids)


def in_question(subject: Subject, *, documents: str) -> Answer:
    """TRUE unless AWS manages the principal or it is surely administrator."""
    from policyengine.rules.predicates.privilege import amount as privilege_amount

    return privilege_amount.in_question(subject, documents=documents)


def administers(subject: Subject) -> Answer:
    """TRUE when the policies amount to administrator, of everything or of IAM."""
    from policyengine.rules.predicates.privilege import amount as privilege_amount

    return privilege_amount.administers(subject)


def escalates(subject: Subject) -> Answer:
    """TRUE when a known path leads from the policies to more than they allow."""
    from policyengine.rules.predicates.privilege import amount as privilege_amount

    return privilege_amount.escalating(subject)


def on_any(
    subject: Subject,
    *,
    actions: Sequence[str],
    context: Mapping[str, str | None],
    documents: str,
    except_sids: Sequence[str],
) -> Answer:
    """TRUE when one of the actions is allowed on resources that no statement names."""
    from policyengine.rules.predicates.privilege import grants as privilege_grants

    return privilege_grants.on_any(
        subject, actions=actions, context=context, documents=documents, except_sids=except_sids
    )


def exposes(
    subject: Subject, *, kind: str, unless: Sequence[str], documents: str, except_sids: Sequence[str]
) -> Answer:
    """TRUE when what exposes resources, credentials or data is allowed on anything."""
    from policyengine.rules.predicates.privilege import grants as privilege_grants

    return privilege_grants.exposes(
        subject, kind=kind, unless=unless, documents=documents, except_sids=except_sids
    )


def wildcards(
    subject: Subject, *, of: str | None, unless: Sequence[str], documents: str, except_sids: Sequence[str]
) -> Answer:
    """TRUE when a statement allows changes by wildcards."""
    from policyengine.rules.predicates.privilege import grants as privilege_grants

    return privilege_grants.wild(subject, of=of, unless=unless, documents=documents, except_sids=except_sids)


def negated(
    subject: Subject, *, element: Literal["action", "resource"], documents: str, except_sids: Sequence[str]
) -> Answer:
    """TRUE when a statement allows with NotAction or NotResource."""
    from policyengine.rules.predicates.privilege import grants as privilege_grants

    return privilege_grants.negation(subject, element=element, documents=documents, except_sids=except_sids)


def whole_services(
    subject: Subject, *, services: Sequence[str], anywhere: bool, documents: str, except_sids: Sequence[str]
) -> Answer:
    """TRUE when all actions of a service are allowed."""
    from policyengine.rules.predicates.privilege import grants as privilege_grants

    return privilege_grants.whole(
        subject, services=services, anywhere=anywhere, documents=documents, except_sids=except_sids
    )


def attached(subject: Subject, *, policies: Sequence[str]) -> Answer:
    """TRUE when a policy that AWS manages is attached to the principal, by its path and name."""
    from policyengine.rules.predicates.privilege import amount as privilege_amount

    return privilege_amount.attached(subject, policies=policies)


def trusted_tags(subject: Subject) -> Answer:
    """TRUE when a statement trusts a tag that the principal itself may set or remove."""
    from policyengine.rules.predicates.privilege import limits as privilege_limits

    return privilege_limits.trusted_tags(subject)


def sheds_boundary(subject: Subject) -> Answer:
    """TRUE when a user or role may remove, replace or rewrite its own permissions boundary."""
    from policyengine.rules.predicates.privilege import limits as privilege_limits

    return privilege_limits.sheds(subject)


def reaches_administrator(subject: Subject) -> Answer:
    """TRUE when known paths lead a user or role to administrator, over others of its account."""
    from policyengine.rules.predicates.privilege import graph as privilege_graph

    return privilege_graph.reaches(subject)


def shared_role(subject: Subject, *, at_most: int, tag: str | None, not_counting: Sequence[str]) -> Answer:
    """TRUE when more workloads run with the role than a number."""
    from policyengine.rules.predicates.privilege import shared as privilege_shared

    return privilege_shared.shared(subject, at_most=at_most, tag=tag, not_counting=not_counting)


def _kind_problem(arguments: Mapping[str, Any]) -> str | None:
    found = arguments.get("kind")
    if isinstance(found, str) and not found.startswith("$") and found not in _EXPOSED:
        return f"`kind: {found}` is none of {', '.join(f'`{kind}`' for kind in _EXPOSED)}"
    return _documents_problem(arguments)


def _element_problem(arguments: Mapping[str, Any]) -> str | None:
    for key in ("of", "element"):
        found = arguments.get(key)
        if found not in (None, "action", "resource"):
            return f"`{key}: {found}` is neither `action` nor `resource`"
    return _documents_problem(arguments)


def _documents_problem(arguments: Mapping[str, Any]) -> str | None:
    found = arguments.get("documents", "all")
    if found not in _DOCUMENTS:
        return f"`documents: {found}` is none of {', '.join(f'`{name}`' for name in _DOCUMENTS)}"
    return None


def _requests_problem(arguments: Mapping[str, Any]) -> str | None:
    from policyengine.rules.predicates.iam import asking as iam_asking

    return iam_asking.argument_problem(arguments) or _documents_problem(arguments)


_UNLESS: Final = {
    "unless": Arg("list:string", False, (), "actions, or patterns of them, that do not count"),
}
_GIVEN: Final = {
    "documents": Arg("string", False, "all", "`all`; `own`: no customer managed ones; `inline`"),
    "except_sids": Arg("list:string", False, (), "patterns of Sids whose Allow statements do not count"),
}

PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "privilege.allows",
        allows,
        "The statements in question allow a request of the set.",
        {"requests": Arg("json", help="a set of requests, as in iam.md"), **_GIVEN},
        _IDENTITY,
        _NEEDS,
        _requests_problem,
    ),
    Predicate(
        "privilege.in_question",
        in_question,
        "The account can change the principal, and it is not surely administrator.",
        {"documents": _GIVEN["documents"]},
        _IDENTITY,
        _NEEDS,
        _documents_problem,
    ),
    Predicate(
        "privilege.administers",
        administers,
        "The policies amount to administrator, of everything or of IAM.",
        {},
        _IDENTITY,
        _NEEDS,
    ),
    Predicate(
        "privilege.escalates",
        escalates,
        "A known path leads from the policies to more than they allow; all its requests are shown.",
        {},
        _IDENTITY,
        _NEEDS,
    ),
    Predicate(
        "privilege.on_any",
        on_any,
        "One of the actions is allowed on resources that no statement names.",
        {
            "actions": Arg("list:string", help="actions, or patterns of them"),
            "context": Arg(
                "json", False, {}, "condition keys of the request with their values; null: absent"
            ),
            **_GIVEN,
        },
        _IDENTITY,
        _NEEDS,
        _documents_problem,
    ),
    Predicate(
        "privilege.exposes",
        exposes,
        "What exposes resources, credentials or data is allowed on resources that no statement names.",
        {
            "kind": Arg("string", help="`resource`, `credentials` or `data`"),
            **_UNLESS,
            **_GIVEN,
        },
        _IDENTITY,
        _NEEDS,
        _kind_problem,
    ),
    Predicate(
        "privilege.wildcards",
        wildcards,
        "A statement allows changes by wildcards of actions or of resources.",
        {
            "of": Arg("string", False, None, "`action` or `resource`: only wildcards of these"),
            **_UNLESS,
            **_GIVEN,
        },
        _IDENTITY,
        _NEEDS,
        _element_problem,
    ),
    Predicate(
        "privilege.negated",
        negated,
        "A statement allows with NotAction or NotResource.",
        {"element": Arg("string", help="`action` or `resource`"), **_GIVEN},
        _IDENTITY,
        _NEEDS,
        _element_problem,
    ),
    Predicate(
        "privilege.whole_services",
        whole_services,
        "All actions of a service are allowed.",
        {
            "services": Arg("list:string", False, (), "prefixes of the services that count; none: all"),
            "anywhere": Arg("boolean", False, False, "only if they are allowed on every resource"),
            **_GIVEN,
        },
        _IDENTITY,
        _NEEDS,
        _documents_problem,
    ),
    Predicate(
        "privilege.attached",
        attached,
        "A policy that AWS manages is attached to the principal.",
        {"policies": Arg("list:string", help="paths and names: `PowerUserAccess`, `job-function/Billing`")},
        ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"),
        _NEEDS,
    ),
    Predicate(
        "privilege.trusted_tags",
        trusted_tags,
        "A statement trusts a tag that the principal itself may set or remove.",
        {},
        _IDENTITY,
        _NEEDS,
    ),
    Predicate(
        "privilege.sheds_boundary",
        sheds_boundary,
        "The user or role may remove, replace or rewrite its own permissions boundary.",
        {},
        ("AWS::IAM::Role", "AWS::IAM::User"),
        _NEEDS,
    ),
    Predicate(
        "privilege.reaches_administrator",
        reaches_administrator,
        "Known paths lead the user or role to administrator, over other principals of its account.",
        {},
        ("AWS::IAM::Role", "AWS::IAM::User"),
        (*_NEEDS, "AWS::IAM::Role", "AWS::IAM::User", *CARRIERS),
        wide=_ORGANIZATION,
    ),
    Predicate(
        "privilege.shared_role",
        shared_role,
        "More workloads run with the role than a number.",
        {
            "at_most": Arg("integer", False, 1, "so many workloads"),
            "tag": Arg("string", False, None, "what carries the same value of this tag is one workload"),
            "not_counting": Arg("list:string", False, (), "types of workloads that do not count"),
        },
        ("AWS::IAM::Role",),
        _WORKLOADS,
    ),
)
