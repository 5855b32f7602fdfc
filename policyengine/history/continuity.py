"""Whether anything can have changed between two runs: what timelines of AWS Config's history say of it.

A timeline (``history replay --format json``, `policyengine/timeline/v1`) says of each resource in which times it was not as a
rule wants it, and in which nobody recorded it. It proves something only for places and times in which its CloudTrail records
show that the recorder was on.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.history.moments import moment
from policyengine.history.reading import History, RunRow, Stretch, letters_of
from policyengine.history.runs import Identity, identity_from
from policyengine.history.spans import Span, covers, overlaps, touching
from policyengine.model.errors import InputError
from policyengine.model.formats import refused

SCHEMA: Final = "policyengine/timeline/v1"


class Track(NamedTuple):
    """What is recorded of one resource: ``lives`` in which it is known to be there and recorded continuously; ``unknown`` times
    in which it may have been anything; ``bad`` by rule, the times in which it did not pass; ``rules`` it was judged by."""

    lives: Sequence[Span]
    unknown: Sequence[Span]
    bad: Mapping[str, Sequence[Span]]
    rules: frozenset[str]


class Continuity:
    """Timelines, to be asked whether something lasted."""

    def __init__(self, files: Iterable[Path]) -> None:
        self.tracks: dict[Identity, Track] = {}
        self.proved: dict[tuple[str, str], list[Span]] = {}
        self._decides: dict[str, set[str]] = defaultdict(set)
        for file in files:
            self._read(file)

    def _read(self, file: Path) -> None:
        """Raises InputError where it is no timeline, and where two timelines speak of one resource."""
        try:
            document = json.loads(file.read_bytes())
            wrong = refused(document["schema"], SCHEMA)
            if wrong is not None:
                raise InputError(f"`{file}` is no timeline that can be read: {wrong}")
            for rule, about in document["rules"].items():
                self._decides[rule].add(about["decides"])
            for place in document["places"]:
                spans = [_span(each) for each in place["proved"]]
                self.proved.setdefault((place["account"], place["region"]), []).extend(spans)
            for resource in document["resources"]:
                self._take(resource, file)
        except OSError as problem:
            raise InputError(f"`{file}` cannot be read: {(problem.strerror or 'error').lower()}") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise InputError(
                f"`{file}` is no timeline; expected what `history replay --format json` writes"
            ) from None

    def _take(self, resource: Mapping[str, Any], file: Path) -> None:
        identity = (resource["account"], resource["region"], resource["type"], resource["id"])
        if identity in self.tracks:
            raise InputError(
                f"`{file}` speaks of {identity[2]} `{identity[3]}`, as a timeline before it does: make one timeline of all "
                "files of a period"
            )
        bad: dict[str, list[Span]] = defaultdict(list)
        for each in resource["intervals"]:
            if each["verdict"] != "NOT_APPLICABLE":
                bad[each["rule"]].append(_span(each))
        unknown = [_span(each) for each in resource["gaps"]]
        daily = [_span(each) for each in resource["recorded"] if each["frequency"] != "CONTINUOUS"]
        lives = [_span(each) for each in resource["recorded"] if each["frequency"] == "CONTINUOUS"]
        self.tracks[identity] = Track(lives, unknown + daily, bad, frozenset(resource["rules"]))

    # -- what lasted ------------------------------------------------------------------------------------

    def lasting(self, history: History, runs: Sequence[RunRow]) -> dict[str, set[int]]:
        """Return for each rule the numbers of the runs from which on, until the next of ``runs``, it is known to have held.

        Rules that decide otherwise today than they did in the run are not in it.
        """
        pairs = [(a, b, (moment(a.at), moment(b.at))) for a, b in pairwise(runs)]
        broken: defaultdict[str, set[int]] = defaultdict(set)
        there: defaultdict[str, set[int]] = defaultdict(set)
        for key, stretches in history.stretches():
            self._hold(identity_from(key), stretches, pairs, len(history.runs), broken, there)
        self._strangers(pairs, broken)
        return {rule: {n for n in numbers if n not in broken[rule] and self._same(history, rule, n)}
                for rule, numbers in there.items()}  # fmt: skip

    def _same(self, history: History, rule: str, number: int) -> bool:
        about = history.pack(history.run(number).pack).get(rule)
        return about is not None and self._decides.get(rule) == {about["decides"]}

    def _hold(
        self,
        identity: Identity,
        stretches: Sequence[Stretch],
        pairs: Sequence[tuple[RunRow, RunRow, Span]],
        last: int,
        broken: Mapping[str, set[int]],
        there: Mapping[str, set[int]],
    ) -> None:
        track = self.tracks.get(identity)
        for rule in {rule for each in stretches for rule in each.state.rules}:
            letters: dict[int, str] = {}
            for since, until, letter in letters_of(rule, stretches, last):
                letters.update(dict.fromkeys(range(since, until + 1), letter))
            for a, b, span in pairs:
                one, other = letters.get(a.number, ""), letters.get(b.number, "")
                if (one, other) == ("-", "-") or (one, other) == ("", ""):
                    continue
                there[rule].add(a.number)
                if not self._lasted(identity, track, rule, span, begins=one == "", ends=other == ""):
                    broken[rule].add(a.number)

    def _lasted(
        self, identity: Identity, track: Track | None, rule: str, span: Span, *, begins: bool, ends: bool
    ) -> bool:
        """Whether a resource was known to be as the rule wants it all the time that it was there."""
        if track is None or rule not in track.rules:
            return False
        if overlaps(track.unknown, span) or overlaps(track.bad.get(rule, ()), span):
            return False
        within = touching(track.lives, span)
        if not within:
            return False
        first = span[0] if not begins else within[0][0]
        end = span[1] if not ends else within[-1][1]
        return self._proved(identity, span) and _whole(within, (first, end))

    def _proved(self, identity: Identity, span: Span) -> bool:
        account, region = identity[0], identity[1]
        places = [spans for (a, r), spans in self.proved.items() if a == account and region in (r, "global")]
        return any(covers(spans, span) for spans in places)

    def _strangers(
        self, pairs: Sequence[tuple[RunRow, RunRow, Span]], broken: Mapping[str, set[int]]
    ) -> None:
        """What was made and deleted between two runs is in no run, and may have failed."""
        for track in self.tracks.values():
            for rule in track.rules:
                for a, _, span in pairs:
                    if touching(track.lives, span) and (
                        overlaps(track.bad.get(rule, ()), span) or overlaps(track.unknown, span)
                    ):
                        broken[rule].add(a.number)


def _whole(lives: Sequence[Span], span: Span) -> bool:
    """Whether lives, one directly after the other or with a deletion between, begin and end as wanted."""
    return bool(lives) and lives[0][0] <= span[0] and span[1] <= lives[-1][1]


def _span(value: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return moment(value["begin"]), moment(value["end"])
