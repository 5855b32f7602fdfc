"""``org.ai_services_opted_out`` and ``org.guardrail_enforced``: what declarative policies amount to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from policyengine.iam.declarative import (
    NO_OPT_OUT,
    Gap,
    Setting,
    merged,
    not_guarded,
    not_opted_out,
    read_document,
)
from policyengine.iam.opaque import Opaque
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.iam.declared import effective
from policyengine.rules.iam.organizations import Members, members_of
from policyengine.rules.iam.records import ORGANIZATION, POLICY
from policyengine.rules.iam.values import known
from policyengine.rules.predicates.api import Answer, Subject

_OPT_OUT: Final = "AISERVICES_OPT_OUT_POLICY"
_BEDROCK: Final = "BEDROCK_POLICY"
_REGION: Final = "PolicyEngine::Account::Region"
_OPTED: Final = "every AI service opted out"
_LOCKED: Final = "every AI service opted out at the root, and no policy below may change it"
_GUARDED: Final = "a guardrail for every model of the region"
_MOST: Final = 10


def opted_out(subject: Subject, *, locked: bool) -> Answer:
    """TRUE when the effective policy opts the account out of the use of its content by every AI service."""
    expected = _LOCKED if locked else _OPTED
    policy = _policy(subject, _OPT_OUT)
    if isinstance(policy, Unresolved):
        return Answer(UNKNOWN, (Evidence((), policy, expected, policy.reason),))
    parts = list(not_opted_out(policy, locked=locked))
    answer = _answer(parts, expected)
    members = members_of(subject)
    if isinstance(members, Members) and any(isinstance(p, Gap) and p.found == NO_OPT_OUT for p in parts):
        return answer._replace(cause=f"{NO_OPT_OUT} in {members.organization.id or 'the organisation'}")
    return answer


def guardrail_enforced(subject: Subject, *, regions: Sequence[str]) -> Answer:
    """TRUE when the effective Bedrock policy names a guardrail for every model of each region."""
    asked = list(regions)
    if not asked and subject.resource.type == _REGION and subject.resource.region:
        asked = [subject.resource.region]
    policy = _policy(subject, _BEDROCK)
    if isinstance(policy, Unresolved):
        return Answer(UNKNOWN, (Evidence((), policy, _GUARDED, policy.reason),))
    return _answer((gap for region in asked if (gap := not_guarded(policy, region)) is not None), _GUARDED)


def _answer(found: Iterable[Gap | Opaque], expected: str) -> Answer:
    """Return the answer of what is missing: a gap decides, then what is not known."""
    parts = list(found)
    gaps = tuple(_evidence(parts, expected))
    if gaps:
        return Answer(FALSE, gaps)
    doubt = next((part for part in parts if isinstance(part, Opaque)), None)
    if doubt is not None:
        value = Unresolved("not_collected", doubt.reason)
        return Answer(UNKNOWN, (Evidence((), value, expected, value.reason),))
    return Answer(TRUE, (Evidence((), ABSENT, expected, "requirement_met"),))


def _evidence(parts: Sequence[Gap | Opaque], expected: str) -> Iterator[Evidence]:
    gaps = [part for part in parts if isinstance(part, Gap)]
    for gap in gaps[:_MOST]:
        yield Evidence((), f"{gap.where}: {gap.found}", expected, "value_mismatch")


def _policy(subject: Subject, kind: str) -> Setting | Unresolved:
    """Return the effective policy of an account, of the root, or what a policy says by itself."""
    resource = subject.resource
    if resource.type == POLICY:
        content = resource.properties.get("Content")
        return merged([[read_document(known(content))]])
    members = members_of(subject)
    if isinstance(members, Unresolved):
        return members
    if members is None:
        return merged(())
    node = members.organization.root if resource.type == ORGANIZATION else _account(subject)
    if node is None:
        return Unresolved("not_collected", "which account or root this is")
    complete = resource.file is not None or not isinstance(subject.organization(POLICY), OpenList)
    found = effective(members, node, kind, complete=complete)
    return Unresolved("not_collected", found.reason) if isinstance(found, Opaque) else found


def _account(subject: Subject) -> str | None:
    resource = subject.resource
    if resource.type == _REGION:
        return resource.account
    number = resource.properties.get("AccountId")
    names = (number, resource.id) if resource.file is None else (resource.id, number)
    return next((name for name in names if isinstance(name, str)), None)
