"""``trust.names`` and ``trust.admits_service``: the principals of a role's trust policy, one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from policyengine.iam.account_ids import account_of, names_accounts
from policyengine.iam.atoms import PRINCIPAL_KEYS
from policyengine.iam.authorize import ROLE_ACTIONS
from policyengine.iam.catalogue import catalogue
from policyengine.iam.cells import ANYTHING, exact, joined
from policyengine.iam.conditions import read_operator
from policyengine.iam.deputies import DEPUTIES
from policyengine.iam.documents import Policy, Statement
from policyengine.iam.domains import Callers
from policyengine.iam.reason import Answer as Reasoned
from policyengine.iam.reason import No, Unknown, Yes, grants
from policyengine.iam.request import WEB_IDENTITY
from policyengine.iam.request_set import RequestSet, Values
from policyengine.iam.search import Witness
from policyengine.iam.sentences import may_call
from policyengine.iam.tokens import claims_of, provider_of
from policyengine.iam.ways import action_bits
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE
from policyengine.model.resource import Path
from policyengine.model.values import ABSENT
from policyengine.rules.iam.held import Held, remembered
from policyengine.rules.iam.standins import ACCOUNT
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import allowed, undecided, unwanted, witness
from policyengine.rules.predicates.iam.circumstances import in_organization
from policyengine.rules.predicates.iam.outside import STRANGERS, strangers
from policyengine.rules.predicates.trust.held import any_role, of_role, trust_of

_UNIQUE: Final = re.compile(r"A(?:ROA|IDA)[A-Z0-9]{12,}")
"""Ids of roles and users, which AWS puts in place of the ARN of one that is deleted:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids"""
_ASSUME: Final = {
    "anybody": ("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"),
    "saml": ("sts:AssumeRoleWithSAML",),
    "oidc": ("sts:AssumeRoleWithWebIdentity",),
    "web": ("sts:AssumeRoleWithWebIdentity",),
}
"""Kind of principal → how it assumes a role; the others by ``sts:AssumeRole``."""
_OF_AWS: Final = frozenset(
    {"account", "anybody", "deleted", "itself", "other_account", "role", "session", "user"}
)
"""Kinds that the element ``AWS`` names."""
_SPELLED: Final = {
    key.lower(): key
    for key in ("aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths")
}
_NOBODY: Final = Witness("*", "sts:AssumeRole", "*", {})
_UNBOUND: Final = "the account of code that is bound to none"
_OTHERS: Final = "actions other than those of assuming a role"
_FOR_A_STRANGER: Final = "service that assumes the role for an account that nobody names"


def names(
    subject: Subject, *, kinds: Sequence[str], services: Sequence[str], at_least: int, policy: Path | None
) -> Answer:
    """TRUE when principals of the kinds may assume the role; those that every request of is denied are none."""
    found = trust_of(subject, policy)
    expected = f"at least {at_least} of: {', '.join(kinds)}" if at_least > 1 else " or ".join(kinds)
    named = remembered(("kinds",), found.policies, lambda: _kinds(found.policies))
    if (
        named is not None
        and named.isdisjoint(kinds)
        and found.arn not in named
        and "other_account" not in kinds
    ):
        return Answer(FALSE, (Evidence(found.where, ABSENT, expected, "no_such_request"),))
    own = found.arn if "itself" in kinds else None
    account = found.account if "other_account" in kinds else None
    asked = ("names", tuple(kinds), tuple(services), own, account, any_role(found))
    sure, perhaps = remembered(asked, found.policies, lambda: _of_kinds(found, kinds, services))
    if len(sure) >= at_least:
        return Answer(TRUE, (Evidence(found.where, ", ".join(sure), expected, "request_allowed"),))
    return undecided(found, perhaps, expected) if perhaps else allowed(found, No(), expected)


def _kinds(policies: Sequence[Policy]) -> frozenset[str | None] | None:
    """Return the kinds, issuers and names of all principals that are let in; None where there may be others."""
    found: set[str | None] = set()
    for statement in _allowing(policies):
        if statement.opaque is not None or statement.not_principal:
            return None
        for name in _named(statement):
            found.update((name, _kind(name), _issuer(name)))
    return frozenset(found)


def _of_kinds(
    found: Held, kinds: Sequence[str], services: Sequence[str]
) -> tuple[list[str], tuple[str, ...]]:
    """Return the principals that may assume the role, and why there may be others."""
    sure: dict[str, None] = {}
    perhaps: dict[str, None] = {}
    plain = [kind for kind in kinds if kind != "other_account"]
    for statement in _allowing(found.policies):
        if statement.opaque is not None:
            if _may_be_of(statement, kinds, services, found):
                perhaps[statement.opaque.reason] = None
            continue
        for name in _named(statement):
            if name in sure or not _is_of(name, kinds, services, found):
                continue
            answer = Yes(_NOBODY) if _plainly(found, statement, name) else _may_assume(found, name)
            if (
                isinstance(answer, Yes)
                and found.account == ACCOUNT
                and not _is_of(name, plain, services, found)
            ):
                perhaps[_UNBOUND] = None
            elif isinstance(answer, Yes):
                sure[name] = None
            elif isinstance(answer, Unknown):
                perhaps.update(dict.fromkeys(answer.why))
    return list(sure), tuple(perhaps)


def _plainly(found: Held, statement: Statement, name: str) -> bool:
    """Say whether a statement lets a principal it names assume the role, whatever else is said."""
    if statement.not_principal or not _kind(name) or not _can_hold(statement):
        return False
    if any(not s.allow or s.opaque is not None for p in found.policies for s in p.statements):
        return False
    wanted = catalogue().matching_any(_ASSUME.get(_kind(name), ("sts:AssumeRole",)))
    return bool(action_bits(statement, catalogue()) & wanted)


def _can_hold(statement: Statement) -> bool:
    """Whether it is plain that the conditions of a statement can hold together: each is about a key of its own
    that has nothing to do with who asks."""
    keys = [c.key.lower() for c in statement.conditions]
    return len(set(keys)) == len(keys) and all(
        read_operator(c.operator) is not None
        and c.key.lower() not in PRINCIPAL_KEYS
        and "${" not in "".join(c.values)
        for c in statement.conditions
    )


def _allowing(policies: Sequence[Policy]) -> Iterator[Statement]:
    return (s for p in policies for s in p.statements if s.allow)


def _named(statement: Statement) -> Iterator[str]:
    if statement.not_principal:
        yield "*"
        return
    for names_ in (statement.principals or {}).values():
        yield from names_


def _is_of(name: str, kinds: Sequence[str], services: Sequence[str], found: Held) -> bool:
    kind = _kind(name)
    if kind == "service":
        return ("service" in kinds or _issuer(name) in kinds) and (not services or name in services)
    if kind in kinds or _issuer(name) in kinds:
        return True
    if "itself" in kinds and found.arn is not None and name == found.arn:
        return True
    account = name if name.isdigit() else account_of(name)
    local = kind not in ("account", "role", "user", "session")
    return "other_account" in kinds and not local and account != found.account


def _may_be_of(statement: Statement, kinds: Sequence[str], services: Sequence[str], found: Held) -> bool:
    """Whether a statement of which something is not known may name a principal of the kinds."""
    principals = statement.principals or {}
    if statement.not_principal or "*" in principals:
        return True
    return any(
        not _OF_AWS.isdisjoint(kinds)
        if name == "*" and element == "AWS"
        else not _OF_AWS.issuperset(kinds)
        if name == "*"
        else _is_of(name, kinds, services, found)
        for element, several in principals.items()
        for name in several
    )


def _kind(name: str) -> str:
    if name == "*":
        return "anybody"
    if name.isdigit() or name.endswith(":root"):
        return "account"
    if _UNIQUE.fullmatch(name):
        return "deleted"
    if name in WEB_IDENTITY:
        return "web"
    for part, kind in (
        (":saml-provider/", "saml"), (":oidc-provider/", "oidc"), (":assumed-role/", "session"),
        (":role/", "role"), (":user/", "user"), (".amazonaws.com", "service"),
    ):  # fmt: skip
        if part in name:
            return kind
    return ""


def _issuer(name: str) -> str | None:
    provider = provider_of(name)
    return None if provider is None else provider.issuer.id


def _may_assume(found: Held, name: str) -> Reasoned:
    """Say whether a named principal may assume the role under some circumstances."""
    kind = _kind(name)
    context = claims_of(found.policies, name)
    requests = RequestSet(_ASSUME.get(kind, ("sts:AssumeRole",)), (any_role(found),), context=context)
    if kind == "deleted":
        return Yes(_NOBODY)  # it names nobody who could ask
    if kind == "account":
        account = name if name.isdigit() else account_of(name)
        head = f"arn:aws:iam::{account}:"
        several = tuple(joined(exact(f"{head}{what}/"), ANYTHING) for what in ("role", "user"))
        callers = Callers(several, likely=(f"{head}role/example",))
    elif kind == "anybody":
        callers = Callers(
            (joined(exact("arn:aws:iam::555566667777:role/"), ANYTHING),), tuple(sorted(WEB_IDENTITY))
        )
    elif kind in ("role", "user"):
        callers = Callers((exact(name),), (), True)
    else:
        callers = Callers((), (name,))
    return grants(found.policies, requests, callers)


def allows_other_actions(subject: Subject, *, policy: Path | None) -> Answer:
    """TRUE when a statement allows actions that have nothing to do with assuming a role."""
    found = trust_of(subject, policy)
    known = catalogue()
    wanted = known.matching_any((*ROLE_ACTIONS, "sts:SetContext"))
    for statement in _allowing(found.policies):
        if statement.opaque is None and action_bits(statement, known) & ~wanted:
            named = ", ".join(("all but " if statement.not_action else "") + a for a in statement.actions)
            return Answer(TRUE, (Evidence(found.where, named, unwanted(_OTHERS), "request_allowed"),))
    if any(s.opaque is not None for s in _allowing(found.policies)):
        return undecided(found, ("what a statement allows is not known",), unwanted(_OTHERS))
    return allowed(found, No(), _OTHERS)


def admits_service(subject: Subject, *, services: Sequence[str], policy: Path | None) -> Answer:
    """TRUE when an AWS service may assume the role while it works for a stranger's account."""
    found = in_organization(trust_of(subject, policy))
    wanted = tuple(services) or tuple(DEPUTIES)
    named = [n for s in _allowing(found.policies) for n in _named(s) if n in wanted]
    if any(s.opaque is not None or "*" in _services(s) for s in _allowing(found.policies)):
        named += wanted[:1]  # one stands for any that is not known
    why: dict[str, None] = {}
    for service in dict.fromkeys(named):
        asked = ("deputy", service, found.account if found.account in STRANGERS else None, any_role(found))
        answer = remembered(asked, found.policies, partial(_for_strangers, found, service))
        if isinstance(answer, Yes):
            request = of_role(found, answer.witness)
            said = may_call(request)
            evidence = Evidence(found.where, said, unwanted(_FOR_A_STRANGER), "request_allowed")
            return Answer(TRUE, (evidence,), witness(request))
        why.update(dict.fromkeys(answer.why if isinstance(answer, Unknown) else ()))
    return (
        undecided(found, tuple(why), unwanted(_FOR_A_STRANGER))
        if why
        else allowed(found, No(), _FOR_A_STRANGER)
    )


