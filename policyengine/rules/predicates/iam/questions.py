"""What identity policies amount to: ``iam.admin``, ``iam.escalates``, ``iam.wildcards``, ``iam.new_access``.

Whose documents are the same get the same answer, decided once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from policyengine.iam.account_ids import account_of
from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.errors import PolicyError
from policyengine.iam.grammar import Kind
from policyengine.iam.managed import managed_policy
from policyengine.iam.questions import (
    Escalates,
    Wildcard,
    administered,
    administrator,
    escalates,
    wildcards,
)
from policyengine.iam.reason import Answer as Reasoned
from policyengine.iam.reason import No, Unknown, Yes, newly_allows
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.iam.held import Held, held, remembered
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import allowed, callers_of, undecided, unwanted

_ADMIN: Final = "permissions of an administrator"
_MORE: Final = "a way to more permissions than these"
_NAMED: Final = "changes allowed by wildcards"
_NEW: Final = "access that the baseline does not allow"
_MOST: Final = 20

_Ask = Callable[[Sequence[Policy]], Reasoned]


def admin(subject: Subject, *, services: bool, policy: Path | None) -> Answer:
    """TRUE when the policies amount to administrator; with ``services`` also of a single service."""
    found = held(subject, policy)
    answer = within_boundary(found, "admin", administrator)
    if isinstance(answer, Yes) or not services:
        return allowed(found, by_holder(found, answer), _ADMIN)
    named, complete = remembered(("services",), found.policies, lambda: administered(found.policies))
    limit = found.boundary
    if limit is not None and named:
        within = remembered(("services",), (limit.policy,), lambda: administered([limit.policy]))
        complete = complete and within.complete
        named = [service for service in named if service in within.services]
    if named:
        text = ", ".join(named[:_MOST]) + (" …" if len(named) > _MOST else "")
        return Answer(TRUE, (Evidence(found.where, text, unwanted(_ADMIN), "request_allowed"),))
    if isinstance(answer, No) and (found.doubts or not complete):
        # of a service they may still be
        return undecided(found, () if found.doubts else ("too_large",), unwanted(_ADMIN))
    return allowed(found, answer, _ADMIN)


def escalating(subject: Subject, *, policy: Path | None) -> Answer:
    """TRUE when a known path leads from the policies to more than they allow, with its first request."""
    found = held(subject, policy)
    answer = within_boundary(found, "escalates", escalates)
    expected = _MORE
    if isinstance(answer, Escalates):
        expected = f"{_MORE} ({answer.escalation.path.id})"
    return allowed(found, by_holder(found, answer), expected)


def by_holder(found: Held, answer: Reasoned) -> Reasoned:
    """Return the request as the holder of the documents would make it, where that is allowed too."""
    if not isinstance(answer, Yes):
        return answer
    witness = answer.witness
    stranger = account_of(witness.principal)
    who = found.arn if found.about == "principal" else witness.principal.replace(stranger, found.account)
    if who is None or ":group/" in who:
        return answer
    resource = witness.resource.replace(witness.principal, who).replace(stranger, found.account)
    moved = replace(witness, principal=who, resource=resource)
    limit = None if found.boundary is None else found.boundary.policy
    decision = authorize(moved.request(), Policies(identity=found.policies, boundary=limit))
    return Yes(moved) if decision.outcome == "Allowed" and not decision.unknown else answer


def within_boundary(found: Held, name: str, ask: _Ask) -> Reasoned:
    """Ask about the documents; a boundary that is no administrator's may take away what they give."""
    policies = found.policies
    if found.boundary is None:
        return remembered((name,), policies, lambda: ask(policies))
    limit = (found.boundary.policy,)
    most = remembered(("admin",), limit, lambda: administrator(limit))
    if isinstance(most, Yes) and not _keyed(most):
        return remembered((name,), policies, lambda: ask(policies))
    own = remembered(("admin",), policies, lambda: administrator(policies))
    if isinstance(own, Yes) and not _keyed(own):
        return remembered((name,), limit, lambda: ask(limit))
    # an administrator in some sessions escalates to nothing
    at_times = isinstance(own, Yes) or isinstance(most, Yes)
    # what one of them does not give, both together do not
    if (name == "admin" or not at_times) and any(
        isinstance(remembered((name,), documents, partial(ask, documents)), No)
        for documents in (policies, limit)
    ):
        return No()
    return Unknown(("the permissions boundary limits what the policies give",))


