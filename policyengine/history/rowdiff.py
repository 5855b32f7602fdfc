"""Two run directories side by side, row by row: what is the same, byte by byte, is not even parsed.

Both are read once, in their order; memory does not grow with them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import Any, Final

from policyengine.history.compare import KINDS, Change, Rules, Sides, acceptance_ended, compare
from policyengine.model.errors import InputError
from policyengine.model.reasons import FAIL, VERDICT_OF, VERDICTS
from policyengine.store.rows import Row, findings_json, read_row
from policyengine.store.rundir import RunReader

_ALL: Final = frozenset(VERDICTS)
Json = dict[str, Any]


def can_compare(*runs: RunReader) -> bool:
    """Whether rows are all there is to know: what stands in files of code has its places beside it."""
    return not any(run.about["places"] for run in runs)


class RowDiff:
    """What became of findings. ``open`` counts those still open that were not told, because nobody wanted to see them."""

    def __init__(
        self, before: RunReader, after: RunReader, rules: Rules, looked: Sides, *, tell_open: bool
    ) -> None:
        self._before = _Side(before)
        self._after = _Side(after)
        self._rules = rules
        self._looked = looked
        self._tell_open = tell_open
        self._alike = before.rules_of == after.rules_of
        self.open = 0

    def changes(self) -> Iterator[Change]:
        """Yield what changed or is still open, in the order of the runs. Raises InputError for a damaged run."""
        one, other = self._before, self._after
        one.next()
        other.next()
        while one.line is not None or other.line is not None:
            if one.line == other.line and self._alike:
                yield from self._same()
            elif other.line is None or (one.line is not None and one.row.identity < other.row.identity):
                yield from compare(one.failing(), (), self._rules, self._looked)
                one.next()
            elif one.line is None or other.row.identity < one.row.identity:
                yield from compare((), other.failing(), self._rules, self._looked)
                other.next()
            else:
                yield from self._both(one.row, other.row)
                one.next()
                other.next()

    def _same(self) -> Iterator[Change]:
        """Pass over the rows that are the same, to the first that is not: nearly all are, so nothing is made for one."""
        one, other, tell_open = self._before, self._after, self._tell_open
        passed = 0
        pairs = chain([(one.line, other.line)], zip(one.lines, other.lines, strict=False))
        for line, twin in pairs:
            if line is None or line != twin:
                break
            failing = line.count(b"F", line.rindex(b'":"'))
            if failing and tell_open:
                one.stand_at(line)
                other.stand_at(twin)
                yield from self._both(one.row, other.row)
            else:
                passed += failing
        self.open += passed
        one.stand_at(line)
        other.stand_at(twin)

    def _both(self, old: Row, new: Row) -> Iterator[Change]:
        """Findings are made only of the rules of which there is something to tell."""
        was, now = self._before.letters(old), self._after.letters(new)
        told = {rule for rule, letter in was.items() if self._is_told(letter, now.get(rule))}
        told.update(rule for rule, letter in now.items() if rule not in was and letter == "F")
        if not told:
            return
        for change in compare(
            self._before.findings(old, told), self._after.findings(new, told), self._rules, self._looked
        ):
            if change.kind == "open" and not self._tell_open and not acceptance_ended(change):
                self.open += 1
            else:
                yield change

    def _is_told(self, was: str, now: str | None) -> bool:
        if now is None:
            return was == "F"
        return (VERDICT_OF[was], VERDICT_OF[now]) in KINDS


class _Side:
    """One run: the line it stands at, and its row once somebody asks."""

    def __init__(self, run: RunReader) -> None:
        self.run = run
        self.line: bytes | None = None
        self.lines: Iterator[bytes | None] = chain(run.lines(), repeat(None))
        """The lines that come, and None without end after the last."""
        self._row: Row | None = None
        self._last: tuple[str, ...] = ()

    def next(self) -> None:
        """Go on to the next line."""
        self.stand_at(next(self.lines))

    def stand_at(self, line: bytes | None) -> None:
        """Take a line as the one it stands at."""
        self.line, self._row = line, None

    @property
    def row(self) -> Row:
        """The row of the line."""
        if self._row is None:
            try:
                record = json.loads(self.line or b"")
            except (ValueError, RecursionError):
                raise InputError(f"`{self.run.path}` holds a row that is no JSON; it is damaged") from None
            self._row = read_row(record, None, str(self.run.path))
            if self._row.identity < self._last:
                raise InputError(f"the rows of `{self.run.path}` are in no order; it is damaged")
            self._last = self._row.identity
        return self._row

    def letters(self, row: Row) -> dict[str, str]:
        """Return rule -> letter."""
        return dict(zip(self._names(row), row.verdicts, strict=True))

    def _names(self, row: Row) -> Sequence[str]:
        rules = self.run.rules_of.get(row.type, ())
        if len(rules) != len(row.verdicts):
            raise InputError(
                f"the row of `{row.id}` in `{self.run.path}` has {len(row.verdicts)} verdicts, and its type {len(rules)} rules; "
                "it is damaged"
            )
        return rules

    def failing(self) -> Iterator[Json]:
        """Yield the findings of the row that fail."""
        if "F" not in self.row.verdicts:
            return iter(())
        return findings_json(self.row, self._names(self.row), self.run.facts, frozenset({FAIL}))

    def findings(self, row: Row, rules: set[str]) -> Iterator[Json]:
        """Yield the findings of these rules."""
        chosen = [(rule, letter) for rule, letter in self.letters(row).items() if rule in rules]
        part = row._replace(verdicts="".join(letter for _, letter in chosen))
        return findings_json(part, [rule for rule, _ in chosen], self.run.facts, _ALL)
