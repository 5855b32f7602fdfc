"""Samples that anybody can draw again: stratified, and by a seed that the auditor gives after the population is signed.

The order matters: who knows the seed before the population is fixed could choose what is drawn. So a sample names the
Merkle root it was drawn from, when that was signed and when the seed was given; a seed that was given before is refused.
(That the times are true is for the auditor to know: she chose the seed.)

**The drawing.** Each leaf of the population has a rank::

    SHA-256(seed in UTF-8 || 0x00 || root, 32 bytes || index of the leaf, 8 bytes big-endian)

In each stratum the leaves with the smallest ranks are drawn. Of ``size`` leaves in all each stratum gets one, and the
rest is shared out in proportion to what is left of the strata (largest remainder; of equal remainders the first
stratum in order); of a ``fraction`` each stratum gets its share, rounded up. Nothing but SHA-256 is needed to check it.

Two passes: the strata are counted, then leaves are picked. Memory grows with the strata and the sample alone.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final, NamedTuple

from policyengine.model.errors import UsageError

SCHEMA: Final = "policyengine/sample/v1"
PLACES: Final = ("account", "region", "type")
STRATA: Final = (*PLACES, "verdict")
METHOD: Final = "smallest SHA-256(seed || 0x00 || root || index as 8 bytes big-endian) in each stratum"
MAX_SEED: Final = 200
NO_RULE: Final = "NO_RULE"
"""Of a resource that no rule was asked about."""


class Leaf(NamedTuple):
    """One resource of a population; ``place`` is its index among the leaves of the tree, from 0.

    ``verdict`` is the worst of all that was judged, or :data:`NO_RULE`, where the tree is that of results; ``rules`` are
    (rule, verdict) of the control whose sample it is.
    """

    place: int
    account: str | None
    region: str | None
    type: str
    id: str
    verdict: str = ""
    rules: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Population:
    """What a sample is drawn from. ``root`` is the Merkle root, 32 bytes; ``signed_at`` (RFC 3339) when it was signed."""

    root: bytes
    size: int
    signed_at: str


@dataclass(frozen=True, slots=True)
class Seed:
    """What the auditor gives: any text, and when she gave it (RFC 3339), None where nobody says."""

    value: str
    given_at: str | None = None


def rank(seed: str, root: bytes, index: int) -> bytes:
    """Return the rank of a leaf."""
    return hashlib.sha256(seed.encode() + b"\0" + root + index.to_bytes(8, "big")).digest()


def sample(
    leaves: Callable[[], Iterable[Leaf]],
    population: Population,
    seed: Seed,
    *,
    size: int | None = None,
    fraction: str | None = None,
    strata: Sequence[str] = PLACES,
    within: Callable[[Leaf], bool] = lambda _: True,
) -> dict[str, Any]:
    """Draw a sample and return its document (``policyengine/sample/v1``).

    ``leaves`` is called twice and gives every leaf of the population each time; ``strata`` are names out of
    :data:`STRATA`, ``within`` says which leaves may be drawn.
    Exactly one of ``size`` (leaves in all, at least one a stratum) and ``fraction`` (decimal text above 0,
    at most 1) is given. Raises UsageError for a seed given before the population was signed, a size that is too small for
    the strata, and leaves that are not the population.
    """
    _check(population, seed, strata)
    if (size is None) == (fraction is None):
        raise UsageError("a sample has either a size or a fraction")
    totals = _totals(leaves(), population, strata, within)
    if population.size and not totals:
        raise UsageError("there is nothing to draw from: the rules of the control judged nothing")
    wanted = _by_size(totals, size) if size is not None else _by_fraction(totals, fraction)
    drawn = _drawn(filter(within, leaves()), population.root, seed.value, strata, wanted)
    return {
        "schema": SCHEMA,
        "population": {
            "root": f"sha256:{population.root.hex()}",
            "size": population.size,
            "signed_at": population.signed_at,
        },
        "seed": {"value": seed.value, "given_at": seed.given_at},
        "method": METHOD,
        "asked": {"size": size} if size is not None else {"fraction": fraction},
        "strata_by": list(strata),
        "strata": [
            {"stratum": list(key), "population": totals[key], "sample": wanted[key]} for key in sorted(totals)
        ],
        "sample": [
            {
                "index": leaf.place,
                "account": leaf.account,
                "region": leaf.region,
                "type": leaf.type,
                "id": leaf.id,
                **({"verdict": leaf.verdict} if leaf.verdict else {}),
                **({"rules": dict(leaf.rules)} if leaf.rules else {}),
                "rank": order.hex(),
            }
            for order, leaf in sorted(drawn, key=lambda pair: pair[1].place)
        ],
    }


def _check(population: Population, seed: Seed, strata: Sequence[str]) -> None:
    if len(population.root) != hashlib.sha256().digest_size:
        raise UsageError("the root of the population is no SHA-256 digest")
    if not seed.value or len(seed.value) > MAX_SEED or "\0" in seed.value or not seed.value.isprintable():
        raise UsageError(f"a seed is 1 to {MAX_SEED} printable characters")
    for name in strata:
        if name not in STRATA:
            raise UsageError(f"unknown stratum `{name}`; known are {', '.join(STRATA)}")
    if seed.given_at is None:
        return
    if _time(seed.given_at, "seed") < _time(population.signed_at, "population"):
        raise UsageError(
            f"the seed was given at {seed.given_at}, before the population was signed at {population.signed_at}: "
            "whoever knew it could have chosen what is drawn; take a new seed"
        )


def _time(text: str, what: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"the time of the {what}, `{text}`, is no RFC 3339 time") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


Key = tuple[str, ...]


def _key(leaf: Leaf, strata: Sequence[str]) -> Key:
    return tuple(getattr(leaf, name) or "" for name in strata)


def _totals(
    leaves: Iterable[Leaf], population: Population, strata: Sequence[str], within: Callable[[Leaf], bool]
) -> Counter[Key]:
    totals: Counter[Key] = Counter()
    found = 0
    for leaf in leaves:
        if leaf.place != found:
            raise UsageError(f"leaf {leaf.place} stands where leaf {found} of the population was expected")
        found += 1
        if within(leaf):
            totals[_key(leaf, strata)] += 1
    if found != population.size:
        raise UsageError(f"found {found:,} leaves; the population has {population.size:,}")
    return totals


def _by_size(totals: Mapping[Key, int], size: int) -> dict[Key, int]:
    """Share ``size`` out: one a stratum, the rest in proportion to what is left, by largest remainder."""
    if size < len(totals):
        raise UsageError(
            f"a sample of {size:,} leaves out whole strata: there are {len(totals):,}; ask for as many or more, or name "
            "fewer properties to stratify by (--by verdict)"
        )
    size = min(size, sum(totals.values()))
    rest, left = size - len(totals), sum(totals.values()) - len(totals)
    wanted = dict.fromkeys(sorted(totals), 1)
    if not rest:
        return wanted
    remainders = []
    for key in wanted:
        share, remainder = divmod(rest * (totals[key] - 1), left)
        wanted[key] += share
        remainders.append((-remainder, key))
    for _, key in sorted(remainders)[: size - sum(wanted.values())]:
        wanted[key] += 1
    return wanted


def _by_fraction(totals: Mapping[Key, int], fraction: str | None) -> dict[Key, int]:
    try:
        share = Fraction(fraction or "0")
    except (ValueError, ZeroDivisionError):
        share = Fraction(0)
    if not 0 < share <= 1:
        raise UsageError(f"a fraction is above 0 and at most 1; found `{fraction}`")
    return {key: -(-totals[key] * share.numerator // share.denominator) for key in sorted(totals)}


def _drawn(
    leaves: Iterable[Leaf], root: bytes, seed: str, strata: Sequence[str], wanted: Mapping[Key, int]
) -> Iterator[tuple[bytes, Leaf]]:
    """Yield (rank, leaf) of those with the smallest ranks of each stratum."""
    begun = hashlib.sha256(seed.encode() + b"\0" + root)
    heaps: dict[Key, list[tuple[int, int, Leaf]]] = {}
    for leaf in leaves:
        key = _key(leaf, strata)
        digest = begun.copy()
        digest.update(leaf.place.to_bytes(8, "big"))
        # a heap gives its smallest: negated, that is the one to give way
        entry = (-int.from_bytes(digest.digest(), "big"), leaf.place, leaf)
        heap = heaps.setdefault(key, [])
        if len(heap) < wanted[key]:
            heapq.heappush(heap, entry)
        elif entry > heap[0]:
            heapq.heapreplace(heap, entry)
    for heap in heaps.values():
        yield from (((-order).to_bytes(32, "big"), leaf) for order, _, leaf in heap)
