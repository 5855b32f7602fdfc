"""One piece of a scan: every rule on some resources, findings as they come, counts at the end."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from policyengine.catalog import registry
from policyengine.catalog.derive import VIEWS, derive
from policyengine.engine.accepted import Accepted
from policyengine.engine.blocks import Block, Render, blocks_of, spool_blocks
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.identities import digest
from policyengine.engine.world import World
from policyengine.model.errors import PolicyEngineError
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, UNKNOWN
from policyengine.model.resource import Resource

DETAILED: Final = frozenset({FAIL, UNKNOWN})
"""Verdicts of which a run keeps what their findings say."""


@dataclass
class Counts:
    """What a scan saw: verdicts per rule, resources per place, types nobody knows."""

    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    places: set[tuple[str | None, str | None]] = field(default_factory=set)
    unknown_types: Counter[str] = field(default_factory=Counter)
    resources: int = 0
    crashes: Counter[str] = field(default_factory=Counter)
    accepted: Accepted = field(default_factory=Accepted)

    @property
    def accounts(self) -> list[str]:
        """The accounts seen, sorted."""
        return sorted({account for account, _ in self.places if account})

    @property
    def regions(self) -> list[str]:
        """The regions seen, sorted."""
        return sorted({region for _, region in self.places if region})

    def crash_errors(self) -> list[PolicyEngineError]:
        """Return an error for each rule that crashed: what it would have said of those resources is not known."""
        return [
            PolicyEngineError(f"rule `{rule}` crashed on {n} resources", code="internal_error")
            for rule, n in sorted(self.crashes.items())
        ]

    def merge(self, other: Counts) -> None:
        """Add the counts of another part of the same scan."""
        self.verdicts.update(other.verdicts)
        self.places |= other.places
        self.unknown_types.update(other.unknown_types)
        self.resources += other.resources
        self.crashes.update(other.crashes)
        self.accepted.merge(other.accepted)


Row = tuple[tuple[str, str, str, str], str, bytes, bytes]
"""Of one resource: its identity, its type, its line, and where things stand in files (empty where nowhere)."""
RowOf = Callable[[Resource, Sequence[tuple[str, str]], Sequence[Finding]], tuple[bytes, bytes]]
"""What makes a row of a run and the places beside it, of the resource, (rule, verdict) of all rules about it, and its
findings that are FAIL or UNKNOWN."""


@dataclass(frozen=True)
class Wanted:
    """Which verdicts become findings; the others are only counted.

    ``per_rule`` bounds how many findings of one rule are built (None: all): of FAIL the first of a source;
    of other verdicts the first of each shard, because reports count their reasons.
    """

    verdicts: frozenset[str]
    per_rule: int | None = None
    render: tuple[Render, ...] = ()
    """Where all reports are texts of findings, one after the other: what makes them."""
    row: RowOf | None = None
    """Where the run is kept: what makes a row of it, a function of a module. FAIL and UNKNOWN are then wanted whole."""


class Quota:
    """What is left of :attr:`Wanted.per_rule` as the resources of one source go by.

    INVARIANT: a process that sees only some resources of the source, in order, never refuses one of the
    findings that a process seeing all of them would take.
    """

    def __init__(self, per_rule: int) -> None:
        self._per_rule = per_rule
        self._taken: Counter[tuple[str, str]] = Counter()

    def begin_piece(self) -> None:
        """Forget what the shard before has taken of other verdicts than FAIL."""
        for key in [key for key in self._taken if key[1] != FAIL]:
            del self._taken[key]

    def has(self, rule: str, verdict: str) -> bool:
        """Whether another finding is worth building."""
        return self._taken[rule, verdict] < self._per_rule

    def take(self, finding: Finding) -> bool:
        """Count a finding; False when it is one too many. What is accepted is not counted: all of it is told."""
        if finding.waiver is not None:
            return True
        key = (finding.rule, finding.verdict)
        self._taken[key] += 1
        return self._taken[key] <= self._per_rule


def quota_of(wanted: Wanted) -> Quota | None:
    """Return the quota of one source, None where everything is built."""
    return None if wanted.per_rule is None else Quota(wanted.per_rule)


@dataclass
class Piece:
    """What came out of one shard: findings in order, counts, hashes of the identities seen.

    ``findings`` stays empty where they were streamed or made text, which is in ``blocks``.
    ``source_errors`` are those another process's copy of the source met.
    """

    findings: list[Finding] = field(default_factory=list)
    blocks: Iterable[Block] = ()
    counts: Counts = field(default_factory=Counts)
    identities: array[int] = field(default_factory=lambda: array("q"))
    source_errors: list[PolicyEngineError] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def prepare(resource: Resource) -> None:
    """Add the catalog's derived views."""
    derive(resource)
    for variant in resource.variants:
        derive(variant)


def evaluate_piece(
    evaluator: Evaluator,
    resources: Iterable[Resource],
    world: World,
    wanted: Wanted,
    quota: Quota | None = None,
    folder: Path | None = None,
) -> Piece:
    """Judge some resources and build the findings that are wanted; their texts go to a file in ``folder``."""
    piece = Piece()
    findings = stream_piece(evaluator, resources, world, wanted, piece, quota)
    if folder is not None:
        piece.blocks = spool_blocks(blocks_of(findings, wanted.render), folder)
    else:
        piece.findings += findings
    return piece


def stream_piece(
    evaluator: Evaluator,
    resources: Iterable[Resource],
    world: World,
    wanted: Wanted,
    piece: Piece,
    quota: Quota | None = None,
) -> Iterator[Finding]:
    """Yield the findings that are wanted; ``piece`` holds the rest once they are exhausted.

    ``quota`` is what the pieces of a source share; without it this piece stands for the source.
    """
    counts = piece.counts
    places = counts.places
    note = piece.identities.append
    verdicts = wanted.verdicts
    left = quota or quota_of(wanted)
    may = None if left is None else left.has
    if left is not None:
        left.begin_piece()
    known: set[str] = set()
    unknown = counts.unknown_types
    crashes_before = Counter(evaluator.crashes)
    evaluator.take_tallies()
    accepting = evaluator.accepting
    judge = evaluator.findings if accepting is None else accepting.judged
    make_row = wanted.row
    evaluator.verdicts = None if make_row is None else []
    for resource in resources:
        type_ = resource.type
        if type_ in VIEWS or resource.variants:
            prepare(resource)
        if type_ not in known and not _is_known(type_, evaluator, known):
            unknown[type_] += 1
        places.add((resource.account, resource.region))
        note(digest(resource.identity))
        findings = judge(resource, world, verdicts, may)
        if make_row is not None:
            details = [found for found in findings if found.verdict in DETAILED]
            piece.rows.append(
                (resource.identity, type_, *make_row(resource, evaluator.verdicts or (), details))
            )
        for found in findings:
            if left is None or left.take(found):
                yield found
    counts.verdicts = evaluator.take_tallies()
    if accepting is not None:
        counts.accepted = accepting.take()
    counts.resources = len(piece.identities)
    counts.crashes = evaluator.crashes - crashes_before


def _is_known(type_: str, evaluator: Evaluator, known: set[str]) -> bool:
    """Whether the catalog or a rule knows a type; remembers those that are."""
    found = registry.spec(type_) is not None or bool(evaluator.applicable(type_))
    if found:
        known.add(type_)
    return found
