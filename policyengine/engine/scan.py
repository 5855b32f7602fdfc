"""One pass over sources: side tables first, then every resource, in order, in bounded memory.

A source is anything with ``resources()``, ``coverage`` and ``errors`` (see ``sources/base.py``); the
engine knows no more of it. Sources that can give only some types (``scan_types``) or independent
pieces (``shards``/``read_shard``, by account in ``groups``) are read that way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from policyengine.engine.blocks import Block, blocks_of
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.identities import Identities
from policyengine.engine.organization import ORGANIZATION_TYPES, units_above
from policyengine.engine.piece import Counts, Piece, Row, Wanted, quota_of, stream_piece
from policyengine.engine.tables import Tables, grouped, groups_of
from policyengine.model.errors import PolicyEngineError
from policyengine.model.finding import Finding

SUBJECT_TYPES = frozenset({"AWS::::Account", "PolicyEngine::Account::Region"})
CODE_KINDS = frozenset({"template", "plan"})
WITHOUT_SUBJECTS = CODE_KINDS | {"config"}
"""Kinds of sources that give no account or region to ask a rule about: nothing in them says what is absent."""


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
        self.keep_rows: Callable[[list[Row]], None] | None = None
        """Is given the rows of ``wanted.row``, piece by piece, in the order of the findings."""

    def findings(self) -> Iterator[Finding]:
        """Yield the wanted findings, in the order of the sources."""
        for source in self._each():
            if not self._divides(source):
                yield from self._in_order(source)
                continue
            quota = quota_of(self.wanted)
            for piece in self._in_processes(source):
                if quota is not None:
                    quota.begin_piece()
                yield from piece.findings if quota is None else filter(quota.take, piece.findings)

    def blocks(self) -> Iterator[Block]:
        """Yield the same findings as text; ``wanted`` has renderers and no bound for each rule."""
        for source in self._each():
            if self._divides(source):
                for piece in self._in_processes(source):
                    yield from piece.blocks
            else:
                yield from blocks_of(self._in_order(source), self.wanted.render)

    def _each(self) -> Iterator[Any]:
        if self.evaluator.settings.waiving.rules:
            from policyengine.engine.elsewhere import learn_elsewhere  # few runs have compensating rules

            for source in self.sources:
                learn_organization(self.evaluator, source)
                learn_elsewhere(self.evaluator, source)
        for source in self.sources:
            learn_organization(self.evaluator, source)
            yield source
        self.errors += self._identities.errors(self.sources)

    def _divides(self, source: Any) -> bool:
        """Whether several processes share the work on a source."""
        return self.jobs > 1 and sum(len(group) for group in groups_of(source)) > 1

    def _in_order(self, source: Any) -> Iterator[Finding]:
        """Nothing is held back: a finding is given before the next resource is judged."""
        tables = Tables(self.evaluator, source)
        quota = quota_of(self.wanted)
        for group in grouped(tables, source):
            for resources in group.pieces():
                piece = Piece()
                yield from stream_piece(self.evaluator, resources, group.world, self.wanted, piece, quota)
                self._take(piece)

    def _in_processes(self, source: Any) -> Iterator[Piece]:
        from policyengine.engine.pool import run_pool

        for piece in run_pool(self.evaluator, source, self.wanted, groups_of(source), self.jobs):
            source.errors += piece.source_errors
            yield piece
            self._take(piece)

    def _take(self, piece: Piece) -> None:
        self.counts.merge(piece.counts)
        self._identities.add(piece.identities)
        if self.keep_rows is not None:
            self.keep_rows(piece.rows)
        if self.progress is not None:
            self.progress(self.counts.resources)

    def undecidable(self) -> list[str]:
        """Return the rules about accounts that no source of the run could decide."""
        if not self.sources or any(source.kind not in WITHOUT_SUBJECTS for source in self.sources):
            return []
        rules = [f for t in SUBJECT_TYPES for f, _ in self.evaluator.applicable(t)]
        return sorted({form["id"] for form in rules})


def learn_organization(evaluator: Evaluator, source: Any) -> None:
    """Let the settings know which OUs stand above the accounts of a snapshot, if they ask for OUs."""
    settings = evaluator.settings
    asked = any(scope.ou is not None for scope in settings.scoped) or settings.waiving.asks_for_units
    if asked and hasattr(source, "scan_types"):
        above = units_above(source.scan_types(ORGANIZATION_TYPES))
        evaluator.settings = replace(settings, ous={**settings.ous, **above})
