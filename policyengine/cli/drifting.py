"""Both sides of a drift, judged by the same rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from policyengine.cli.drift_history import BySince, failing_since
from policyengine.cli.inputs import check_place, read_parameters, read_settings
from policyengine.cli.run import selected
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.only import Only
from policyengine.engine.piece import Wanted
from policyengine.engine.scan import CODE_KINDS, Scan
from policyengine.model.errors import PolicyEngineError, UsageError
from policyengine.model.finding import Finding
from policyengine.model.reasons import VERDICTS
from policyengine.review.actors import Act, last_acts
from policyengine.review.drift import Drift
from policyengine.review.joining import Identity, join, live_of
from policyengine.rules.packs import load_packs
from policyengine.sources.base import Source, SourceOptions
from policyengine.sources.discover import open_targets
from policyengine.sources.trail import read_logs

ByRule = dict[Identity, dict[str, Finding]]


class Sides:
    """What is declared and what runs: joined resources, and findings by identity and rule.

    Raises PolicyEngineError when a target cannot be read.
    """

    def __init__(self, targets: Sequence[str], snapshot: Path, options: Mapping[str, Any]) -> None:
        check_place(options["account"], options["region"])
        every = load_packs(options["rule_folders"])
        settings, _ = read_settings({**options, "ous": ()}, targets, every)
        pack = selected(every, options)
        bound = SourceOptions(
            parameters=read_parameters(options["parameters"]),
            account=options["account"],
            region=options["region"],
        )
        code, running = self._open(targets, bound), self._open([str(snapshot)], SourceOptions())
        for source in code:
            if source.kind not in CODE_KINDS:
                raise UsageError(
                    f"`{source.target}` is no template or plan: what is declared is compared with --against"
                )
        declared = [resource for source in code for resource in source.resources()]
        self.types = {resource.identity: resource.type for resource in declared}
        types = set(self.types.values())
        lives = [live_of(r) for source in running for r in _of_types(source, types)]
        coverage = frozenset(triple for source in running for triple in source.coverage)
        self.join = join(declared, lives, coverage, stack=options["stack"])
        self._types = frozenset(self.types[pair.declared] for pair in self.join.joined)
        self._evaluator = Evaluator(pack, now=_now(), settings=settings).about(self._types)
        self.errors: list[PolicyEngineError] = []
        self.declared = self._judged(code, {pair.declared for pair in self.join.joined})
        self.live = self._judged(running, {pair.live for pair in self.join.joined})
        self.errors += [error for source in (*code, *running) for error in source.errors]
        self._trails: Sequence[Path] = options["trail"]
        self._history: Sequence[Path] = options["history"]
        running_now = {pair.live for pair in self.join.joined}
        self._collected = {
            live.identity: live.collected_at
            for live in lives
            if live.collected_at is not None and live.identity in running_now
        }

    def _open(self, targets: Sequence[str], options: SourceOptions) -> list[Source]:
        found = open_targets(targets, options)
        if found.errors:
            raise found.errors[0]
        if not found.sources:
            raise UsageError(f"no template, plan or snapshot in {', '.join(f'`{t}`' for t in targets)}")
        return found.sources

    def _judged(self, sources: Sequence[Source], identities: set[Identity]) -> ByRule:
        judged: ByRule = {}
        if not identities:
            return judged
        wanted = [Only(s, identities, self._types) if hasattr(s, "account_of") else s for s in sources]
        scan = Scan(self._evaluator, wanted, Wanted(frozenset(VERDICTS)))
        for finding in scan.findings():
            if finding.identity in identities:
                judged.setdefault(finding.identity, {})[finding.rule] = finding
        self.errors += [*scan.errors, *scan.counts.crash_errors()]
        return judged

    def acts(self, identities: set[Identity]) -> dict[str, Act]:
        """Return who changed these running resources last, by identity joined with ``/``."""
        if not self._trails or not identities:
            return {}
        names = {}
        for identity in identities:
            arns = {finding.arn for finding in self.live.get(identity, {}).values() if finding.arn}
            names["/".join(identity)] = {identity[3], *arns}
        return last_acts(read_logs(self._trails), names)

    def since(self, drifted: Sequence[Drift]) -> BySince:
        """Return since when what drifted fails, by identity and rule, where AWS Config's history is at hand."""
        if not self._history:
            return {}
        found, errors = failing_since(self._history, drifted, self._collected, self._evaluator)
        self.errors += errors
        return found


def _of_types(source: Any, types: set[str]) -> Any:
    if hasattr(source, "scan_types"):
        return source.scan_types(types)
    return (resource for resource in source.resources() if resource.type in types)


def _now() -> Any:
    from policyengine.cli.run import clock

    return clock(None)[1]
