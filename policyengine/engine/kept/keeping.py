"""The evaluator that keeps results, and judges again only what may have changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from policyengine.config.settings import Settings
from policyengine.engine.evaluate import Evaluator, May
from policyengine.engine.kept.file import ResultFile, Row, number_of
from policyengine.engine.kept.recording import Dependency, Recorder, UndigestedError
from policyengine.engine.kept.stamps import RuleStamps
from policyengine.engine.kept.told import Told, UntoldError, evidence_of, told_of, witness_of
from policyengine.engine.rule import BoundRule, predicate_names
from policyengine.engine.world import World
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, VERDICTS
from policyengine.model.resource import Resource
from policyengine.rules.pack import Pack

_NONE: Final = "-"
_LETTERS: Final = {PASS: "P", FAIL: "F", UNKNOWN: "U", NOT_APPLICABLE: "N"}
_VERDICTS: Final = {letter: verdict for verdict, letter in _LETTERS.items()}
_ALL: Final = frozenset(VERDICTS)
_TOLD: Final = frozenset({FAIL, UNKNOWN})
"""Verdicts whose findings are always written down; the others' where a predicate gave them."""
_STAMP: Final = 16
_SPOILT: Final = (ValueError, TypeError, LookupError, AttributeError)
"""What reading a row that nobody wrote may raise."""


