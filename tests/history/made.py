"""Runs made by hand, and what a plain reading of them all says: the model that the file of history is held against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from policyengine.history.looked import Looked
from policyengine.history.runs import Row, RunRead
from policyengine.model.finding import finding_id, identity_key

TYPE = "AWS::EC2::Volume"
ACCOUNT = "111122223333"
RULES = ("a-rule", "b-rule")


class Made(NamedTuple):
    """A run: (region, id) -> the letters of the rules; ``looked`` are the regions that it collected whole."""

    day: int
    resources: Mapping[tuple[str, str], str]
    looked: frozenset[str]

    @property
    def at(self) -> str:
        return f"2026-01-{self.day:02d}T00:00:00Z"


class MadeRun(RunRead):
    """The same as a run that was opened."""

    def __init__(self, made: Made, number: int, rules: Sequence[str] = RULES) -> None:
        self.path = Path(f"run-{number}")
        self.made, self.id, self.at = made, f"{number:032x}", made.at
        self.run: Mapping[str, Any] = {"errors": []}
        self.complete = True
        self.scope: Mapping[str, Any] = {"targets": ["snapshot"]}
        self._names = tuple(rules)
        self.rules = [
            {"id": rule, "severity": "high", "pillar": "security", "frameworks": {"f": [["1.1", "whole"]]}}
            for rule in rules
        ]

    def looked(self) -> Looked:
        return Looked({(ACCOUNT, region): frozenset({TYPE}) for region in self.made.looked}, ["snapshot"])

    def rows(self) -> Iterator[Row]:
        for (region, id_), letters in sorted(self.made.resources.items()):
            yield Row((ACCOUNT, region, TYPE, id_), TYPE, self._names, letters, 0)


def letters_of(runs: Sequence[Made], place: tuple[str, str], at: int) -> list[str]:
    """What each run says of one rule on one resource: a letter, "" where it is not there, "?" where nobody looked."""
    found: list[str] = []
    there = False
    for run in runs:
        if place in run.resources:
            found.append(run.resources[place][at])
            there = True
        elif (
            there
            and place[0] not in run.looked
            and not any(region == place[0] for region, _ in run.resources)
        ):
            found.append("?")
        else:
            found.append("")
            there = False
    return found


def episodes(letters: Sequence[str]) -> list[tuple[int, int, int | None]]:
    """(first run that failed, last one, first one that knew better or None): UNKNOWN and ? end nothing."""
    found: list[tuple[int, int, int | None]] = []
    open_ = False
    for number, letter in enumerate(letters, 1):
        if letter == "F":
            begins = found.pop()[0] if open_ else number
            found.append((begins, number, None))
            open_ = True
        elif letter in ("P", "N", "") and open_:
            begins, last, _ = found.pop()
            found.append((begins, last, number))
            open_ = False
    return found


def counts(runs: Sequence[Made]) -> list[Counter[str]]:
    """New, reopened, fixed, … of each run."""
    found = [Counter[str]() for _ in runs]
    places = {place for run in runs for place in run.resources}
    for place in places:
        for at in range(len(RULES)):
            letters = letters_of(runs, place, at)
            failing = failed = False
            for count, letter in zip(found, letters, strict=True):
                if letter in "PFUN?" and letter:
                    count[letter] += 1
                if letter == "F":
                    count.update(["open"] if failing else ["new", *(["reopened"] if failed else [])])
                    failing = failed = True
                elif letter in ("P", "N", ""):
                    if failing:
                        count[{"P": "fixed", "N": "to_na", "": "gone"}[letter]] += 1
                    failing = False
                elif letter == "U" and failing:
                    count["unknown"] += 1
    return found


def finding(rule: str, place: tuple[str, str]) -> str:
    return finding_id(rule, identity_key((ACCOUNT, place[0], TYPE, place[1])))
