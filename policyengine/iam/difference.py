"""What documents newly allow against older ones: groups of actions, each with a request that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policyengine.iam.documents import Policy
from policyengine.iam.reason import ALL, EVERYONE, EVERYTHING, Unknown, Yes, extended, new_access
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Witness
from policyengine.iam.ways import action_bits


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
    known = extended([*before, *after], requests)
    bits = {action_bits(s, known) for p in (*before, *after) for s in p.statements}
    told: set[int] = set()
    for answer in new_access(before, after, requests):
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


def _names(group: int, names: Sequence[str]) -> Iterator[str]:
    while group:
        low = group & -group
        yield names[low.bit_length() - 1]
        group ^= low
