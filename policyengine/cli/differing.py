"""Two runs opened to be compared: row by row where both are run directories, else finding by finding."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from policyengine.history.compare import Change, Rules, compare, in_order, key_of
from policyengine.history.looked import Looked
from policyengine.history.reasons import Lookup, with_reasons
from policyengine.history.rowdiff import RowDiff, can_compare
from policyengine.history.runs import lost, rules_of_run, unread
from policyengine.model.run_directory import is_run_directory
from policyengine.store.coverage import read_coverage
from policyengine.store.rundir import RunReader, read_findings, read_run


class Differing:
    """Two runs. ``open`` counts what is still open and was not told, unless ``tell_open``.

    Raises InputError where a path is no run.
    """

    def __init__(self, before: Path, after: Path, *, tell_open: bool) -> None:
        self._paths = (before, after)
        later = read_run(after)
        self._rules = Rules(_asked(before), _asked(after), unread(later), lost(later))
        self._looked = (_looked(before), _looked(after))
        self._tell_open = tell_open
        self.open = 0

    def changes(self) -> Iterator[Change]:
        """Yield what changed or is still open, in the order of the runs."""
        readers = [RunReader(path) if is_run_directory(path) else None for path in self._paths]
        before, after = readers
        if before is not None and after is not None and can_compare(before, after):
            found = self._by_row(before, after)
        else:
            found = self._by_finding()
        return with_reasons(found, _lookup(before), _lookup(after))

    def _by_row(self, before: RunReader, after: RunReader) -> Iterator[Change]:
        diff = RowDiff(before, after, self._rules, self._looked, tell_open=self._tell_open)
        yield from diff.changes()
        self.open = diff.open

    def _by_finding(self) -> Iterator[Change]:
        old, new = (_findings(path, looked) for path, looked in zip(self._paths, self._looked, strict=True))
        return compare(old, new, self._rules, self._looked)


def _lookup(run: RunReader | None) -> Lookup:
    if run is None:
        return lambda _identity: None
    from policyengine.cli.judged import JudgedResources

    return JudgedResources(run).find


def _findings(path: Path, looked: Looked) -> Iterator[dict[str, Any]]:
    """All findings are read before the first is given: only then is known where the run looked."""
    if in_order(looked.noting(read_findings(path))):
        return read_findings(path)
    return iter(sorted(looked.noting(read_findings(path)), key=key_of))


def _looked(path: Path) -> Looked:
    scope = read_run(path).get("scope")
    targets = scope.get("targets") if isinstance(scope, dict) else None
    places = (lambda: _places(RunReader(path))) if is_run_directory(path) else None
    return Looked(read_coverage(path), map(str, targets) if isinstance(targets, list) else None, places)


def _places(run: RunReader) -> set[tuple[str | None, str | None]]:
    """Those of resources that stand in no file."""
    found = set()
    for line in run.lines():
        record = json.loads(line)
        if "file" not in record:
            found.add((record["account"], record["region"]))
    return found


def _asked(path: Path) -> list[dict[str, Any]] | None:
    """Return the rules that a run asked; what its configuration disables is kept with it, and was not."""
    rules = rules_of_run(path)
    try:
        off = json.loads((path / "settings.json").read_bytes())["disabled"] if rules is not None else {}
    except (OSError, ValueError, KeyError, TypeError):
        off = {}
    return None if rules is None else [rule for rule in rules if rule.get("id") not in off]
