"""``org.member``, ``org.shown`` and ``org.in_member_account``: which account SCPs are no help for."""

from __future__ import annotations

from typing import Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.values import Unresolved
from policyengine.rules.iam.organizations import Members, members_of
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.org.asking import names_of, unresolved

_MEMBER: Final = "a member account, which SCPs restrict"
_ELSEWHERE: Final = "an account that SCPs restrict"
_NOT_KNOWN: Final = Unresolved("not_collected", "which account is the organisation's management account")


def member(subject: Subject) -> Answer:
    """TRUE when the account is a member of an organisation and not its management account."""
    members = members_of(subject)
    if isinstance(members, Unresolved):
        return unresolved(members, _MEMBER)
    if members is None:
        return Answer(FALSE, (Evidence((), "the account is in no organisation", _MEMBER, "value_mismatch"),))
    management = members.organization.management_account
    names = names_of(subject.resource)
    if management in names:
        return Answer(FALSE, (Evidence((), "the management account", _MEMBER, "value_mismatch"),))
    # an account that code creates is a member: nothing creates a management account
    if management is None and subject.resource.file is None:
        return unresolved(_NOT_KNOWN, _MEMBER)
    return Answer(TRUE, (Evidence((), names[0], _MEMBER, "requirement_met"),))


def shown(subject: Subject) -> Answer:
    """TRUE when the source shows the organisation and which account manages it; FALSE: it shows none."""
    members = members_of(subject)
    if not isinstance(members, Members):
        observed = "the source shows no organisation"
        return Answer(FALSE, (Evidence((), observed, "an organisation", "missing"),))
    management = members.organization.management_account
    if management is None:
        return unresolved(_NOT_KNOWN, "an organisation")
    return Answer(TRUE, (Evidence((), management, "an organisation", "requirement_met"),))


def in_member_account(subject: Subject) -> Answer:
    """TRUE when the resource is in another account than the organisation's management account."""
    members = members_of(subject)
    where = ("resource", "account")
    management = members.organization.management_account if isinstance(members, Members) else None
    account = subject.resource.account
    if management is None or account is None:
        unknown = _NOT_KNOWN if management is None else Unresolved("not_collected", "the resource's account")
        return Answer(UNKNOWN, (Evidence(where, unknown, _ELSEWHERE, unknown.reason),))
    if account == management:
        observed = f"{account} is the management account"
        return Answer(FALSE, (Evidence(where, observed, _ELSEWHERE, "value_mismatch"),))
    return Answer(TRUE, (Evidence(where, account, _ELSEWHERE, "requirement_met"),))
