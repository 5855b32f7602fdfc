"""Statements that allow by what they leave out, or that name a whole service: judged one by one.

A statement counts as far as the Deny statements beside it leave something of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Final, Literal

from policyengine.iam.breadth import each
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Policy, Statement
from policyengine.iam.exposure import Place, place_of
from policyengine.iam.glob import has_wildcard
from policyengine.iam.holding import (
    GLOBAL_REGION,
    account_named,
    denied_everywhere,
    example,
    perhaps_denied,
    templates,
)
from policyengine.iam.likely import requests as suggested
from policyengine.iam.reason import ALL, No, Unknown, Yes, granted, grants
from policyengine.iam.request import Request
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Witness
from policyengine.iam.ways import action_bits

Element = Literal["action", "resource"]
MOST_ASKED: Final = 20
TRIED: Final = 3
"""Actions of a statement, and requests of each, that are tried before all are searched."""
SMALLEST: Final = 5
"""Services with fewer actions are named whole by whoever needs them."""


@dataclass(frozen=True, slots=True)
class Found:
    """A statement, a request it allows (None where ``why`` says what is not known), and services."""

    place: Place
    witness: Witness | None
    why: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


def negated(policies: Sequence[Policy], element: Element) -> list[Found]:
    """Return the statements that allow with NotAction (or NotResource), and one request of each."""
    found = []
    denied = denied_everywhere(policies)
    for number, policy in enumerate(policies):
        for statement in policy.statements:
            left_out = statement.not_action if element == "action" else statement.not_resource
            if statement.allow and left_out and action_bits(statement, catalogue()) & ~denied:
                found += _granted(policies, number, statement)
    return found


def whole_services(policies: Sequence[Policy], services: Sequence[str]) -> list[Found]:
    """Return the statements that allow all actions of a service on something, with these services.

    ``services``: those that count; none: all of ``SMALLEST`` actions at least.
    """
    found = []
    denied, perhaps = denied_everywhere(policies), perhaps_denied(policies)
    for number, policy in enumerate(policies):
        for statement in policy.statements:
            bits = action_bits(statement, catalogue()) & ~denied if statement.allow else 0
            if bits.bit_count() < (1 if services else SMALLEST):
                continue
            whole = [(n, mask) for n, mask in _masks(_named(statement, services)) if not mask & ~bits]
            sure = tuple(name for name, mask in whole if not mask & perhaps)
            unsure = tuple(name for name, mask in whole if mask & perhaps)
            found += _whole(policies, number, statement, sure)
            found += [replace(one, witness=None) for one in _whole(policies, number, statement, unsure)]
    return found


def _whole(
    policies: Sequence[Policy], number: int, statement: Statement, services: tuple[str, ...]
) -> list[Found]:
    """Return the statement with these services, where it grants something of them."""
    if not services:
        return []
    asked = tuple(f"{name}:*" for name in services) if len(services) <= MOST_ASKED else ("*",)
    return [
        replace(one, services=services) for one in _granted(policies, number, statement, RequestSet(asked))
    ]


def _named(statement: Statement, services: Sequence[str]) -> tuple[str, ...]:
    """Return the services that a statement may allow whole, of those that count."""
    prefixes = {action.partition(":")[0].lower() for action in statement.actions}
    if statement.not_action or any(has_wildcard(prefix) for prefix in prefixes):
        return tuple(services or catalogue().services)
    if services:
        return tuple(name for name in services if name in prefixes)
    known = catalogue()
    return tuple(n for n in sorted(prefixes) if known.service_mask(n).bit_count() >= SMALLEST)


@lru_cache(maxsize=1024)
def _masks(services: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    known = catalogue()
    wanted = [(name, known.service_mask(name)) for name in services]
    least = SMALLEST if services == known.services else 1
    return tuple((name, mask) for name, mask in wanted if mask.bit_count() >= least)


def _granted(
    policies: Sequence[Policy], number: int, statement: Statement, requests: RequestSet = ALL
) -> list[Found]:
    """Return the statement where it grants something that no Deny takes away."""
    own = policies[number]
    alone = Policy(own.kind, own.version, own.id, (statement,))
    denials = [
        Policy(p.kind, p.version, p.id, kept)
        for p in policies
        if (kept := tuple(s for s in p.statements if not s.allow))
    ]
    place = place_of(number, statement)
    witness = _suggested([alone, *denials], statement, requests)
    if witness is not None:
        return [Found(place, witness)]
    answer = grants([alone, *denials], requests)
    if isinstance(answer, Yes):
        return [Found(place, answer.witness)]
    if isinstance(answer, Unknown) or statement.opaque is not None:
        why = answer.why if isinstance(answer, Unknown) else ()
        return [Found(place, None, why)]
    assert isinstance(answer, No)
    return []


def _suggested(policies: Sequence[Policy], statement: Statement, requests: RequestSet) -> Witness | None:
    """Return a request that the statement itself suggests, where it is surely granted: most need no search."""
    wanted = catalogue().matching_any(requests.actions)
    account = account_named(policies)
    who = f"arn:aws:iam::{account}:role/example"
    for at in islice(each(action_bits(statement, catalogue()) & wanted), TRIED):
        action = catalogue().names[at]
        shape = next(iter(templates(catalogue(), action)), None)
        likely = "*" if shape is None else example(shape, account)
        for guess in islice(suggested([statement], action, "*", likely, account), TRIED):
            context = {"aws:RequestedRegion": GLOBAL_REGION, **guess.context}
            if granted(policies, Request(who, action, guess.resource, context)) is True:
                return Witness(who, action, guess.resource, context)
    return None