def _services(statement: Statement) -> tuple[str, ...]:
    principals = statement.principals or {}
    return (*principals.get("Service", ()), *principals.get("*", ()))


def _for_strangers(found: Held, service: str) -> Reasoned:
    """Ask about each account that nobody names: one, and one for each pattern of accounts."""
    why: dict[str, None] = {}
    organizations = _values(found.policies, "aws:sourceorgid")
    paths = _values(found.policies, "aws:sourceorgpaths")
    texts = (v for p in found.policies for s in p.statements for c in s.conditions for v in c.values)
    ours = tuple(f"arn:*:*:*:{a}:*" for a in sorted(names_accounts(texts)) if a != "*")
    for account in strangers(found):
        context = {
            "aws:sourceaccount": Values((account,)),
            "aws:sourcearn": Values((f"arn:aws:*:*:{account}:*",), but=ours),
            "aws:sourceorgid": Values(organizations, True, True),
            "aws:sourceorgpaths": Values(paths, True, True),
        }
        asked = {key: value for key, value in context.items() if _values(found.policies, key)}
        asked["aws:sourceaccount"] = context["aws:sourceaccount"]
        requests = RequestSet(("sts:AssumeRole",), (any_role(found),), context=asked, spelled=_SPELLED)
        answer = grants(found.policies, requests, Callers((), (service,)))
        if isinstance(answer, Yes):
            return answer
        why.update(dict.fromkeys(answer.why if isinstance(answer, Unknown) else ()))
    return Unknown(tuple(why)) if why else No()


def _values(policies: Sequence[Policy], key: str) -> tuple[str, ...]:
    """Return the values that conditions on a key name."""
    conditions = (c for p in policies for s in p.statements for c in s.conditions)
    return tuple(v for c in conditions if c.key.lower() == key for v in c.values)
