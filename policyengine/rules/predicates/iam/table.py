"""The predicates about IAM policies: what each is called and asked with.

Their answers come from ``iam_*`` modules, which load the reasoning library; those are imported when a
rule asks for the first time, so that a scan without such a rule does not pay for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from policyengine.model.resource import Path
from policyengine.rules.iam.tables import RESOURCE_TYPES, SPOTS
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject

_ACCOUNT: Final = "AWS::::Account"
_NEEDS: Final = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Group")
_PRINCIPALS: Final = ("AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::User", "AWS::SSO::PermissionSet")
"""Whose policies stand in other resources too: the others' stand in themselves."""
_ORGANIZATION: Final = ("AWS::Organizations::Account", "AWS::Organizations::Organization")
_IDENTITY: Final = tuple(
    sorted(type_ for type_, spots in SPOTS.items() if any(kind == "identity" for _, kind in spots))
)
_HOLDERS: Final = tuple(sorted({*SPOTS, *RESOURCE_TYPES}))
_OWNERS: Final = tuple(sorted(RESOURCE_TYPES))


def _documents(type_: str) -> tuple[str, ...] | None:
    """Return the properties that hold the policies of a type."""
    if type_ in _PRINCIPALS or type_ not in SPOTS:
        return None
    steps = (path.split(".") for path, _ in SPOTS[type_])
    return tuple(".".join(path[:2]) if path[0] == "related" else path[0] for path in steps)


def allows(subject: Subject, *, requests: Any, policy: Path | None) -> Answer:
    """TRUE when the policies allow a request of the set, with that request."""
    from policyengine.rules.predicates.iam import requests as iam_requests

    return iam_requests.allows(subject, requests=requests, policy=policy)


def denies(subject: Subject, *, requests: Any, policy: Path | None) -> Answer:
    """TRUE when the policies explicitly deny every request of the set; else with one they do not."""
    from policyengine.rules.predicates.iam import requests as iam_requests

    return iam_requests.denied(subject, requests=requests, policy=policy)


def allows_public(subject: Subject, *, policy: Path | None, requests: Any) -> Answer:
    """TRUE when the policy grants something to anybody."""
    from policyengine.rules.predicates.iam import outside as iam_outside

    return iam_outside.allows_public(subject, policy=policy, requests=requests)


def allows_outside_account(
    subject: Subject, *, policy: Path | None, trusted_accounts: Sequence[str], requests: Any
) -> Answer:
    """TRUE when the policy grants something to a principal of another account."""
    from policyengine.rules.predicates.iam import outside as iam_outside

    return iam_outside.allows_outside_account(
        subject, policy=policy, trusted_accounts=trusted_accounts, requests=requests
    )


def allows_outside_organization(
    subject: Subject, *, policy: Path | None, trusted_accounts: Sequence[str], requests: Any
) -> Answer:
    """TRUE when the policy grants something to a principal outside the organisation."""
    from policyengine.rules.predicates.iam import outside as iam_outside

    return iam_outside.allows_outside_organization(
        subject, policy=policy, trusted_accounts=trusted_accounts, requests=requests
    )


def admin(subject: Subject, *, services: bool, policy: Path | None) -> Answer:
    """TRUE when the policies amount to administrator."""
    from policyengine.rules.predicates.iam import questions as iam_questions

    return iam_questions.admin(subject, services=services, policy=policy)


def escalates(subject: Subject, *, policy: Path | None) -> Answer:
    """TRUE when a known path leads from the policies to more than they allow."""
    from policyengine.rules.predicates.iam import questions as iam_questions

    return iam_questions.escalating(subject, policy=policy)


def wildcards(subject: Subject, *, of: str | None, policy: Path | None) -> Answer:
    """TRUE when a statement allows changes by wildcards."""
    from policyengine.rules.predicates.iam import questions as iam_questions

    return iam_questions.wild(subject, of=of, policy=policy)


def new_access(subject: Subject, *, baseline: Any, policy: Path | None) -> Answer:
    """TRUE when the policies allow a request that the baseline does not."""
    from policyengine.rules.predicates.iam import questions as iam_questions

    return iam_questions.new_access(subject, baseline=baseline, policy=policy)


def _kind_problem(arguments: Mapping[str, Any]) -> str | None:
    found = arguments.get("of")
    if found not in (None, "action", "resource"):
        return f"`of: {found}` is neither `action` nor `resource`"
    return None


def _requests_problem(arguments: Mapping[str, Any]) -> str | None:
    from policyengine.rules.predicates.iam import asking as iam_asking

    return iam_asking.argument_problem(arguments)


_REQUESTS: Final = Arg("json", help="a set of requests: `action`, `resource`, `principal`, `context`")
_POLICY: Final = Arg("path", False, None, "the one document that is asked about")
_TRUSTED: Final = Arg("list:string", False, (), "accounts that count as inside")
_SET: Final = {"requests": _REQUESTS, "policy": _POLICY}
_SOME: Final = Arg("json", False, None, "only access of this set of requests")
_OUTSIDE: Final = {"policy": _POLICY, "trusted_accounts": _TRUSTED, "requests": _SOME}

PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "iam.allows",
        allows,
        "The policies allow a request of the set.",
        _SET,
        _HOLDERS,
        _NEEDS,
        _requests_problem,
        reads=_documents,
        needs_for=_PRINCIPALS,
    ),
    Predicate(
        "iam.denies",
        denies,
        "The policies explicitly deny every request of the set, whatever other policies allow.",
        _SET,
        _HOLDERS,
        _NEEDS,
        _requests_problem,
        reads=_documents,
        needs_for=_PRINCIPALS,
    ),
    Predicate(
        "iam.allows_public",
        allows_public,
        "The policy grants something to anybody.",
        {"policy": _POLICY, "requests": _SOME},
        _OWNERS,
        (_ACCOUNT,),
        _requests_problem,
    ),
    Predicate(
        "iam.allows_outside_account",
        allows_outside_account,
        "The policy grants something to a principal of another account that is not trusted.",
        _OUTSIDE,
        _OWNERS,
        problem=_requests_problem,
    ),
    Predicate(
        "iam.allows_outside_organization",
        allows_outside_organization,
        "The policy grants something to a principal of an account outside the organisation that is not trusted.",
        _OUTSIDE,
        _OWNERS,
        problem=_requests_problem,
        wide=_ORGANIZATION,
    ),
    Predicate(
        "iam.new_access",
        new_access,
        "The policies allow a request that a baseline does not.",
        {
            "baseline": Arg(
                "json", help="a policy, the ARN of one AWS manages, a list of them, or an alias of `with`"
            ),
            "policy": _POLICY,
        },
        _HOLDERS,
        _NEEDS,
        needs_for=_PRINCIPALS,
    ),
    Predicate(
        "iam.admin",
        admin,
        "The policies amount to administrator.",
        {
            "services": Arg("boolean", False, False, "also administrator of a single service"),
            "policy": _POLICY,
        },
        _IDENTITY,
        _NEEDS,
    ),
    Predicate(
        "iam.escalates",
        escalates,
        "A known path leads from the policies to more than they allow.",
        {"policy": _POLICY},
        _IDENTITY,
        _NEEDS,
    ),
    Predicate(
        "iam.wildcards",
        wildcards,
        "A statement allows changes by wildcards.",
        {
            "of": Arg("string", False, None, "`action` or `resource`: only wildcards of these"),
            "policy": _POLICY,
        },
        _IDENTITY,
        _NEEDS,
        _kind_problem,
    ),
)
