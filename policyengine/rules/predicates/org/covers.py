"""``org.covers``: are requests denied in an account by the SCPs above it, whatever its own policies allow?"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Final

from policyengine.iam.covering import Coverage, Unnamed, passed_over
from policyengine.iam.proposal import proposed
from policyengine.iam.reason import No, Unknown, Yes, covered
from policyengine.iam.request_set import RequestSet
from policyengine.iam.sentences import may_call, why_passed
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.iam.organizations import Members, members_of
from policyengine.rules.iam.standins import ACCOUNT
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import unreadable, witness
from policyengine.rules.predicates.org.asking import (
    PolicyError,
    asked_of,
    names_of,
    not_shown,
    undecided,
    unresolved,
)
from policyengine.rules.predicates.org.cause import scps_as_cause
from policyengine.rules.predicates.org.spared import spared

EXPECTED: Final = "SCPs that deny every such request"
_SHOWN: Final = 8
"""Statements, actions or accounts that evidence names one by one."""
_PROPOSED: Final[dict[Hashable, str | None]] = {}
"""What a set of requests holds → the statement that would close it."""


def covers(subject: Subject, *, requests: Any, exempt: Sequence[str]) -> Answer:
    """TRUE when SCPs deny every request of the set in the account, or in every member account."""
    try:
        asked = asked_of(requests, exempt)
    except PolicyError as error:
        return unreadable(error)
    return covered_for(subject, asked)


def covered_for(subject: Subject, asked: RequestSet) -> Answer:
    """TRUE when SCPs deny every request of a set around a subject; the set must be kept by the caller."""
    members = members_of(subject)
    if isinstance(members, Unresolved):
        return unresolved(members, EXPECTED)
    if members is None:
        return _open(asked, names_of(subject.resource)[0], "the account is in no organisation")
    if subject.resource.type == "AWS::Organizations::Organization":
        return _everywhere(members, asked)
    return _in_account(members, asked, subject.resource)


def _in_account(members: Members, asked: RequestSet, resource: Resource) -> Answer:
    names = names_of(resource)
    if members.organization.management_account in names:
        return _open(asked, names[0], "SCPs do not restrict the management account")
    found = members.covered(asked)
    result = next((found[name] for name in names if name in found), None)
    return not_shown(names[0], EXPECTED) if result is None else _of(members, result, asked)


def _of(members: Members, result: Coverage, asked: RequestSet) -> Answer:
    answer = result.answer
    if isinstance(answer, No):
        return Answer(TRUE, (*_denying(result), *_left_out(asked, "requirement_met")))
    if isinstance(answer, Unknown):
        return undecided(answer.why, EXPECTED)
    passed = tuple(_let_through(result))
    because = f", because {passed[0].observed}" if passed else ""
    first = Evidence((), f"{may_call(answer.witness)}{because}", EXPECTED, "request_not_denied")
    found = (first, *passed, *_more(members, result, asked, answer))
    return Answer(FALSE, found, witness(answer.witness), scps_as_cause(members, result.account, asked))


def _more(members: Members, result: Coverage, asked: RequestSet, answer: Yes) -> Iterator[Evidence]:
    """Yield what else is open, who is spared, and a statement that would close it."""
    if result.denials and result.unnamed is not None:
        yield Evidence((), unnamed_words(result.unnamed), EXPECTED, "request_not_denied")
    yield from spared(members, result, answer.witness.principal)
    yield from _left_out(asked, "request_not_denied")
    statement = proposal(asked)
    if statement is not None:
        yield Evidence(("with", "proposed statement"), statement, EXPECTED, "request_not_denied")


def unnamed_words(unnamed: Unnamed) -> str:
    """Return which actions no Deny is about: ``52 of 59 actions are in no Deny: all of bedrock-mantle, …``."""
    named = [*(f"all of {service}" for service in unnamed.services), *unnamed.names[:_SHOWN]]
    more = len(unnamed.names) - _SHOWN
    rest = f" and {more:,} more" if more > 0 else ""
    return f"{unnamed.actions:,} of {unnamed.asked:,} actions are in no Deny: {', '.join(named)}{rest}"


def proposal(asked: RequestSet) -> str | None:
    """Return the statement that would close a set, as JSON; sets that are the same share one."""
    context = tuple(asked.context.items())
    key = (asked.actions, asked.resources, asked.principals, context, asked.exempt, asked.excluded)
    if key not in _PROPOSED:
        if len(_PROPOSED) >= 256:
            _PROPOSED.clear()
        found = proposed(asked)
        _PROPOSED[key] = None if found is None else json.dumps(found, ensure_ascii=False)
    return _PROPOSED[key]


def _left_out(asked: RequestSet, code: str) -> Iterator[Evidence]:
    if asked.exempt:
        text = f"{', '.join(asked.exempt)}; service-linked roles"
        yield Evidence(("parameters", "exempt"), text, "principals that are left out", code)


def _open(asked: RequestSet, account: str, why: str) -> Answer:
    """Return the answer where no SCP restricts anybody."""
    number = account if len(account) == 12 and account.isdigit() else ACCOUNT
    answer = covered(asked, [], number)
    if isinstance(answer, Yes):
        text = f"{may_call(answer.witness)}, because {why}"
        evidence = Evidence((), text, EXPECTED, "request_not_denied")
        return Answer(FALSE, (evidence,), witness(answer.witness))
    if isinstance(answer, Unknown):
        return undecided(answer.why, EXPECTED)
    return Answer(TRUE, (Evidence((), ABSENT, "no such request", "requirement_met"),))


def _denying(result: Coverage) -> Iterator[Evidence]:
    for node in result.blocked[:_SHOWN]:
        yield Evidence(("with", node), "no SCP here allows any of these actions", EXPECTED, "requirement_met")
    for denial in result.denials[:_SHOWN]:
        place = ("with", denial.node, denial.attached.name)
        yield Evidence(place, statement_name(denial.statement), EXPECTED, "requirement_met")
    if not result.blocked and not result.denials:
        yield Evidence((), "no such request", EXPECTED, "requirement_met")


def _let_through(result: Coverage) -> Iterator[Evidence]:
    assert isinstance(result.answer, Yes)
    if not result.layer:
        yield Evidence((), "SCPs are not enabled", EXPECTED, "request_not_denied")
    elif not result.denials:
        yield Evidence((), "no SCP denies any of these actions", EXPECTED, "request_not_denied")
    request = result.answer.witness
    passed = [denial for denial, _ in passed_over(result.denials, request)]
    for denial in (passed or result.denials)[:_SHOWN]:
        place = ("with", denial.node, denial.attached.name)
        name = f" `{denial.statement.sid}`" if denial.statement.sid else ""
        observed = f"the Deny{name} in SCP {denial.attached.name} {why_passed(denial.statement, request)}"
        yield Evidence(place, observed, EXPECTED, "request_not_denied")


def statement_name(statement: Any) -> str:
    """Return how a reader finds a statement: its number from 1, and its Sid."""
    return f"statement {statement.index + 1}" + (f" `{statement.sid}`" if statement.sid else "")


def _everywhere(members: Members, asked: RequestSet) -> Answer:
    """Return the answer for every member account: one that is open decides, then one that is not known."""
    results = list(members.covered(asked).values())
    open_ = [r for r in results if isinstance(r.answer, Yes)]
    if open_:
        answers = [_of(members, result, asked) for result in open_[:_SHOWN]]
        evidence = [_about(r, a.evidence[0]) for r, a in zip(open_, answers, strict=False)]
        return Answer(FALSE, (*evidence, *answers[0].evidence[1:]), answers[0].witness)
    doubtful = [r for r in results if isinstance(r.answer, Unknown)]
    if doubtful:
        found = (_about(r, _of(members, r, asked).evidence[0]) for r in doubtful[:_SHOWN])
        return Answer(UNKNOWN, tuple(found))
    if not results:
        return unresolved(Unresolved("not_collected", "the accounts of the organisation"), EXPECTED)
    what = "one member account" if len(results) == 1 else f"{len(results):,} member accounts"
    return Answer(
        TRUE, (Evidence((), what, EXPECTED, "requirement_met"), *_left_out(asked, "requirement_met"))
    )


def _about(result: Coverage, evidence: Evidence) -> Evidence:
    return evidence._replace(path=("with", result.account))
