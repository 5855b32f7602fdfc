"""``org.lets_through`` and ``org.profiles_work``: what SCPs must not deny.

They ask for a role that no SCP names. Where SCPs deny it everything, they single roles out, and whoever they
leave is asked about instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from policyengine.iam.bedrock_profiles import Leg, destinations, legs
from policyengine.iam.covering import Coverage, Denial
from policyengine.iam.errors import PolicyError
from policyengine.iam.reason import No, Unknown
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Witness
from policyengine.iam.statements import compiled
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE
from policyengine.model.values import Unresolved
from policyengine.rules.iam.organizations import Members, members_of
from policyengine.rules.iam.standins import ACCOUNT
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import unreadable, witness
from policyengine.rules.predicates.org.asking import (
    asked_of,
    names_of,
    not_shown,
    undecided,
    unresolved,
)
from policyengine.rules.predicates.org.covers import statement_name

ROLE: Final = "arn:*:iam::*:role/some-role-that-no-policy-names"
_EXPECTED: Final = "SCPs that let such a request pass"
_PROFILES: Final = "SCPs that let the profile's requests pass in every region it sends them to"
_SHOWN: Final = 8
_SETS: Final[dict[Any, tuple[Any, Any]]] = {}
"""INVARIANT: an entry holds the arguments whose identity is its key."""


def lets_through(subject: Subject, *, requests: Any, exempt: Sequence[str]) -> Answer:
    """TRUE when SCPs let a request of the set pass for a role that they do not name."""
    try:
        asked = asked_of(requests, exempt)
    except PolicyError as error:
        return unreadable(error)
    found = _around(subject, _EXPECTED)
    if isinstance(found, Answer):
        return found
    members, account = found
    if members is None or account == members.organization.management_account:
        return _passes("no SCP restricts it", _EXPECTED)
    ordinary = _kept((id(asked), "role"), asked, lambda: replace(asked, principals=(ROLE,)))
    result = members.covered(ordinary).get(account)
    if result is not None and isinstance(result.answer, No) and asked.principals == ("*",):
        result = members.covered(asked).get(account)
    if result is None:
        return not_shown(account, _EXPECTED)
    if isinstance(result.answer, Unknown):
        return undecided(result.answer.why, _EXPECTED)
    if isinstance(result.answer, No):
        evidence = tuple(_denying(result, None, _EXPECTED)) or (
            Evidence((), "no such request can be made", _EXPECTED, "request_denied"),
        )
        return Answer(FALSE, evidence)
    return _passes("such a request passes", _EXPECTED)


def profiles_work(
    subject: Subject, *, profiles: Sequence[str], regions: Sequence[str], destinations: Any
) -> Answer:
    """TRUE when SCPs let requests pass wherever the profiles of these geographies send them."""
    found = _around(subject, _PROFILES)
    if isinstance(found, Answer):
        return found
    members, account = found
    if members is None or account == members.organization.management_account:
        return _passes("no SCP restricts it", _PROFILES)
    needed: list[Leg] = []
    for profile in profiles:
        where = _destinations(profile, destinations)
        if where is None:
            unknown = Unresolved("unsupported", f"where profiles of `{profile}` send requests")
            return unresolved(unknown, _PROFILES)
        needed.extend(_legs(profile.rstrip("."), where, regions, ROLE))
    results = [(leg, members.covered(leg.requests).get(account)) for leg in needed]
    if needed and all(r is not None and isinstance(r.answer, No) for _, r in results):
        needed = [leg._replace(requests=_anybody(leg.requests)) for leg in needed]
        results = [(leg, members.covered(leg.requests).get(account)) for leg in needed]
    return _of_legs(account, results)


def _of_legs(account: str, results: Sequence[tuple[Leg, Coverage | None]]) -> Answer:
    denied = [(leg, r) for leg, r in results if r is not None and isinstance(r.answer, No)]
    if denied:
        evidence = [e for leg, result in denied for e in list(_leg_evidence(leg, result))[:2]]
        leg, result = denied[0]
        return Answer(FALSE, tuple(evidence[: 2 * _SHOWN]), witness(_example(leg, result.account)))
    for _, found in results:
        if found is None:
            return not_shown(account, _PROFILES)
        if isinstance(found.answer, Unknown):
            return undecided(found.answer.why, _PROFILES)
    return _passes(", ".join(dict.fromkeys(leg.region for leg, _ in results)) or "no region", _PROFILES)


def _passes(observed: str, expected: str) -> Answer:
    return Answer(TRUE, (Evidence((), observed, expected, "requirement_met"),))


def _around(subject: Subject, expected: str) -> Answer | tuple[Members | None, str]:
    """Return the organisation and the account as its records name it."""
    members = members_of(subject)
    if isinstance(members, Unresolved):
        return unresolved(members, expected)
    names = names_of(subject.resource)
    if members is None:
        return None, names[0]
    known = members.organization
    return members, next((n for n in names if n in known.accounts or n == known.management_account), names[0])


def _destinations(profile: str, given: Any) -> tuple[str, ...] | None:
    name = profile.rstrip(".")
    if isinstance(given, dict) and isinstance(given.get(name), list):
        return tuple(str(region) for region in given[name])
    return destinations().get(name)


def _legs(geography: str, where: tuple[str, ...], regions: Sequence[str], role: str) -> list[Leg]:
    key = (geography, where, tuple(regions), role)
    found: list[Leg] = _kept(key, None, lambda: legs(geography, where, regions, role))
    return found


def _anybody(asked: RequestSet) -> RequestSet:
    found: RequestSet = _kept((id(asked), "anybody"), asked, lambda: replace(asked, principals=("*",)))
    return found


def _kept(key: Any, holds: Any, make: Any) -> Any:
    """Return the same object for the same key: answers are remembered by the identity of a set."""
    known = _SETS.get(key)
    if known is None:
        if len(_SETS) >= 1024:
            _SETS.clear()
        known = _SETS[key] = (holds, make())
    return known[1]


# -- why not ----------------------------------------------------------------------------------------------


def _leg_evidence(leg: Leg, result: Coverage) -> Iterator[Evidence]:
    what = "the profile itself" if leg.source else "the model"
    named = list(_denying(result, _example(leg, result.account), _PROFILES))
    for evidence in named or [Evidence((), "no SCP allows it", _PROFILES, "request_denied")]:
        text = f"calls through `{leg.profile}.` profiles need {what} in {leg.region}, and {evidence.observed}"
        yield evidence._replace(observed=text)


def _denying(result: Coverage, example: Witness | None, expected: str) -> Iterator[Evidence]:
    """Yield the levels that allow nothing, and the Deny statements that stop an example."""
    for node in result.blocked[:_SHOWN]:
        yield Evidence(("with", node), "no SCP here allows it", expected, "request_denied")
    for denial in [d for d in result.denials if example is None or _stops(d, example)][:_SHOWN]:
        place = ("with", denial.node, denial.attached.name)
        text = f"{statement_name(denial.statement)} of SCP {denial.attached.name} denies it"
        yield Evidence(place, text, expected, "request_denied")


def _stops(denial: Denial, example: Witness) -> bool:
    return compiled(denial.statement).verdict(example.request(), False) is None


def _example(leg: Leg, account: str) -> Witness:
    """Return one of the requests of a leg; of code's account, whose id is none, with one that stands for it."""
    if len(account) != 12 or not account.isdigit():
        account = ACCOUNT
    model = "anthropic.claude-sonnet-4-5-20250929-v1:0"
    profile = f"arn:aws:bedrock:{leg.region}:{account}:inference-profile/{leg.profile}.{model}"
    context = {"aws:RequestedRegion": leg.region}
    if leg.source:
        return Witness(f"arn:aws:iam::{account}:role/example", "bedrock:InvokeModel", profile, context)
    resource = f"arn:aws:bedrock:{leg.region}::foundation-model/{model}"
    context["bedrock:InferenceProfileArn"] = profile
    return Witness(f"arn:aws:iam::{account}:role/example", "bedrock:InvokeModel", resource, context)