def _keyed(answer: Yes) -> bool:
    return bool(answer.witness.context.keys() - {"aws:RequestedRegion"})


def wild(subject: Subject, *, of: str | None, policy: Path | None) -> Answer:
    """TRUE when a statement allows changes by wildcards of actions or of resources."""
    found = held(subject, policy)
    known: list[Wildcard] = []
    doubtful = False
    denied = remembered(("wildcards", "denied"), found.policies, lambda: _left_over(found.policies))
    for wildcard in remembered(("wildcards",), found.policies, lambda: wildcards(found.policies)):
        if of is not None and wildcard.kind != of:
            continue
        left = denied is None or (wildcard.place, wildcard.kind) in denied
        if not left or _is_doubtful(found, wildcard):
            doubtful = True
        else:
            known.append(wildcard)
    if known:
        return Answer(TRUE, tuple(_wildcard(found, one, subject.resource) for one in known[:_MOST]))
    if doubtful:
        return undecided(found, (), unwanted(_NAMED))
    return Answer(FALSE, (Evidence(found.where, ABSENT, _NAMED, "no_such_request"),))


def _left_over(policies: Sequence[Policy]) -> frozenset[tuple[Any, str]] | None:
    """Return the places and kinds of wildcards that stay where every Deny that may apply does; None where
    none is in doubt."""
    if all(s.allow or s.opaque is None for p in policies for s in p.statements):
        return None
    sure = [
        replace(
            p,
            statements=tuple(s if s.allow else replace(s, opaque=None, compiled=[]) for s in p.statements),
        )
        for p in policies
    ]
    return frozenset((w.place, w.kind) for w in wildcards(sure))


def _is_doubtful(found: Held, wildcard: Wildcard) -> bool:
    place = wildcard.place
    statements = found.policies[place.policy].statements
    return any(s.opaque is not None for s in statements if s.index == place.statement)


def _wildcard(found: Held, wildcard: Wildcard, resource: Resource) -> Evidence:
    place, document = wildcard.place, found.documents[wildcard.place.policy]
    name = f"statement {place.statement + 1}" + (f" `{place.sid}`" if place.sid else "")
    text = f"{wildcard.kind} {', '.join(wildcard.patterns[:_MOST])} in {name} of {document.name}"
    own = (document.type, document.id) == (resource.type, resource.id)
    return Evidence(document.path if own else found.where, text, unwanted(_NAMED), "request_allowed")


def new_access(subject: Subject, *, baseline: Any, policy: Path | None) -> Answer:
    """TRUE when the policies allow a request that the baseline does not, with that request."""
    found = held(subject, policy)
    old = _baseline(subject, baseline, found)
    if isinstance(old, Answer):
        return old
    return allowed(found, newly_allows(old, found.policies, callers=callers_of(found)), _NEW)


def _baseline(subject: Subject, baseline: Any, found: Held) -> list[Policy] | Answer:
    """Return the documents of a baseline: policies, ARNs of policies AWS manages, or an alias."""
    if isinstance(baseline, str) and baseline in subject.relations:
        return _related(subject, baseline)
    kind: Kind = next((d.policy.kind for d in found.documents), "identity")
    policies = []
    for item in baseline if isinstance(baseline, list) else [baseline]:
        document = managed_policy(item) if isinstance(item, str) and item.startswith("arn:") else item
        try:
            if not isinstance(document, dict | str):
                raise PolicyError((), "no policy", str(item), "a policy, or the ARN of one AWS manages")
            policies.append(read_policy(document, kind))
        except PolicyError as error:
            evidence = Evidence((), str(error), "a baseline that can be read", "wrong_type")
            return Answer(UNKNOWN, (evidence,))
    return policies


def _related(subject: Subject, alias: str) -> list[Policy] | Answer:
    related = subject.related(alias)
    more = related if isinstance(related, Unresolved) else getattr(related, "more", None)
    if more is not None or isinstance(related, Unresolved):
        unknown = more or Unresolved("not_collected", "the baseline")
        return Answer(UNKNOWN, (Evidence(("with", alias), unknown, "a known baseline", unknown.reason),))
    found: list[Policy] = []
    for resource in related:
        found.extend(held(subject.about(resource)).policies)
    return found
