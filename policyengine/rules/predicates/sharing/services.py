"""``sharing.service_for_anybody``: may a service that a policy lets in act for somebody else?

Anybody may have a service act for them: a topic of any account can name any queue. A policy that lets a
service in says for whom, by ``aws:SourceAccount``, ``aws:SourceArn`` or ``aws:SourceOrgID``
(https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html), by any other key with a value
that names an account, or by the path that the service writes for an account
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from policyengine.iam.account_ids import names_accounts
from policyengine.iam.documents import Policy, Statement
from policyengine.iam.domains import Callers
from policyengine.iam.errors import PolicyError
from policyengine.iam.reason import ALL, No, Unknown, Yes, grants
from policyengine.iam.reason import Answer as Reasoned
from policyengine.iam.request_set import RequestSet, Values
from policyengine.model.resource import Path
from policyengine.rules.iam.held import Held, held, remembered
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import (
    about_own,
    allowed,
    names_others,
    requests_of,
    unreadable,
)
from policyengine.rules.predicates.iam.circumstances import in_organization, nowhere

_EXPECTED: Final = "service that may come for an account outside"
_PLAIN: Final = frozenset({"stringequals", "stringlike", "arnequals", "arnlike"})
_NAMES: Final = (".amazonaws.com", ".amazonaws.com.cn", ".amazon.com")
_SOME: Final = "unknown.amazonaws.com"
"""Stands for a service that a policy names in a way that is not known."""
_OF_RESOURCE: Final = frozenset({"aws:resourceaccount", "aws:requestedregion", "s3:resourceaccount"})
"""Keys that say nothing of who asks."""
_TOKENS: Final = frozenset({"lambda:eventsourcetoken"})
_WRITERS: Final = frozenset(
    {
        "cloudtrail.amazonaws.com", "config.amazonaws.com", "delivery.logs.amazonaws.com",
        "logdelivery.elasticloadbalancing.amazonaws.com", "logdelivery.elb.amazonaws.com",
    }
)  # fmt: skip
_OWN_PATH: Final = re.compile(r"/AWSLogs/(?:o-[a-z0-9]+/)?[0-9]{12}(?:/|$)")
"""Where these services write for an account; what they do for another one goes elsewhere."""


def service_for_anybody(
    subject: Subject, *, policy: Path | None, requests: Any, except_services: Sequence[str]
) -> Answer:
    """TRUE when the policy lets an AWS service in that may act for somebody else's account."""
    try:
        asked = ALL if requests is None else requests_of(requests)
    except PolicyError as error:
        return unreadable(error)
    found = held(subject, policy)
    services = [s for s in _services(found.policies) if s not in except_services]
    if not services:
        return allowed(found, No(), _EXPECTED)
    question = ("service_for_anybody", id(requests), tuple(services), found.arn)
    bounded = _bounded(in_organization(found))
    return allowed(
        found, remembered(question, found.policies, lambda: _asked(bounded, services, asked)), _EXPECTED
    )


def _asked(found: Held, services: Sequence[str], asked: RequestSet) -> Reasoned:
    """Say whether one of the services is let in for a stranger."""
    context = {**nowhere(found.policies), **_named(found.policies), **asked.context}
    let_in = [s for p in found.policies for s in p.statements if _let_in(s)]
    if all(_keeps_strangers_out(statement, context) for statement in let_in):
        return No()
    unknown = any(statement.opaque is not None for statement in let_in)  # it may name another resource
    requests = replace(asked, context=context)
    why: dict[str, None] = {}
    for service in services:
        callers = Callers((), (service,), True)
        answer = grants(found.policies, about_own(requests, found), callers)
        if isinstance(answer, No) and (names_others(found) or unknown):
            answer = grants(found.policies, requests, callers)
        if isinstance(answer, Yes):
            return answer
        why.update(dict.fromkeys(answer.why if isinstance(answer, Unknown) else ()))
    return Unknown(tuple(why)) if why else No()


def _keeps_strangers_out(statement: Statement, context: Mapping[str, Values]) -> bool:
    """Whether a condition plainly asks for a value that a stranger does not have: most do, and need no proof."""
    for condition in statement.conditions:
        other = context.get(condition.key.lower())
        plain = condition.operator.lower() in _PLAIN
        if plain and other and other.negated and set(condition.values) <= set(other.patterns):
            return True
    return False


def _services(policies: Sequence[Policy]) -> list[str]:
    found = (s for p in policies for one in p.statements for s in _let_in(one))
    return list(dict.fromkeys(s for s in found if s.endswith(_NAMES)))


def _let_in(statement: Statement) -> tuple[str, ...]:
    """Return the services a statement names, a stand-in for one that is not known."""
    if not statement.allow or statement.not_principal:
        return ()
    principals = statement.principals or {}
    if statement.opaque is not None and (not principals or principals.keys() - {"AWS", "CanonicalUser"}):
        return (*(s for s in principals.get("Service", ()) if s != "*"), _SOME)
    return tuple(s for s in principals.get("Service", ()) if s != "*")


def _named(policies: Sequence[Policy]) -> dict[str, Values]:
    """Return the keys by which statements name accounts or tokens; a stranger has other values, or none."""
    found: dict[str, dict[str, None]] = {}
    for key, values in _conditions(policies):
        named = [v for v in values if key in _TOKENS or names_accounts([v]) - {"*"}]
        if named and key not in _OF_RESOURCE:
            found.setdefault(key, {}).update(dict.fromkeys(named))
    return {key: Values(tuple(values), True, True) for key, values in found.items()}


def _conditions(policies: Sequence[Policy]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for policy in policies:
        for statement in policy.statements:
            for condition in statement.conditions:
                yield condition.key.lower(), condition.values


def _bounded(found: Held) -> Held:
    """Return the documents without the statements that are held to an account by the path of their resources."""
    documents = []
    for document in found.documents:
        kept = tuple(_told(s) for s in document.policy.statements if not _own_path(s))
        same = len(kept) == len(document.policy.statements) and all(
            a is b for a, b in zip(kept, document.policy.statements, strict=True)
        )
        documents.append(
            document if same else replace(document, policy=replace(document.policy, statements=kept))
        )
    return replace(found, documents=tuple(documents))


def _told(statement: Statement) -> Statement:
    """Return a statement with the stand-in among its services, where it has one."""
    services = _let_in(statement)
    if _SOME not in services:
        return statement
    return replace(statement, principals={**(statement.principals or {}), "Service": services}, compiled=[])


def _own_path(statement: Statement) -> bool:
    services = _let_in(statement)
    resources = statement.resources or ()
    return (
        bool(services)
        and _WRITERS.issuperset(services)
        and not statement.not_resource
        and bool(resources)
        and all(_OWN_PATH.search(resource) for resource in resources)
    )
