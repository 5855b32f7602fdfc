"""A file of results in memory, and what a run with and without it finds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from policyengine.catalog.derive import derive
from policyengine.config.settings import Settings
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.kept.file import ResultFile, Row, Texts
from policyengine.engine.kept.keeping import KeepingEvaluator
from policyengine.engine.world import World
from policyengine.model.finding import Finding
from policyengine.model.resource import Coverage, Resource
from policyengine.model.values import Unresolved
from policyengine.rules.pack import Pack
from policyengine.sources.snapshot.digest import folded_digest
from tests.soundness.holes import copy_of

ENGINE = b"the engine......"


class InMemory(ResultFile):
    """Results that last as long as the test."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))
        self.rows: dict[int, Row] = {}
        self.known: dict[bytes, bytes] = {}

    def get(self, number: int) -> Row | None:
        """See :class:`ResultFile`."""
        return self.rows.get(number)

    def text(self, name: bytes) -> bytes | None:
        """See :class:`ResultFile`."""
        return self.known.get(name)

    def put(self, number: int, row: Row, texts: Texts) -> None:
        """See :class:`ResultFile`."""
        self.rows[number] = row
        self.known.update(texts)

    def move(self, number: int, row: Row, texts: Texts) -> None:
        """See :class:`ResultFile`."""
        assert self.rows[number][:3] == row[:3]
        self.put(number, row, texts)


class State:
    """What a run sees."""

    def __init__(
        self,
        resources: Sequence[Resource],
        coverage: Coverage,
        now: datetime,
        failed: dict[tuple[str, str, str], Unresolved] | None = None,
    ) -> None:
        self.resources = list(resources)
        self.coverage = coverage
        self.now = now
        self.failed = failed or {}

    def findings(self, evaluator: Evaluator) -> list[Finding]:
        """Return the findings about every resource."""
        own = [copy_of(r) for r in self.resources]
        world = World(self.coverage, failed=self.failed)
        for resource in own:
            resource.digest = folded_digest(resource)
            derive(resource)
            world.add(resource)
        return [finding for resource in own for finding in evaluator.findings(resource, world)]


def both(
    state: State, rules: Sequence[dict[str, Any]], file: ResultFile, settings: Settings | None = None
) -> tuple[list[Finding], list[Finding], int]:
    """Return what is found without results, with them, and how many had to be judged."""
    pack = Pack("sha256:test", tuple(rules))
    plain = Evaluator(pack, now=state.now, settings=settings)
    keeping = KeepingEvaluator(pack, now=state.now, file=file, engine=ENGINE, settings=settings)
    return state.findings(plain), state.findings(keeping), keeping.judged
