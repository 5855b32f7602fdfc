"""A kept run judged again: from what it keeps, with its own rules, settings and clock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policyengine.cli.withheld import FILE, read_private
from policyengine.config.compiled import read_settings
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Row, Wanted
from policyengine.engine.scan import Scan
from policyengine.model.errors import InputError, PolicyEngineError
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, UNKNOWN
from policyengine.model.withheld import Withholding
from policyengine.rules.pack import parse_pack
from policyengine.sources.base import SourceOptions
from policyengine.sources.snapshot.source import open_snapshot
from policyengine.store.rows import row_line
from policyengine.store.rundir import RunReader


@dataclass(frozen=True)
class Again:
    """A run that can be judged again: ``scan`` is ready, ``sources`` are its inputs in order."""

    reader: RunReader
    scan: Scan
    sources: list[Any]

    def rows(self) -> Iterator[Row]:
        """Yield the rows that judging again gives, in the order of reports."""
        self.scan.wanted = Wanted(frozenset((FAIL, UNKNOWN)), row=row_line)
        made: list[Row] = []
        self.scan.keep_rows = made.extend
        for _ in self.scan.findings():
            if self._in_order:
                yield from made
                made.clear()
        yield from sorted(made) if not self._in_order else made

    def findings(self, wanted: frozenset[str]) -> Iterator[Finding]:
        """Yield findings in the order of reports."""
        self.scan.wanted = Wanted(wanted)
        found = self.scan.findings()
        return found if self._in_order else iter(sorted(found, key=lambda each: each.sort_key))

    def scan_findings(self, verdict: str) -> Iterator[Finding]:
        """Yield findings of one verdict as the sources of ``scan`` give them, which may be fewer than all."""
        self.scan.wanted = Wanted(frozenset((verdict,)))
        yield from self.scan.findings()

    @property
    def _in_order(self) -> bool:
        return len(self.sources) == 1 and bool(self.sources[0].sorted)


def again(folder: Path, *, jobs: int = 1) -> Again:
    """Return the run at ``folder``, ready to be judged again.

    Raises InputError where something of it is missing or damaged.
    """
    reader = RunReader(folder)
    try:
        pack = parse_pack((folder / "rules.json").read_bytes())
        settings = read_settings(json.loads((folder / "settings.json").read_bytes()))
        now = _clock(reader.run)
        withholding = withholding_kept(reader)
        sources = [_source(reader, entry) for entry in reader.about["inputs"]]
        for source in sources:
            source.withholding = withholding
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"`{folder}` cannot be judged again: {type(error).__name__} in what it keeps"
        ) from error
    evaluator = Evaluator(pack, now=now, settings=settings)
    return Again(reader, Scan(evaluator, sources, Wanted(frozenset()), jobs=jobs), sources)


def withholding_kept(reader: RunReader) -> Withholding | None:
    """Return what a kept run was judged without and holds; None where it has all it was judged with.

    Raises InputError where its secret is missing: its rows can neither be made again nor be shown to an auditor.
    """
    about = reader.about.get("withheld")
    if about is None or about.get("redacted"):
        return None
    found = read_private(reader.path)
    if found is None or found.plan.to_json() != about.get("plan"):
        raise InputError(
            f"`{reader.path}` withholds values, and its `{FILE}` is missing or another's: put back the one that `scan -o` wrote"
        )
    return found


def _clock(run: Mapping[str, Any]) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(run["as_of"])


def _source(reader: RunReader, entry: Mapping[str, Any]) -> Any:
    place = reader.path / entry["path"]
    try:
        source = open_snapshot(place, SourceOptions(), name=entry["target"])
    except PolicyEngineError as error:
        raise InputError(
            f"`{place}`, which the run keeps of `{entry['target']}`, cannot be read: {error}"
        ) from error
    source.kind = entry["kind"]
    return source
