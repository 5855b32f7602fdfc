"""One pass over sources: side tables first, then every resource, in order, in bounded memory.

A source is anything with ``resources()``, ``coverage`` and ``errors`` (see ``sources/base.py``); the
engine knows no more of it. Sources that can give only some types (``scan_types``) or independent
pieces (``shards``/``read_shard``) are read that way.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from policyengine.catalog import registry
from policyengine.catalog.derive import derive
from policyengine.engine.evaluate import Evaluator, Judgement
from policyengine.engine.identities import Identities
from policyengine.engine.organization import ORGANIZATION_TYPES, units_above
from policyengine.engine.world import World
from policyengine.model.errors import PolicyEngineError
from policyengine.model.finding import Finding
from policyengine.model.resource import Resource

SUBJECT_TYPES = frozenset({"AWS::::Account", "PolicyEngine::Account::Region"})
CODE_KINDS = frozenset({"template", "plan"})


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
    """Which judgements become findings; the others are only counted.

    ``per_rule`` bounds how many findings of one rule and verdict one shard builds (None: all).
    """

    verdicts: frozenset[str]
    per_rule: int | None = None


@dataclass
class Piece:
    """The result of one shard: findings in order, counts, hashes of the identities seen.

    ``source_errors`` are those another process's copy of the source met.
    """

    findings: list[Finding]
    counts: Counts
    identities: array[int]
    source_errors: list[PolicyEngineError] = field(default_factory=list)


class Scan:
    """Evaluates sources; ``counts`` and ``errors`` are final once ``findings()`` is exhausted."""

    def __init__(
        self,
        evaluator: Evaluator,
        sources: Sequence[Any],
        wanted: Wanted,
        *,
        jobs: int = 1,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.evaluator = evaluator
        self.sources = sources
        self.wanted = wanted
        self.jobs = jobs
        self.progress = progress
        self.counts = Counts()
        self.errors: list[PolicyEngineError] = []
        self._identities = Identities()

    def findings(self) -> Iterator[Finding]:
        """Yield the wanted findings, in the order of the sources."""
        for source in self.sources:
            learn_organization(self.evaluator, source)
            world = build_world(self.evaluator, source)
            for piece in self._pieces(source, world):
                self.counts.merge(piece.counts)
                source.errors += piece.source_errors
                self._identities.add(piece.identities)
                yield from piece.findings
                if self.progress is not None:
                    self.progress(self.counts.resources)
        self.errors += self._identities.errors(self.sources)

    def _pieces(self, source: Any, world: World) -> Iterator[Piece]:
        shards = list(source.shards()) if hasattr(source, "shards") else []
        if self.jobs > 1 and len(shards) > 1:
            from policyengine.engine.pool import run_pool

            yield from run_pool(self.evaluator, source, world, self.wanted, shards, self.jobs)
        elif shards:
            for shard in shards:
                yield evaluate_piece(self.evaluator, source.read_shard(shard), world, self.wanted)
        else:
            yield evaluate_piece(self.evaluator, source.resources(), world, self.wanted)

    def undecidable(self) -> list[str]:
        """Return the rules about accounts that no source of the run could decide."""
        if not self.sources or any(source.kind not in CODE_KINDS for source in self.sources):
            return []
        rules = [f for t in SUBJECT_TYPES for f, _ in self.evaluator.applicable(t)]
        return sorted({form["id"] for form in rules})


def learn_organization(evaluator: Evaluator, source: Any) -> None:
    """Let the settings know which OUs stand above the accounts of a snapshot, if they ask for OUs."""
    settings = evaluator.settings
    if any(scope.ou is not None for scope in settings.scoped) and hasattr(source, "scan_types"):
        above = units_above(source.scan_types(ORGANIZATION_TYPES))
        evaluator.settings = replace(settings, ous={**settings.ous, **above})


def build_world(evaluator: Evaluator, source: Any) -> World:
    """Fill the side tables with the types that the rules reach from this source."""
    world = World(source.coverage)
    reached = evaluator.reached_types()
    if not reached:
        return world
    if hasattr(source, "scan_types"):
        resources: Iterable[Resource] = source.scan_types(reached)
    else:
        resources = (r for r in source.resources() if r.type in reached)
    for resource in resources:
        prepare(resource)
        world.add(resource)
    world.cover(source.coverage)  # a source withdraws what it promised when a part of it is broken
    return world


def prepare(resource: Resource) -> None:
    """Add the catalog's derived views."""
    derive(resource)
    for variant in resource.variants:
        derive(variant)


def evaluate_piece(
    evaluator: Evaluator, resources: Iterable[Resource], world: World, wanted: Wanted
) -> Piece:
    """Judge some resources and build the findings that are wanted."""
    counts = Counts()
    findings: list[Finding] = []
    identities = array("q")
    per_rule: Counter[tuple[str, str]] = Counter()
    types: Counter[str] = Counter()
    crashes_before = Counter(evaluator.crashes)
    evaluator.take_tallies()
    for resource in resources:
        prepare(resource)
        types[resource.type] += 1
        counts.places.add((resource.account, resource.region))
        identities.append(hash(resource.identity))
        for judgement in evaluator.judge(resource, world, wanted.verdicts):
            if wanted.per_rule is not None:
                key = (judgement.rule.id, judgement.outcome.verdict)
                per_rule[key] += 1
                if per_rule[key] > wanted.per_rule:
                    continue
            findings.append(_finding(judgement, evaluator))
    counts.verdicts = evaluator.take_tallies()
    counts.resources = len(identities)
    counts.unknown_types = Counter({t: n for t, n in types.items() if _is_unknown(t, evaluator)})
    counts.crashes = evaluator.crashes - crashes_before
    return Piece(findings, counts, identities)


def _is_unknown(type_: str, evaluator: Evaluator) -> bool:
    return registry.spec(type_) is None and not evaluator.applicable(type_)


def _finding(judgement: Judgement, evaluator: Evaluator) -> Finding:
    """Build the finding; one that cannot be explained is a crash of its rule, and said so."""
    try:
        return judgement.finding()
    except Exception as error:  # noqa: BLE001  # the verdict cannot be trusted: UNKNOWN internal_error instead
        return evaluator.unexplained(judgement, error).finding()
