"""One piece of a scan: every rule on some resources, findings as they come, counts at the end."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from policyengine.catalog import registry
from policyengine.catalog.derive import VIEWS, derive
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.world import World
from policyengine.model.errors import PolicyEngineError
from policyengine.model.finding import Finding
from policyengine.model.resource import Resource


@dataclass
class Counts:
    """What a scan saw: verdicts per rule, resources per place, types nobody knows."""

    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    places: set[tuple[str | None, str | None]] = field(default_factory=set)
    unknown_types: Counter[str] = field(default_factory=Counter)
    resources: int = 0
    crashes: Counter[str] = field(default_factory=Counter)

    @property
    def accounts(self) -> list[str]:
        """The accounts seen, sorted."""
        return sorted({account for account, _ in self.places if account})

    @property
    def regions(self) -> list[str]:
        """The regions seen, sorted."""
        return sorted({region for _, region in self.places if region})

    def merge(self, other: Counts) -> None:
        """Add the counts of another part of the same scan."""
        self.verdicts.update(other.verdicts)
        self.places |= other.places
        self.unknown_types.update(other.unknown_types)
        self.resources += other.resources
        self.crashes.update(other.crashes)


@dataclass(frozen=True)
class Wanted:
    """Which verdicts become findings; the others are only counted.

    ``per_rule`` bounds how many findings of one rule and verdict one shard builds (None: all).
    """

    verdicts: frozenset[str]
    per_rule: int | None = None


@dataclass
class Piece:
    """What came out of one shard: findings in order, counts, hashes of the identities seen.

    ``findings`` stays empty where they were streamed. ``source_errors`` are those another
    process's copy of the source met.
    """

    findings: list[Finding] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    identities: array[int] = field(default_factory=lambda: array("q"))
    source_errors: list[PolicyEngineError] = field(default_factory=list)


def prepare(resource: Resource) -> None:
    """Add the catalog's derived views."""
    derive(resource)
    for variant in resource.variants:
        derive(variant)


def evaluate_piece(
    evaluator: Evaluator, resources: Iterable[Resource], world: World, wanted: Wanted
) -> Piece:
    """Judge some resources and build the findings that are wanted."""
    piece = Piece()
    piece.findings += stream_piece(evaluator, resources, world, wanted, piece)
    return piece


def stream_piece(
    evaluator: Evaluator, resources: Iterable[Resource], world: World, wanted: Wanted, piece: Piece
) -> Iterator[Finding]:
    """Yield the findings that are wanted; ``piece`` holds the rest once they are exhausted."""
    counts = piece.counts
    places = counts.places
    note = piece.identities.append
    verdicts = wanted.verdicts
    left: Counter[tuple[str, str]] | None = None if wanted.per_rule is None else Counter()
    may = None if left is None else lambda rule, verdict: left[rule, verdict] < (wanted.per_rule or 0)
    types: Counter[str] = Counter()
    crashes_before = Counter(evaluator.crashes)
    evaluator.take_tallies()
    for resource in resources:
        type_ = resource.type
        if type_ in VIEWS or resource.variants:
            prepare(resource)
        types[type_] += 1
        places.add((resource.account, resource.region))
        note(hash(resource.identity))
        for found in evaluator.findings(resource, world, verdicts, may):
            if left is None or _may_take(found, left, wanted):
                yield found
    counts.verdicts = evaluator.take_tallies()
    counts.resources = len(piece.identities)
    counts.unknown_types = Counter({t: n for t, n in types.items() if _is_unknown(t, evaluator)})
    counts.crashes = evaluator.crashes - crashes_before


def _may_take(found: Finding, built: Counter[tuple[str, str]], wanted: Wanted) -> bool:
    key = (found.rule, found.verdict)
    built[key] += 1
    return wanted.per_rule is None or built[key] <= wanted.per_rule


def _is_unknown(type_: str, evaluator: Evaluator) -> bool:
    return registry.spec(type_) is None and not evaluator.applicable(type_)
