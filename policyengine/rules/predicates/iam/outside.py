"""Who outside gets in: ``iam.allows_public``, ``iam.allows_outside_account``, ``…_organization``.

"Anybody" is a principal of an account, and of an organisation, that no document names, or nobody in
particular; from a network that no document names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from policyengine.iam.account_ids import names_accounts
from policyengine.iam.cells import ANYTHING, exact, joined
from policyengine.iam.documents import Statement
from policyengine.iam.domains import Callers
from policyengine.iam.errors import PolicyError
from policyengine.iam.public_access import PublicAccessBlock, is_public
from policyengine.iam.reason import ALL, No, Unknown, Yes, grants
from policyengine.iam.reason import Answer as Reasoned
from policyengine.iam.request_set import RequestSet, Values
from policyengine.iam.token_shortcut import positive
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE
from policyengine.model.resource import Path, Resource
from policyengine.model.values import Unresolved
from policyengine.rules.iam import public_access
from policyengine.rules.iam.aws_accounts import LOG_WRITERS
from policyengine.rules.iam.held import Held, held
from policyengine.rules.iam.standins import ACCOUNT
from policyengine.rules.iam.values import account_id
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import (
    about_own,
    allowed,
    names_others,
    requests_of,
    undecided,
    unreadable,
    unwanted,
)
from policyengine.rules.predicates.iam.circumstances import (
    CALLER_ACCOUNT,
    ORGANIZATION_KEYS,
    OWN_ORGANIZATION,
    beyond,
    in_organization,
    nowhere,
    statements_of,
    texts_of,
    without_owners,
)
from policyengine.rules.predicates.iam.unnamed import unread_names

_PUBLIC: Final = "public access"
_ACCOUNT: Final = "access from another account"
_ORGANIZATION: Final = "access from outside the organisation"
STRANGERS: Final = ("555566667777", "555566667788", "555566667799", "444433332211")
"""Accounts that stand for any that nothing names; the first that is not named is taken."""
_ABOUT_ROOT: Final = frozenset({"aws:principalarn", "aws:principaltype", "aws:userid"})
"""Keys that tell the root user of an account from its other principals."""
_PART: Final = re.compile(r"(?<![^:])[0-9*?]{2,12}(?![^:])")
MOST_ACCOUNTS: Final = 500
_NONE: Final = (PublicAccessBlock(), PublicAccessBlock())


def allows_public(subject: Subject, *, policy: Path | None, requests: Any) -> Answer:
    """TRUE when the policy grants something to anybody, with a request of somebody nobody knows."""
    try:
        asked = ALL if requests is None else requests_of(requests)
    except PolicyError as error:
        return unreadable(error)
    found = _attached(subject, policy)
    found = replace(
        found, documents=tuple(replace(d, policy=without_owners(d.policy)) for d in found.documents)
    )
    if subject.resource.type == "AWS::S3::Bucket" and _surely_blocked(subject, found):
        expected = f"{_PUBLIC}; S3 Block Public Access restricts it"
        return Answer(FALSE, (Evidence(found.where, "RestrictPublicBuckets", expected, "no_such_request"),))
    answer = _from_anybody(found, asked)
    if isinstance(answer, Yes) and _perhaps_blocked(subject, found):
        unknown = Unresolved("not_collected", "whether S3 Block Public Access of the account restricts it")
        path: Path = ("PublicAccessBlockConfiguration",)
        return undecided(replace(found, doubts=((path, unknown),)), (), unwanted(_PUBLIC))
    return allowed(found, answer, _PUBLIC, strangers(found))


def _attached(subject: Subject, policy: Path | None) -> Held:
    """Return the policy attached to a resource: of a role the one that says who may assume it."""
    if policy is None and subject.resource.type == "AWS::IAM::Role":
        policy = ("AssumeRolePolicyDocument",)
    return held(subject, policy)


def _from_anybody(found: Held, asked: RequestSet) -> Reasoned:
    found = in_organization(found, OWN_ORGANIZATION)
    return _granted_to(found, strangers(found), _anonymous(found), nowhere(found.policies), asked)


def allows_outside_account(
    subject: Subject, *, policy: Path | None, trusted_accounts: Sequence[str], requests: Any
) -> Answer:
    """TRUE when the policy grants something to a principal of another account that is not trusted."""
    try:
        asked = ALL if requests is None else requests_of(requests)
    except PolicyError as error:
        return unreadable(error)
    found = in_organization(_attached(subject, policy), OWN_ORGANIZATION)
    inside = {found.account, *trusted_accounts}
    answer = _to_outsiders(subject.resource, found, inside, {}, asked)
    return _of_known_account(subject, found, answer, _ACCOUNT, asked)


def allows_outside_organization(
    subject: Subject, *, policy: Path | None, trusted_accounts: Sequence[str], requests: Any
) -> Answer:
    """TRUE when the policy grants something to a principal of an account outside the organisation."""
    try:
        asked = ALL if requests is None else requests_of(requests)
    except PolicyError as error:
        return unreadable(error)
    attached = _attached(subject, policy)
    found = in_organization(attached, OWN_ORGANIZATION)
    inside = {found.account, *trusted_accounts}
    answer = _to_outsiders(subject.resource, found, inside, {}, asked)
    if isinstance(answer, No):  # most policies let nobody of any other account in
        return allowed(found, answer, _ORGANIZATION, strangers(found))
    others, organization, more = members(subject)
    found, inside = in_organization(attached, organization or OWN_ORGANIZATION), inside | others
    context = beyond(organization) if organization else {}
    answer = _to_outsiders(subject.resource, found, inside, context, asked)
    if isinstance(answer, Yes) and more is not None:
        anybody = _from_anybody(found, asked)
        if isinstance(anybody, Yes):
            return allowed(found, anybody, _ORGANIZATION, strangers(found))
        return undecided(
            replace(found, doubts=((("with", "organization"), more),)), (), unwanted(_ORGANIZATION)
        )
    return _of_known_account(subject, found, answer, _ORGANIZATION, asked)


def _of_known_account(
    subject: Subject, found: Held, answer: Reasoned, expected: str, asked: RequestSet
) -> Answer:
    """Return the answer; where code is bound to no account, an account it names may be its own."""
    if isinstance(answer, Yes) and account_id(subject.resource) is None:
        anybody = _from_anybody(found, asked)
        if not isinstance(anybody, Yes):
            unknown = Unresolved("not_collected", "the account of code that is bound to none")
            return undecided(replace(found, doubts=((found.where, unknown),)), (), unwanted(expected))
        answer = anybody
    return allowed(found, answer, expected, strangers(found))


def _to_outsiders(
    resource: Resource, found: Held, inside: Collection[str], context: dict[str, Values], asked: RequestSet
) -> Reasoned:
    """Say whether strangers from nowhere, or accounts outside that documents name, are granted anything.

    Who is let in from one network, or by a source that is inside, is let in by that; a role is not, because
    who takes it has it from then on wherever they are.
    """
    anonymous = _anonymous(found)
    trust = any(document.policy.kind == "trust" for document in found.documents)
    keys = {} if trust else nowhere(found.policies)
    elsewhere = {key: values for key, values in keys.items() if key not in ORGANIZATION_KEYS}
    answer = _granted_to(found, strangers(found), anonymous, {**elsewhere, **context}, asked)
    if isinstance(answer, Yes):
        return answer
    named = _named_outside(found, inside if trust else {*inside, *LOG_WRITERS})
    other = _granted_to(found, named, False, context, asked) if named else No()
    if isinstance(answer, No) and isinstance(other, No):
        unread = unread_names(resource, found.documents)
        anyone = _granted_to(found, strangers(found), False, context, asked) if unread else No()
        if unread is not None and not isinstance(anyone, No):
            return Unknown((unread,))
    return answer if isinstance(other, No) else other


# -- who ------------------------------------------------------------------------------------------------


def strangers(found: Held) -> list[str]:
    """Return an account that nothing names, and one for each pattern that stands for a part of one."""
    texts = list(texts_of(found.policies))
    named = names_accounts(texts) | {found.account, ACCOUNT}
    nobody = next(account for account in STRANGERS if account not in named)
    return [nobody, *_of_parts(texts, named)]


def _of_parts(texts: Iterable[str], named: Collection[str]) -> Iterator[str]:
    for text in texts:
        for match in _PART.finditer(text):
            part = match.group()
            if ("*" in part or "?" in part) and any(c.isdigit() for c in part):
                known = part.replace("?", "7")
                head, star, tail = known.partition("*")
                filled = head + "7" * (12 - len(head) - len(tail)) + tail if star else known
                if len(filled) == 12 and filled.isdigit() and filled not in named:
                    yield filled


def _named_outside(found: Held, inside: Collection[str]) -> list[str]:
    named = names_accounts(texts_of(found.policies))
    return sorted(a for a in named if a != "*" and a not in inside)[:MOST_ACCOUNTS]


def _anonymous(found: Held) -> bool:
    """Whether AWS takes unsigned requests for what the policy is about: not for roles and keys."""
    return all(document.policy.kind not in ("trust", "key") for document in found.documents)


def _callers(accounts: Sequence[str], anonymous: bool, root: bool) -> Callers:
    heads = [f"arn:aws:iam::{account}:" for account in accounts]
    patterns = [joined(exact(head + kind), ANYTHING) for head in heads for kind in ("role/", "user/")]
    if root:
        patterns += [exact(head + "root") for head in heads]
    likely = tuple(head + "role/example" for head in heads[:1])
    return Callers(tuple(patterns), ("*",) if anonymous else (), likely=likely)


def _granted_to(
    found: Held,
    accounts: Sequence[str],
    anonymous: bool,
    context: dict[str, Values],
    asked: RequestSet = ALL,
) -> Reasoned:
    """Say whether principals of these accounts are granted anything."""
    absent = {k for k, v in asked.context.items() if v.absent and not v.patterns and not v.negated}
    if not any(_may_name(s, accounts) and not _asks_for(s, absent) for s in statements_of(found.policies)):
        return No()
    keys = {c.key.lower() for s in statements_of(found.policies) for c in s.conditions}
    together = [accounts] if CALLER_ACCOUNT not in keys else [[account] for account in accounts]
    why: dict[str, None] = {}
    for some in together:
        own = {**context, CALLER_ACCOUNT: Values(tuple(some))} if CALLER_ACCOUNT in keys else context
        for root in (False, True) if keys & _ABOUT_ROOT else (False,):
            answer = _asked(found, _callers(some, anonymous, root), own, asked)
            if isinstance(answer, Yes):
                return answer
            why.update(dict.fromkeys(answer.why if isinstance(answer, Unknown) else ()))
    return Unknown(tuple(why)) if why else No()


def _may_name(statement: Statement, accounts: Collection[str]) -> bool:
    """Whether a statement may allow anything to principals of accounts: most name others, and need no proof."""
    if not statement.allow:
        return False
    principals = statement.principals
    if statement.opaque is not None or statement.not_principal or principals is None:
        return True
    if "*" in principals or "CanonicalUser" in principals:
        return True
    names = principals.get("AWS", ())
    return "*" in names or not names_accounts(names).isdisjoint(accounts)


def _asks_for(statement: Statement, keys: Collection[str]) -> bool:
    """Whether a statement has a condition that no request without these keys meets."""
    return any(c.key.lower() in keys and positive(c) for c in statement.conditions) if keys else False


def _asked(found: Held, callers: Callers, context: dict[str, Values], asked: RequestSet) -> Reasoned:
    requests = replace(asked, context={**context, **asked.context})
    answer = grants(found.policies, about_own(requests, found), callers)
    if isinstance(answer, No) and names_others(found):
        return grants(found.policies, requests, callers)
    return answer


# -- the organisation, S3 Block Public Access ---------------------------------------------------------------


def members(subject: Subject) -> tuple[set[str], str | None, Unresolved | None]:
    """Return the organisation's accounts and id, and why there may be other accounts."""
    accounts = subject.organization("AWS::Organizations::Account")
    records = subject.organization("AWS::Organizations::Organization")
    if isinstance(accounts, Unresolved):
        return set(), None, accounts
    ids = [r.properties.get("AccountId", r.id) for r in accounts]
    found = {i for i in ids if isinstance(i, str)}
    roots = records if isinstance(records, list) else []
    managers = [r.properties.get("ManagementAccountId", "") for r in roots]
    found.update(m for m in managers if isinstance(m, str))
    names = [r.properties.get("Id", r.id) for r in roots]
    organization = names[0] if len(names) == 1 and isinstance(names[0], str) else None
    more = getattr(accounts, "more", None)
    known = all(isinstance(i, str) for i in (*ids, *managers))
    if more is None and (organization is None or not found or not known):
        more = Unresolved("not_collected", "the accounts of the organisation")
    return found, organization, more


def _surely_blocked(subject: Subject, found: Held) -> bool:
    """Whether S3 surely keeps outsiders from a bucket with this policy."""
    surely, _ = _bounds(subject)
    return surely.restrict_public_buckets and all(is_public(p) is True for p in found.policies)


def _perhaps_blocked(subject: Subject, found: Held) -> bool:
    if subject.resource.type != "AWS::S3::Bucket":
        return False
    _, most = _bounds(subject)
    return most.restrict_public_buckets and any(is_public(p) is not False for p in found.policies)


def _bounds(subject: Subject) -> public_access.Bounds:
    """Return the settings that are shown; code that sets none claims no protection."""
    resource = subject.resource
    own = public_access.settings(resource)
    if resource.file is not None:
        return own if "PublicAccessBlockConfiguration" in resource.properties else _NONE
    table = subject.tables(public_access.ACCOUNT)
    accounts = table if isinstance(table, list) else []
    above = public_access.settings(accounts[0]) if len(accounts) == 1 else public_access.NOTHING_KNOWN
    return public_access.together(own, above)
