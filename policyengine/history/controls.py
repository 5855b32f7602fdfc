"""How long controls held, as far as runs show it: observations, and time only where nothing can have changed between them.

Two runs in which everything passes are two observations. That it held between them is known only where a timeline
(``history replay``) shows of every resource that it did.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from policyengine.history.continuity import Continuity
from policyengine.history.moments import moment
from policyengine.history.reading import History, RunRow

Seen = Literal["held", "failed", "unknown", "partial", "not_tested"]
SEEN: Final[tuple[Seen, ...]] = ("held", "failed", "unknown", "partial", "not_tested")
"""``held``: something passes and nothing fails, is unknown or was not looked at. ``partial``: nothing fails or is unknown, but
the run was incomplete. ``not_tested``: there was nothing that the rules apply to."""
EVERY: Final = timedelta(hours=25)
"""A run a day, and an hour's grace."""


class Gap(NamedTuple):
    """Time of which no run says anything, longer than was agreed. A run id is None at the ends of the period."""

    start: str
    end: str
    after: str | None
    before: str | None
    seconds: int


class Control(NamedTuple):
    """A control over a period. ``seen`` says how each run saw it, by number of the run. ``decides`` is ``whole`` where a rule
    says that it decides all of the control, else ``part``: something remains that no rule of ours looks at.

    ``continuous`` are seconds between runs that both held in which nothing changed, by the timelines; ``between`` all seconds
    between such runs. ``regressions`` counts findings that failed and to which the rule then no longer applied.
    """

    framework: str
    control: str
    rules: Sequence[str]
    decides: str
    seen: Mapping[int, Seen]
    continuous: int
    between: int
    regressions: int

    def count(self, how: Seen) -> int:
        """Return how many runs saw the control so."""
        return sum(each == how for each in self.seen.values())


def gaps_of(
    runs: Sequence[RunRow],
    start: str | None,
    end: str | None,
    every: timedelta = EVERY,
    now: str | None = None,
) -> list[Gap]:
    """Return the gaps between runs, and before the first and after the last where the period is given.

    What of the period lies after ``now`` (None: nothing does) is no gap: it has not been yet (:func:`not_yet`).
    """
    points: list[tuple[str, str | None]] = [(run.at, run.id) for run in runs]
    if start is not None:
        points.insert(0, (start, None))
    coming = not_yet(runs, start, end, now)
    if end is not None:
        points.append((end if coming is None else coming[0], None))
    found = []
    for (before, after_run), (after, before_run) in pairwise(points):
        lasts = moment(after) - moment(before)
        if lasts > every:
            found.append(Gap(before, after, after_run, before_run, int(lasts.total_seconds())))
    return found


def not_yet(
    runs: Sequence[RunRow], start: str | None, end: str | None, now: str | None
) -> tuple[str, str] | None:
    """Return the part of a period that lies in the future, None where nothing does."""
    if end is None or now is None:
        return None
    begins = max(
        (each for each in (now, start, runs[-1].at if runs else None) if each is not None), key=moment
    )
    return (begins, end) if moment(end) > moment(begins) else None


def controls_of(
    history: History,
    runs: Sequence[RunRow],
    continuity: Continuity | None = None,
    framework: str | None = None,
) -> Iterator[Control]:
    """Yield the controls that the rules of these runs speak of, sorted; of one framework or of all."""
    rules_of, whole = _rules_of(history, runs, framework)
    tallies = _tallies(history, runs)
    lasting = continuity.lasting(history, runs) if continuity is not None else {}
    for (name, control), rules in sorted(rules_of.items()):
        seen = {run.number: _seen(run, rules.get(run.pack, ()), tallies[run.number]) for run in runs}
        every = sorted({rule for some in rules.values() for rule in some})
        pairs = [(a, b) for a, b in pairwise(runs) if seen[a.number] == seen[b.number] == "held"]
        seconds = {a.number: int((moment(b.at) - moment(a.at)).total_seconds()) for a, b in pairs}
        continuous = sum(
            lasts
            for number, lasts in seconds.items()
            if all(number in lasting.get(rule, ()) for rule in every)
        )
        regressions = sum(tallies[run.number].get((rule, "to_na"), 0) for run in runs for rule in every)
        decides = "whole" if (name, control) in whole else "part"
        yield Control(name, control, every, decides, seen, continuous, sum(seconds.values()), regressions)


def _rules_of(
    history: History, runs: Iterable[RunRow], framework: str | None
) -> tuple[dict[tuple[str, str], dict[int, list[str]]], set[tuple[str, str]]]:
    """Return the rules of each control by number of the pack, and the controls that a rule decides wholly."""
    whole: set[tuple[str, str]] = set()
    found: defaultdict[tuple[str, str], dict[int, list[str]]] = defaultdict(dict)
    for number in sorted({run.pack for run in runs}):
        for rule, about in sorted(history.pack(number).items()):
            for name, controls in about["frameworks"].items():
                for control, decides in controls if framework in (None, name) else ():
                    found[name, control].setdefault(number, []).append(rule)
                    if decides == "whole":
                        whole.add((name, control))
    return found, whole


def _tallies(history: History, runs: Iterable[RunRow]) -> Mapping[int, Mapping[tuple[str, str], int]]:
    found: defaultdict[int, dict[tuple[str, str], int]] = defaultdict(dict)
    wanted = {run.number for run in runs}
    rows = history.db.execute(
        "SELECT run, text, what, number FROM tallies JOIN names ON names.n = rule ORDER BY run"
    )
    for run, rule, what, number in rows:
        if run in wanted:
            found[run][rule, what] = number
    return found


def _seen(run: RunRow, rules: Sequence[str], tallies: Mapping[tuple[str, str], int]) -> Seen:
    there = {letter for letter in "FUP?" if any(tallies.get((rule, letter)) for rule in rules)}
    if "F" in there:
        return "failed"
    if there & {"U", "?"}:
        return "unknown"
    if not run.complete:
        return "partial"
    return "held" if "P" in there else "not_tested"
