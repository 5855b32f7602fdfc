"""``org.covers``: are requests denied in an account by the SCPs above it, whatever its own policies allow?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from policyengine.iam.covering import Coverage, passed_over
from policyengine.iam.errors import PolicyError
from policyengine.iam.reason import WHY, No, Unknown, Yes, covered
from policyengine.iam.request_set import RequestSet
from policyengine.iam.sentences import may_call, why_passed
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.iam.organizations import Members, members_of
from policyengine.rules.iam.standins import ACCOUNT
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam_asking import requests_of, unreadable, witness

_EXPECTED: Final = "SCPs that deny every such request"
_SHOWN: Final = 8
"""Statements, or accounts, that evidence names one by one."""


def covers(subject: Subject, *, requests: Any) -> Answer:
    """TRUE when SCPs deny every request of the set in the account, or in every member account."""
    try:
        asked = requests_of(requests)
    except PolicyError as error:
        return unreadable(error)
    members = members_of(subject)
    if isinstance(members, Unresolved):
        return Answer(UNKNOWN, (Evidence((), members, _EXPECTED, members.reason),))
    if members is None:
        return _open(asked, _names(subject.resource)[0], "the account is in no organisation")
    if subject.resource.type == "AWS::Organizations::Organization":
        return _everywhere(members, asked)
    return _in_account(members, asked, subject.resource)


def _in_account(members: Members, asked: RequestSet, resource: Resource) -> Answer:
    organization = members.organization
    names = _names(resource)
    if organization.management_account in names:
        return _open(asked, names[0], "SCPs do not restrict the management account")
    found = members.covered(asked)
    result = next((found[name] for name in names if name in found), None)
    if result is None:
        unknown = Unresolved("not_collected", f"the organisation's records do not show `{names[0]}`")
        return Answer(UNKNOWN, (Evidence((), unknown, _EXPECTED, unknown.reason),))
    return _of(result)


def _names(resource: Resource) -> list[str]:
    """Return what may be the id of an account."""
    found = (resource.properties.get("AccountId"), resource.id, resource.account)
    own = found[:2] if resource.type == "AWS::Organizations::Account" else found
    return [name for name in own if isinstance(name, str)] or [ACCOUNT]


def _of(result: Coverage) -> Answer:
    answer = result.answer
    if isinstance(answer, No):
        return Answer(TRUE, tuple(_denying(result)))
    if isinstance(answer, Unknown):
        return _undecided(answer.why)
    passed = tuple(_let_through(result))
    because = f", because {passed[0].observed}" if passed else ""
    first = Evidence((), f"{may_call(answer.witness)}{because}", _EXPECTED, "request_not_denied")
    return Answer(FALSE, (first, *passed), witness(answer.witness))


def _open(asked: RequestSet, account: str, why: str) -> Answer:
    """Return the answer where no SCP restricts anybody."""
    number = account if len(account) == 12 and account.isdigit() else ACCOUNT
    answer = covered(asked, [], number)
    if isinstance(answer, Yes):
        text = f"{may_call(answer.witness)}, because {why}"
        evidence = Evidence((), text, _EXPECTED, "request_not_denied")
        return Answer(FALSE, (evidence,), witness(answer.witness))
    if isinstance(answer, Unknown):
        return _undecided(answer.why)
    return Answer(TRUE, (Evidence((), ABSENT, "no such request", "requirement_met"),))


def _undecided(why: Sequence[str]) -> Answer:
    unknown = Unresolved("not_collected", "; ".join(WHY.get(code, code) for code in why))
    return Answer(UNKNOWN, (Evidence((), unknown, _EXPECTED, unknown.reason),))


def _denying(result: Coverage) -> Iterator[Evidence]:
    for node in result.blocked[:_SHOWN]:
        yield Evidence(
            ("with", node), "no SCP here allows any of these actions", _EXPECTED, "requirement_met"
        )
    for denial in result.denials[:_SHOWN]:
        place = ("with", denial.node, denial.attached.name)
        yield Evidence(place, _statement(denial.statement), _EXPECTED, "requirement_met")
    if not result.blocked and not result.denials:
        yield Evidence((), "no such request", _EXPECTED, "requirement_met")


def _let_through(result: Coverage) -> Iterator[Evidence]:
    assert isinstance(result.answer, Yes)
    if not result.layer:
        yield Evidence((), "SCPs are not enabled", _EXPECTED, "request_not_denied")
    elif not result.denials:
        yield Evidence((), "no SCP denies any of these actions", _EXPECTED, "request_not_denied")
    request = result.answer.witness
    for denial, _ in list(passed_over(result.denials, request))[:_SHOWN]:
        place = ("with", denial.node, denial.attached.name)
        name = f" `{denial.statement.sid}`" if denial.statement.sid else ""
        observed = f"the Deny{name} in SCP {denial.attached.name} {why_passed(denial.statement, request)}"
        yield Evidence(place, observed, _EXPECTED, "request_not_denied")


def _statement(statement: Any) -> str:
    return f"statement {statement.index + 1}" + (f" `{statement.sid}`" if statement.sid else "")


def _everywhere(members: Members, asked: RequestSet) -> Answer:
    """Return the answer for every member account: one that is open decides, then one that is not known."""
    results = list(members.covered(asked).values())
    open_ = [r for r in results if isinstance(r.answer, Yes)]
    if open_:
        answers = [_of(result) for result in open_[:_SHOWN]]
        evidence = [_about(r, a.evidence[0]) for r, a in zip(open_, answers, strict=False)]
        return Answer(FALSE, tuple(evidence), answers[0].witness)
    doubtful = [r for r in results if isinstance(r.answer, Unknown)]
    if doubtful:
        return Answer(UNKNOWN, tuple(_about(r, _of(r).evidence[0]) for r in doubtful[:_SHOWN]))
    if not results:
        unknown = Unresolved("not_collected", "the accounts of the organisation")
        return Answer(UNKNOWN, (Evidence((), unknown, _EXPECTED, unknown.reason),))
    what = "one member account" if len(results) == 1 else f"{len(results):,} member accounts"
    return Answer(TRUE, (Evidence((), what, _EXPECTED, "requirement_met"),))


def _about(result: Coverage, evidence: Evidence) -> Evidence:
    return evidence._replace(path=("with", result.account))
