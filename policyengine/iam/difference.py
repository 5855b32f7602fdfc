"""What documents newly allow against older ones: groups of actions, each with a request that shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from policyengine.iam.documents import Policy
from policyengine.iam.domains import Callers
from policyengine.iam.reason import ALL, EVERYONE, EVERYTHING, Unknown, Yes, extended, newly_passes
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Witness
from policyengine.iam.ways import action_bits

_MOST: Final = 4


@dataclass(frozen=True, slots=True)
class Gain:
    """Actions that the same statements name, and a request of one of them that is newly allowed."""

    witness: Witness
    actions: tuple[str, ...]


def gains(
    old: Sequence[Policy], new: Sequence[Policy], requests: RequestSet = ALL
) -> Iterator[Gain | Unknown]:
    """Yield what the new documents allow and the old ones do not; an Unknown where that is not decided.

    Documents that only deny are compared as what they take away from everything.
    """
    before, after = list(old), list(new)
    if not any(s.allow for p in (*old, *new) for s in p.statements):
        named = any(s.principals is not None for p in (*old, *new) for s in p.statements)
        for side in (before, after):
            side.append(EVERYONE if named else EVERYTHING)
    yield from layered_gains([before], [after], requests)


def layered_gains(
    old: Sequence[Sequence[Policy]],
    new: Sequence[Sequence[Policy]],
    requests: RequestSet = ALL,
    callers: Callers | None = None,
    effort: int = 100,
) -> Iterator[Gain | Unknown]:
    """Yield what all new layers together allow and the old ones do not, as :func:`newly_passes` decides it."""
    policies = [p for layer in (*old, *new) for p in layer]
    known = extended(policies, requests)
    bits = {action_bits(s, known) for p in policies for s in p.statements}
    told: set[int] = set()
    for answer in newly_passes(old, new, requests, callers, effort):
        if isinstance(answer, Unknown):
            yield answer
        elif isinstance(answer, Yes):
            index = known.index(answer.witness.action) or 0
            group = known.all
            for mask in bits:
                group &= mask if mask >> index & 1 else ~mask
            for pattern in requests.actions if requests.actions != ("*",) else ():
                mask = known.matching(pattern)
                group &= mask if mask >> index & 1 else ~mask
            if group not in told:
                told.add(group)
                yield Gain(answer.witness, tuple(_names(group, known.names)))


def shown(actions: Sequence[str], such_as: str) -> str:
    """Return actions for a reader: ``12 actions (s3 10, sqs 2), such as s3:GetObject``, or the only one."""
    if len(actions) == 1:
        return actions[0]
    services = [f"{name} {number:,}" for name, number in by_service(actions)]
    more = f" and {len(services) - _MOST:,} more services" if len(services) > _MOST else ""
    return f"{len(actions):,} actions ({', '.join(services[:_MOST])}{more}), such as {such_as}"


def by_service(actions: Iterable[str]) -> list[tuple[str, int]]:
    """Return how many actions there are of each service, the most first."""
    return Counter(action.partition(":")[0] for action in actions).most_common()


def _names(group: int, names: Sequence[str]) -> Iterator[str]:
    while group:
        low = group & -group
        yield names[low.bit_length() - 1]
        group ^= low
