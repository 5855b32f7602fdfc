"""The predicates about who may become a role: what each is called and asked with.

Their answers come from ``trust_*`` modules, which load the reasoning library; those are imported when a rule
asks for the first time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from policyengine.model.resource import Path
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject

_ROLE: Final = ("AWS::IAM::Role",)
_PROVIDERS: Final = ("AWS::IAM::OIDCProvider",)
KINDS: Final = (
    "account", "anybody", "deleted", "itself", "oidc", "other_account", "role", "saml", "service", "session",
    "user", "web",
)  # fmt: skip
"""Kinds of principals that may be asked about; besides these, the ids of token issuers."""


def admits_token(
    subject: Subject,
    *,
    of: str,
    issuers: Sequence[str],
    trusted: Sequence[str],
    audiences: Sequence[str],
    policy: Path | None,
) -> Answer:
    """TRUE when a token of the kind may assume the role, with its claims."""
    from policyengine.rules.predicates.trust import tokens as trust_tokens

    return trust_tokens.admits_token(
        subject, of=of, issuers=issuers, trusted=trusted, audiences=audiences, policy=policy
    )


def admits_service(subject: Subject, *, services: Sequence[str], policy: Path | None) -> Answer:
    """TRUE when an AWS service may assume the role while it works for a stranger's account."""
    from policyengine.rules.predicates.trust import principals as trust_principals

    return trust_principals.admits_service(subject, services=services, policy=policy)


def names(
    subject: Subject, *, kinds: Sequence[str], services: Sequence[str], at_least: int, policy: Path | None
) -> Answer:
    """TRUE when principals of the kinds may assume the role."""
    from policyengine.rules.predicates.trust import principals as trust_principals

    return trust_principals.names(subject, kinds=kinds, services=services, at_least=at_least, policy=policy)


def allows_other_actions(subject: Subject, *, policy: Path | None) -> Answer:
    """TRUE when a statement allows actions that have nothing to do with assuming a role."""
    from policyengine.rules.predicates.trust import principals as trust_principals

    return trust_principals.allows_other_actions(subject, policy=policy)


def lasts_at_most(subject: Subject, *, field: tuple[str, ...], seconds: int) -> Answer:
    """TRUE when the duration at the property is at most so many seconds."""
    from policyengine.rules.predicates.trust import limits as trust_limits

    return trust_limits.lasts_at_most(subject, field=field, seconds=seconds)


def of_management_account(subject: Subject, *, field: tuple[str, ...]) -> Answer:
    """TRUE when the property names the organisation's management account."""
    from policyengine.rules.predicates.trust import limits as trust_limits

    return trust_limits.of_management_account(subject, field=field)


def _token_problem(arguments: Mapping[str, Any]) -> str | None:
    from policyengine.iam.token_issuers import ISSUERS, QUESTIONS

    if arguments.get("of") not in QUESTIONS:
        return f"`of: {arguments.get('of')}` is none of {', '.join(QUESTIONS)}"
    known = {issuer.id for issuer in ISSUERS}
    wrong = next((name for name in arguments.get("issuers") or () if name not in known), None)
    return None if wrong is None else f"`{wrong}` is none of {', '.join(sorted(known))}"


def _kinds_problem(arguments: Mapping[str, Any]) -> str | None:
    from policyengine.iam.token_issuers import ISSUERS

    known = {*KINDS, *(issuer.id for issuer in ISSUERS)}
    wrong = next((name for name in arguments.get("kinds") or () if name not in known), None)
    return None if wrong is None else f"`{wrong}` is none of {', '.join(sorted(known))}"


_POLICY: Final = Arg("path", False, None, "the one document that is asked about")
_ALL_SERVICES: Final = "services that are meant; without, "

PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "trust.admits_token",
        admits_token,
        "A token of the kind may assume the role.",
        {
            "of": Arg(
                "string",
                help="whose: `stranger`, `project`, `branch`, `subject`, `audience`, `guest`, `nothing`",
            ),
            "issuers": Arg("list:string", False, (), "issuers that are meant; without, all"),
            "trusted": Arg(
                "list:string", False, (), "who counts as named, instead of whom the policy spells out"
            ),
            "audiences": Arg("list:string", False, (), "audiences that stand for AWS"),
            "policy": _POLICY,
        },
        _ROLE,
        _PROVIDERS,
        _token_problem,
    ),
    Predicate(
        "trust.admits_service",
        admits_service,
        "An AWS service may assume the role while it works for a stranger's account.",
        {
            "services": Arg("list:string", False, (), _ALL_SERVICES + "those that say for whom they work"),
            "policy": _POLICY,
        },
        _ROLE,
        _PROVIDERS,
    ),
    Predicate(
        "trust.names",
        names,
        "Principals of the kinds may assume the role.",
        {
            "kinds": Arg("list:string", help="kinds of principals, or ids of token issuers"),
            "services": Arg("list:string", False, (), _ALL_SERVICES + "all"),
            "at_least": Arg("integer", False, 1, "how many of them"),
            "policy": _POLICY,
        },
        _ROLE,
        _PROVIDERS,
        _kinds_problem,
    ),
    Predicate(
        "trust.allows_other_actions",
        allows_other_actions,
        "A statement of the trust policy allows actions that have nothing to do with assuming a role.",
        {"policy": _POLICY},
        _ROLE,
        _PROVIDERS,
    ),
    Predicate(
        "trust.lasts_at_most",
        lasts_at_most,
        "The ISO 8601 duration at a property is at most so many seconds.",
        {
            "field": Arg("path", help="the property that holds the duration"),
            "seconds": Arg("integer", help="the longest"),
        },
    ),
    Predicate(
        "trust.of_management_account",
        of_management_account,
        "A property names the organisation's management account.",
        {"field": Arg("path", help="the property that holds the id of an account")},
        wide=("AWS::Organizations::Organization",),
    ),
)