class KeepingEvaluator(Evaluator):
    """An evaluator whose results outlive it, where the source tells its resources from what they were.

    INVARIANT: it finds what :class:`Evaluator` finds; ``tests/engine/kept`` holds that.
    """

    def __init__(
        self, pack: Pack, *, now: datetime, file: ResultFile, engine: bytes, settings: Settings | None = None
    ) -> None:
        super().__init__(pack, now=now, settings=settings)
        self.file = file
        self.engine = engine
        self.judged = 0
        """Pairs of rule and resource that were judged, not known."""
        self._stamps = RuleStamps(engine)
        self._orders: dict[tuple[bytes, bytes], tuple[int, ...]] = {}
        self._asks: dict[int, bool] = {}
        self._in: tuple[World, Recorder] | None = None

    def again(self) -> KeepingEvaluator:
        """Return another one of the same, for another process."""
        return KeepingEvaluator(
            self.pack, now=self.now, file=self.file, engine=self.engine, settings=self.settings
        )

    def pause(self) -> None:
        """Write what waits; the file is opened again when it is asked for."""
        self.file.pause()

    def close(self) -> list[str]:
        """See :meth:`Evaluator.close`."""
        self.file.close()
        return [] if self.file.problem is None else [self.file.problem]

    def findings(
        self, resource: Resource, world: World, wanted: frozenset[str] = _ALL, may: May | None = None
    ) -> list[Finding]:
        """See :meth:`Evaluator.findings`."""
        if (
            not resource.digest
            or resource.file is not None
            or resource.variants
            or resource.branch is not None
        ):
            return super().findings(resource, world, wanted, may)
        if self._in is None or self._in[0] is not world:
            self._in = (world, Recorder(world, self.now))
        recorder = self._in[1]
        recorder.start(resource)
        rules = self._fixed.get(resource.type) or self.rules_for(resource)
        self._asked[resource.type] = self._fixed[resource.type]
        known = self._known(resource, rules, recorder)
        found: list[Finding] = []
        for index, rule in enumerate(rules):
            letter = known.letters[index]
            if letter == _NONE:
                verdict = self._judge(known, index, rule, recorder, wanted, may, found)
            else:
                verdict = _VERDICTS[letter]
                if verdict in wanted and (may is None or may(rule.id, verdict)):
                    verdict = self._tell(known, index, rule, verdict, recorder, found)
            rule.tally[verdict] += 1
        if known.changed:
            self.file.put(number_of(resource.identity), known.row(recorder), known.stamps)
        return found

    # -- what is known ----------------------------------------------------------------------------------

    def _known(self, resource: Resource, rules: Sequence[BoundRule], recorder: Recorder) -> _Known:
        """Return the results that still hold."""
        fixed = self._fixed[resource.type] is not None
        name, stamps = self._stamps.of(rules, fixed=fixed)
        known = _Known(resource.digest, name, stamps, len(rules))
        row = self.file.get(number_of(resource.identity)) if rules else None
        if row is not None and row.line == resource.digest:
            try:
                known.take(row, self._order(row.rules, name, stamps), recorder)
            except _SPOILT:
                known = _Known(resource.digest, name, stamps, len(rules))
        return known

    def _order(self, before: bytes, name: bytes, stamps: bytes) -> Mapping[int, int] | None:
        """Return which rule of now each of before is; None where they are the same."""
        if before == name:
            return None
        then = _cut(self.file.stamps(before))
        places = {stamp: index for index, stamp in enumerate(_cut(stamps))}
        return {index: places[stamp] for index, stamp in enumerate(then) if stamp in places}

    # -- judging ----------------------------------------------------------------------------------------

    def _judge(
        self, known: _Known, index: int, rule: BoundRule, recorder: Recorder,
        wanted: frozenset[str], may: May | None, found: list[Finding],
    ) -> str:  # fmt: skip
        """Judge as :class:`Evaluator` does, and note the result with what it rests on."""
        resource, subject = recorder.subject.resource, recorder.subject
        self.judged += 1
        recorder.begin(rule.relations)
        told: Finding | None = None
        try:
            verdict = rule.decide(resource, subject)
            if verdict in wanted and (may is None or may(rule.id, verdict)):
                told = rule.finding(verdict, resource, subject)
        except Exception as error:  # noqa: BLE001  # whatever a rule raises, it is a crash of that rule
            verdict = UNKNOWN
            crash = self._crashed(rule, error)
            if verdict in wanted and (may is None or may(rule.id, verdict)):
                found.append(rule.finding(verdict, resource, subject, crash))
            return verdict
        if told is not None:
            found.append(told)
        self._note(known, index, rule, verdict, told, recorder)
        return verdict

    def _note(
        self,
        known: _Known,
        index: int,
        rule: BoundRule,
        verdict: str,
        told: Finding | None,
        recorder: Recorder,
    ) -> None:
        try:
            rests = recorder.current
            for dependency in rests:
                recorder.said(dependency)
            if told is not None and self._is_told(rule, verdict):
                known.told[index] = told_of(told)
        except (UndigestedError, UntoldError):
            known.letters[index] = _NONE
            known.changed = True
            return
        known.letters[index] = _LETTERS[verdict]
        known.rests[index] = rests
        known.changed = True

    def _tell(
        self,
        known: _Known,
        index: int,
        rule: BoundRule,
        verdict: str,
        recorder: Recorder,
        found: list[Finding],
    ) -> str:
        """Add the finding of a verdict that is known: as it was told, or told anew."""
        resource, subject = recorder.subject.resource, recorder.subject
        told = known.told.get(index)
        if told is not None:
            try:
                found.append(
                    rule.told(
                        verdict, told[0], told[1], resource, evidence_of(told), witness_of(told), told[4]
                    )
                )
            except _SPOILT:
                del known.told[index]
            else:
                return verdict
        recorder.begin(rule.relations)
        recorder.inherit(known.rests.get(index, frozenset()))
        try:
            anew = rule.finding(verdict, resource, subject)
        except Exception as error:  # noqa: BLE001  # see _judge
            crash = self._crashed(rule, error)
            found.append(rule.finding(UNKNOWN, resource, subject, crash))
            known.letters[index] = _NONE
            known.changed = True
            return UNKNOWN
        found.append(anew)
        if self._is_told(rule, verdict):
            self._note(known, index, rule, verdict, anew, recorder)
        return verdict

    def _is_told(self, rule: BoundRule, verdict: str) -> bool:
        """Whether a finding is written down; others are made quicker than they are read."""
        if verdict in _TOLD:
            return True
        asks = self._asks.get(id(rule))
        if asks is None:
            trees = (rule.variant["when"], rule.variant["require"])
            asks = self._asks[id(rule)] = any(True for tree in trees for _ in predicate_names(tree))
        return asks


