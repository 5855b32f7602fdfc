"""The predicates about a whole organisation: what each is called and asked with. See ``iam``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject

_PREFIX: Final = "AWS::Organizations::"
_ACCOUNT: Final = f"{_PREFIX}Account"
_POLICY: Final = f"{_PREFIX}Policy"
_WIDE: Final = tuple(_PREFIX + name for name in ("Organization", "OrganizationalUnit", "Account", "Policy"))


def covers(subject: Subject, *, requests: Any, exempt: Sequence[str]) -> Answer:
    """TRUE when SCPs deny every request of the set in the account, or in every member account."""
    from policyengine.rules.predicates.org import covers as org_covers

    return org_covers.covers(subject, requests=requests, exempt=exempt)


def covers_by_class(
    subject: Subject, *, requests: Any, of: str, allowed: Any, tag: str, exempt: Sequence[str]
) -> Answer:
    """TRUE when SCPs deny every request of the set but those its data class allows."""
    from policyengine.rules.predicates.org import classes as org_classes

    return org_classes.covers_by_class(
        subject, requests=requests, of=of, allowed=allowed, tag=tag, exempt=exempt
    )


def lets_through(subject: Subject, *, requests: Any, exempt: Sequence[str]) -> Answer:
    """TRUE when SCPs let some request of the set pass for a role that they do not name."""
    from policyengine.rules.predicates.org import lets_through as org_lets_through

    return org_lets_through.lets_through(subject, requests=requests, exempt=exempt)


def profiles_work(
    subject: Subject, *, profiles: Sequence[str], regions: Sequence[str], destinations: Any
) -> Answer:
    """TRUE when SCPs let every region pass to which the Bedrock profiles of a geography send requests."""
    from policyengine.rules.predicates.org import lets_through as org_lets_through

    return org_lets_through.profiles_work(
        subject, profiles=profiles, regions=regions, destinations=destinations
    )


def denies(subject: Subject, *, requests: Any, exempt: Sequence[str], named: bool) -> Answer:
    """TRUE when the SCP by itself denies every request of the set, wherever it is attached."""
    from policyengine.rules.predicates.org import policies as org_policies

    return org_policies.denies(subject, requests=requests, exempt=exempt, named=named)


def denies_by(subject: Subject, *, requests: Any, key: str) -> Answer:
    """TRUE when the SCP has a Deny of requests of the set that depends on a condition key."""
    from policyengine.rules.predicates.org import policies as org_policies

    return org_policies.denies_by(subject, requests=requests, key=key)


def spares_exactly(subject: Subject) -> Answer:
    """TRUE when the SCP's exemptions spare nobody besides whom they name."""
    from policyengine.rules.predicates.org import policies as org_policies

    return org_policies.spares_exactly(subject)


def member(subject: Subject) -> Answer:
    """TRUE when the account is a member of an organisation and not its management account."""
    from policyengine.rules.predicates.org import accounts as org_accounts

    return org_accounts.member(subject)


def shown(subject: Subject) -> Answer:
    """TRUE when the source shows the organisation and which account manages it."""
    from policyengine.rules.predicates.org import accounts as org_accounts

    return org_accounts.shown(subject)


def in_member_account(subject: Subject) -> Answer:
    """TRUE when the resource is in another account than the organisation's management account."""
    from policyengine.rules.predicates.org import accounts as org_accounts

    return org_accounts.in_member_account(subject)


def _requests_problem(arguments: Mapping[str, Any]) -> str | None:
    from policyengine.rules.predicates.iam import asking as iam_asking

    return iam_asking.argument_problem(arguments)


def _class_problem(arguments: Mapping[str, Any]) -> str | None:
    of = arguments.get("of")
    if isinstance(of, str) and of != "resource" and ":" not in of:
        return f"`of: {of}` is neither `resource` nor a condition key"
    return _requests_problem(arguments)


def _key_problem(arguments: Mapping[str, Any]) -> str | None:
    key = arguments.get("key")
    if isinstance(key, str) and ":" not in key:
        return f"`key: {key}` is no condition key"
    return _requests_problem(arguments)


_REQUESTS: Final = Arg("json", help="a set of requests: `action`, `resource`, `principal`, `context`")
_EXEMPT: Final = Arg(
    "list:string", False, (), "ARNs of principals that are left out, as `ArnLike` compares them"
)
_COVERED: Final = (_ACCOUNT, f"{_PREFIX}Organization", "AWS::::Account")

PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "org.covers",
        covers,
        "SCPs deny every request of the set in the account, whatever the account's own policies allow.",
        {"requests": _REQUESTS, "exempt": _EXEMPT},
        _COVERED,
        problem=_requests_problem,
        wide=_WIDE,
    ),
    Predicate(
        "org.covers_by_class",
        covers_by_class,
        "SCPs deny every request of the set but for what the account's data class allows.",
        {
            "requests": _REQUESTS,
            "of": Arg("string", help="what a class allows values of: `resource` or a condition key"),
            "allowed": Arg("json", help="class -> values that are allowed; `*`: every other class, and none"),
            "tag": Arg("string", help="the tag of accounts and OUs that holds the class"),
            "exempt": _EXEMPT,
        },
        (_ACCOUNT,),
        problem=_class_problem,
        wide=_WIDE,
    ),
    Predicate(
        "org.lets_through",
        lets_through,
        "SCPs let a request of the set pass for a role that they do not name.",
        {"requests": _REQUESTS, "exempt": _EXEMPT},
        (_ACCOUNT, "AWS::::Account"),
        problem=_requests_problem,
        wide=_WIDE,
    ),
    Predicate(
        "org.profiles_work",
        profiles_work,
        "SCPs let requests pass in every region to which the Bedrock profiles of a geography send them.",
        {
            "profiles": Arg("list:string", help="geographies: the prefixes of profiles, such as `eu`"),
            "regions": Arg("list:string", help="regions in which profiles are called"),
            "destinations": Arg("json", False, None, "geography -> regions, in place of AWS's"),
        },
        (_ACCOUNT, "AWS::::Account"),
        wide=_WIDE,
    ),
    Predicate(
        "org.denies",
        denies,
        "The SCP by itself denies every request of the set, wherever it is attached.",
        {
            "requests": _REQUESTS,
            "exempt": _EXEMPT,
            "named": Arg("boolean", False, False, "where the set leaves out no region: those the SCP names"),
        },
        (_POLICY,),
        problem=_requests_problem,
    ),
    Predicate(
        "org.denies_by",
        denies_by,
        "The SCP has a Deny of requests of the set that depends on a condition key.",
        {"requests": _REQUESTS, "key": Arg("string", help="a condition key")},
        (_POLICY,),
        problem=_key_problem,
    ),
    Predicate(
        "org.spares_exactly",
        spares_exactly,
        "The SCP's Deny statements spare nobody by ARN besides whom they name.",
        {},
        (_POLICY,),
    ),
    Predicate(
        "org.member",
        member,
        "The account is a member of an organisation, and not its management account.",
        {},
        (_ACCOUNT, "AWS::::Account"),
        wide=_WIDE,
    ),
    Predicate(
        "org.shown",
        shown,
        "The source shows the organisation, and which account manages it.",
        wide=_WIDE,
    ),
    Predicate(
        "org.in_member_account",
        in_member_account,
        "The resource is in another account than the organisation's management account.",
        wide=_WIDE,
    ),
)
