"""Runs with names, and what became of findings from one to another: of the history, or of run directories."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from policyengine.history.looked import Looked
from policyengine.history.reading import History, RunRow
from policyengine.history.runs import RunRead, identity_from, pack_of, place_of
from policyengine.model.errors import InputError, UsageError
from policyengine.model.finding import finding_id
from policyengine.model.pairing import paired

Became = Literal[
    "new", "fixed", "open", "gone", "not_applicable", "not_determined", "not_looked_at", "not_asked"
]
BECAME: Final[tuple[Became, ...]] = (
    "new", "fixed", "open", "gone", "not_applicable", "not_determined", "not_looked_at", "not_asked",
)  # fmt: skip
_ENDS: Final[Mapping[str, Became]] = {
    "F": "open", "P": "fixed", "N": "not_applicable", "U": "not_determined", "?": "not_looked_at", "-": "not_asked",
}  # fmt: skip
MOST: Final = 80


class Side(NamedTuple):
    """One of two runs. ``rows``: key -> type and letters by rule; ``rules``: id -> severity, pillar."""

    name: str
    run: str
    at: str
    rows: Iterator[tuple[bytes, tuple[str, dict[str, str]]]]
    rules: Mapping[str, Mapping[str, Any]]
    looked: Looked | None
    read: RunRead | None


class Moved(NamedTuple):
    """What became of a finding that fails on one side at least."""

    became: Became
    id: str
    rule: str
    severity: str
    pillar: str
    type: str
    identity: tuple[str, str, str, str]


def name_run(connection: sqlite3.Connection, history: History, name: str, run: str, note: str) -> RunRow:
    """Give a run of the history a name. ``run`` is an id, the beginning of one, a milestone, or the path of a run that was added.

    Raises UsageError for a name that cannot be one or that another run has, InputError for a run that is not there.
    """
    if not name or len(name) > MOST or not name.isprintable() or name != name.strip():
        raise UsageError(
            f"`{name[:MOST]}` cannot be the name of a milestone; expected up to {MOST} printable characters"
        )
    if Path(run).exists():
        run = RunRead(Path(run)).id
    found = history.find_run(run)
    if history.milestones.get(name, found.number) != found.number:
        other = history.run(history.milestones[name])
        raise UsageError(
            f"`{name}` is the name of the run of {other.at} already; a milestone stays what it was"
        )
    connection.execute("INSERT OR IGNORE INTO milestones VALUES (?, ?, ?)", (name, found.number, note))
    return found


def side(history: History | None, text: str) -> Side:
    """Return the run that a milestone, an id or a path names. Raises InputError where nothing does."""
    found = None
    if history is not None:
        with suppress(InputError):
            found = history.find_run(text)
    if found is not None and history is not None:
        rows = ((key, (state.type, state.verdicts())) for key, state in history.at(found.number))
        return Side(text, found.id, found.at, rows, history.pack(found.pack), None, None)
    if not Path(text).exists():
        if history is not None:
            history.find_run(text)  # says which there are
        raise InputError(
            f"`{text}` is no run, and there is no history that could have a milestone of this name"
        )
    read = RunRead(Path(text))
    looked = read.looked()
    rows = (
        (row.key, (row.type, dict(zip(row.rules, row.letters, strict=True))))
        for row in looked.noting_rows(read.rows())
    )
    return Side(text, read.id, read.at, rows, pack_of(read.rules), looked, read)


def compare_sides(before: Side, after: Side) -> Iterator[Moved]:
    """Yield what became of every finding that fails on one side at least, in the order of runs.

    Of what a later run in a directory does not have is known that it is gone only where the run looked.
    """
    waiting: list[tuple[bytes, str, str]] = []
    keyed_before = ((key, (key, *row)) for key, row in before.rows)
    keyed_after = ((key, (key, *row)) for key, row in after.rows)
    for old, new in paired(keyed_before, keyed_after):
        key, type_, _ = old or new or (b"", "", {})
        was = old[2] if old is not None else {}
        for rule in sorted(was.keys() | (new[2].keys() if new is not None else set())):
            if new is None:
                if was[rule] == "F":
                    waiting.append((key, type_, rule))
            elif was.get(rule, "-") == "F":
                yield _moved(_ENDS[new[2].get(rule, "-")], key, rule, type_, before, after)
            elif new[2].get(rule) == "F":
                yield _moved("new", key, rule, new[1], before, after)
    for key, type_, rule in waiting:
        yield _moved(_missing(key, type_, rule, after), key, rule, type_, before, after)


def _missing(key: bytes, type_: str, rule: str, after: Side) -> Became:
    if after.rules and rule not in after.rules:
        return "not_asked"
    if after.read is None or after.looked is None:
        return "gone"  # the history knows what was not looked at, and says so
    place = place_of(key, type_)
    if after.read.compared(None).was_unread(place):
        return "not_determined"
    return "not_looked_at" if after.looked.why_not(place, Looked({}, None)) else "gone"


def _moved(became: Became, key: bytes, rule: str, type_: str, before: Side, after: Side) -> Moved:
    about = after.rules.get(rule) or before.rules.get(rule) or {}
    return Moved(
        became, finding_id(rule, key), rule, str(about.get("severity") or "unknown"), str(about.get("pillar") or "unknown"),
        type_, identity_from(key),
    )  # fmt: skip


def count_moves(
    moves: Iterator[Moved], most: int
) -> tuple[dict[str, Counter[str]], dict[Became, list[Moved]]]:
    """Return counts, by ``became``, ``severity:became`` and ``pillar:became``, and up to ``most`` of each."""
    counts: dict[str, Counter[str]] = {"became": Counter(), "severity": Counter(), "pillar": Counter()}
    lists: dict[Became, list[Moved]] = {became: [] for became in BECAME}
    for move in moves:
        counts["became"][move.became] += 1
        counts["severity"][f"{move.severity}:{move.became}"] += 1
        counts["pillar"][f"{move.pillar}:{move.became}"] += 1
        if len(lists[move.became]) < most:
            lists[move.became].append(move)
    return counts, lists