class _Known:
    """The results about a resource: by the index of the rule a letter, what it rests on, the finding."""

    def __init__(self, line: bytes, rules: bytes, stamps: bytes, number: int) -> None:
        self.line = line
        self.rules = rules
        self.stamps = stamps
        self.letters = [_NONE] * number
        self.rests: dict[int, frozenset[Dependency]] = {}
        self.changed = False
        self._held: set[int] = set()
        """The indexes whose results were taken over: only of these the row's findings are of the same results."""
        self._told: dict[int, Told] | None = {}
        self._unread: tuple[bytes, Mapping[int, int] | None] = (b"", None)

    def take(self, row: Row, order: Mapping[int, int] | None, recorder: Recorder) -> None:
        """Take over what holds of a row; raises what ``_SPOILT`` names for one that nobody wrote."""
        letters, groups = json.loads(row.body.decode())
        gone: set[int] = set()
        for group, members in groups:
            rests, state = _standing(group, recorder)
            if not state:
                gone.update(members)
                continue
            self.changed = self.changed or state is _MOVED
            places = members if order is None else [order[m] for m in members if m in order]
            self.rests.update(dict.fromkeys(places, rests))
        self._told, self._unread = None, (row.told, order)
        for index, letter in enumerate(letters):
            place = index if order is None else order.get(index)
            if place is not None and index not in gone and letter != _NONE:
                _VERDICTS[letter]
                self.letters[place] = letter
                self._held.add(place)

    @property
    def told(self) -> dict[int, Told]:
        """The findings that were written down, by index; read when the first is asked for."""
        if self._told is None:
            text, order = self._unread
            try:
                found = {int(index): one for index, one in json.loads(text.decode()).items()} if text else {}
            except _SPOILT:
                found = {}
            moved = found if order is None else {order[i]: one for i, one in found.items() if i in order}
            self._told = {index: one for index, one in moved.items() if index in self._held}
        return self._told

    def row(self, recorder: Recorder) -> Row:
        """Return what is to be kept."""
        groups: dict[frozenset[Dependency], list[int]] = {}
        for index, letter in enumerate(self.letters):
            rests = self.rests.get(index)
            if rests and letter != _NONE:
                groups.setdefault(rests, []).append(index)
        written = [
            [[[*d, *recorder.said(d)] for d in sorted(rests)], members] for rests, members in groups.items()
        ]
        body = json.dumps(["".join(self.letters), written], separators=(",", ":")).encode()
        told = {index: one for index, one in self.told.items() if self.letters[index] != _NONE}
        text = json.dumps(told, separators=(",", ":")).encode() if told else b""
        return Row(self.line, self.rules, body, text)


_GONE, _SAME, _MOVED = 0, 1, 2


def _standing(group: Sequence[Sequence[str]], recorder: Recorder) -> tuple[frozenset[Dependency], int]:
    """Return what results rest on, and whether it is the same; _MOVED: only where the resource looks."""
    state = _SAME
    found = []
    try:
        for *parts, alone, whole in group:
            dependency = tuple(parts)
            found.append(dependency)
            now = recorder.whole(dependency)
            if now != whole:
                if not alone or recorder.alone(dependency) != alone:
                    return frozenset(), _GONE
                state = _MOVED
            recorder.know(dependency, alone, now)
    except UndigestedError:
        return frozenset(), _GONE
    return frozenset(found), state


def _cut(stamps: bytes) -> list[bytes]:
    return [stamps[at : at + _STAMP] for at in range(0, len(stamps), _STAMP)]
