"""The evaluator that keeps results, and judges again only what may have changed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

from policyengine.config.settings import Settings
from policyengine.engine.evaluate import Evaluator, May
from policyengine.engine.kept.digests import UndigestedError
from policyengine.engine.kept.file import ResultFile, Row, number_of
from policyengine.engine.kept.known import NONE, SPOILT, Known
from policyengine.engine.kept.recording import Dependency, Recorder
from policyengine.engine.kept.shapes import Shape, State, States, alone_of, shape_in, shape_of
from policyengine.engine.kept.stamps import RuleStamps
from policyengine.engine.kept.told import UntoldError, evidence_of, told_of, witness_of
from policyengine.engine.rule import BoundRule, predicate_names
from policyengine.engine.world import World
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, LETTERS, UNKNOWN, VERDICT_OF, VERDICTS
from policyengine.model.resource import Resource
from policyengine.model.suppression import SUPPRESSION
from policyengine.rules.pack import Pack

_ALL: Final = frozenset(VERDICTS)
_TOLD: Final = frozenset({FAIL, UNKNOWN})
"""Verdicts whose findings are always written down; the others' where a predicate gave them."""
_STAMP: Final = 16
_MOST_REMEMBERED: Final = 10_000
K = TypeVar("K")
V = TypeVar("V")
_NOTHING: Final[frozenset[int]] = frozenset()


class _Rules:
    """The rules a resource is judged by, with their name and stamps."""

    __slots__ = ("each", "name", "stamps", "tellable")

    def __init__(self, each: Sequence[BoundRule], name: bytes, stamps: bytes) -> None:
        self.each = each
        self.name = name
        self.stamps = stamps
        self.tellable: dict[tuple[str, frozenset[str]], list[tuple[int, BoundRule, str]]] = {}

    def to_tell(self, letters: str, wanted: frozenset[str]) -> list[tuple[int, BoundRule, str]]:
        """Return the rules whose findings are wanted, for verdicts that many resources have in common."""
        found = self.tellable.get((letters, wanted))
        if found is None:
            each = ((i, self.each[i], VERDICT_OF[letter]) for i, letter in enumerate(letters))
            found = [one for one in each if one[2] in wanted]
            _bounded(self.tellable)[letters, wanted] = found
        return found


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
        self._lists: dict[bytes, _Rules] = {}
        self._verdicts: Counter[tuple[bytes, str]] = Counter()
        """How often a list of rules (by its name) had verdicts that were all known."""
        self._orders: dict[tuple[bytes, bytes], Mapping[int, int]] = {}
        self._shapes: dict[bytes, Shape] = {}
        self._shapes_of: dict[tuple[frozenset[Dependency] | None, ...], Shape] = {}
        self._asks: dict[int, bool] = {}
        self._in: tuple[World, Recorder, States] | None = None

    def again(self) -> KeepingEvaluator:
        """Return another one of the same, for another process."""
        other = KeepingEvaluator(
            self.pack, now=self.now, file=self.file, engine=self.engine, settings=self.settings
        )
        other.elsewhere = self.elsewhere
        return other

    def pause(self) -> None:
        """Write what waits; the file is opened again when it is asked for."""
        self.file.pause()

    def close(self) -> list[str]:
        """See :meth:`Evaluator.close`."""
        self.file.close()
        return [] if self.file.problem is None else [self.file.problem]

    def take_tallies(self) -> Counter[tuple[str, str]]:
        """See :meth:`Evaluator.take_tallies`."""
        for (name, letters), number in self._verdicts.items():
            for rule, letter in zip(self._lists[name].each, letters, strict=True):
                rule.tally[VERDICT_OF[letter]] += number
        self._verdicts.clear()
        return super().take_tallies()

    def findings(
        self, resource: Resource, world: World, wanted: frozenset[str] = _ALL, may: May | None = None
    ) -> list[Finding]:
        """See :meth:`Evaluator.findings`."""
        if (
            not resource.digest
            or resource.file is not None
            or resource.variants
            or resource.branch is not None
            or resource.type == SUPPRESSION  # what it amounts to depends on the waivers and the day
        ):
            return super().findings(resource, world, wanted, may)
        if self._in is None or self._in[0] is not world:
            recorder = Recorder(world, self.now)
            self._in = (world, recorder, States(recorder))
        recorder = self._in[1]
        recorder.start(resource)
        if self.verdicts is not None:
            self.verdicts.clear()
        rules = self._rules_of(resource)
        found = self._found(resource, rules, recorder, wanted, may) if rules.each else []
        return self._with_set_aside(found, resource, wanted, may) if self._untaggable else found

    def _found(
        self, resource: Resource, rules: _Rules, recorder: Recorder, wanted: frozenset[str], may: May | None
    ) -> list[Finding]:
        row, known = self._known(resource, rules)
        if known.whole:
            found = self._tell_whole(known, rules, recorder, wanted, may)
        else:
            known.teach(recorder)
            found = self._judge_rest(known, rules, recorder, wanted, may)
        if known.changed:
            self._keep(resource, rules, known, recorder)
        elif known.moved and row is not None:
            self._move(resource, row)
        return found

    def _rules_of(self, resource: Resource) -> _Rules:
        each = self._rules_about(resource)
        name, stamps = self._stamps.of(each, fixed=each is self._fixed[resource.type])
        known = self._lists.get(name)
        if known is None:
            known = self._lists[name] = _Rules(each, name, stamps)
        return known

    # -- what is known ----------------------------------------------------------------------------------

    def _known(self, resource: Resource, rules: _Rules) -> tuple[Row | None, Known]:
        """Return the results that still hold, and the row they are from."""
        known = Known(len(rules.each))
        row = self.file.get(number_of(resource.identity))
        if row is None or row.line != resource.digest:
            return None, known
        try:
            shape = self._shape(row.shape)
            gone, moved = self._gone(row, shape, resource)
            known.take(row, shape, self._order(row.rules, rules), gone, moved)
        except SPOILT:
            return None, Known(len(rules.each))
        return row, known

    def _shape(self, name: bytes) -> Shape:
        """Return a shape of the file; raises LookupError where it is not known, and as ``shape_in``."""
        found = self._shapes.get(name)
        if found is None:
            text = self.file.text(name)
            if text is None:
                raise LookupError(name)
            found = shape_in(text)
            _bounded(self._shapes)[name] = found
        return found

    def _gone(self, row: Row, shape: Shape, resource: Resource) -> tuple[frozenset[int], bool]:
        """Return the rules whose results rest on what is another now, and whether any of it chooses from other."""
        assert self._in is not None  # a resource is being judged
        _, recorder, states = self._in
        now = states.now(shape, resource)
        if now.name and now.name == row.state:
            return _NOTHING, False
        checks = states.checks(shape, row.state, self.file.text(row.state), now)
        gone = set(checks.gone)
        for asked, members in checks.asked:
            for index in asked:
                if not _still(recorder, shape.dependencies[index], alone_of(row.body, shape, index)):
                    gone.update(members)
                    break
        return frozenset(gone), True

    def _order(self, before: bytes, rules: _Rules) -> Mapping[int, int] | None:
        """Return which rule of now each of before is; None where they are the same."""
        if before == rules.name:
            return None
        key = (before, rules.name)
        found = self._orders.get(key)
        if found is None:
            then = _cut(self.file.text(before) or b"")
            places = {stamp: index for index, stamp in enumerate(_cut(rules.stamps))}
            found = {index: places[stamp] for index, stamp in enumerate(then) if stamp in places}
            self._orders[key] = found
        return found

    # -- what is kept -----------------------------------------------------------------------------------

    def _keep(self, resource: Resource, rules: _Rules, known: Known, recorder: Recorder) -> None:
        letters, rests, told = known.letters, known.rests, known.told
        key = tuple(None if letter == NONE else rests.get(i) for i, letter in enumerate(letters))
        shape = self._shapes_of.get(key)
        if shape is None:
            shape = shape_of({i: on for i, on in enumerate(key) if on})
            _bounded(self._shapes_of)[key] = shape
        state = self._state(shape, resource)
        if not state.name:
            return  # it can't be told any more what something says: nothing of it was noted
        alone = b"".join(recorder.alone(shape.dependencies[index]) for index in shape.alone)
        findings = {index: one for index, one in told.items() if letters[index] != NONE}
        text = json.dumps(findings, separators=(",", ":")).encode() if findings else b""
        body = alone + "".join(letters).encode()
        row = Row(resource.digest, rules.name, shape.name, state.name, body, text)
        texts = {rules.name: rules.stamps, shape.name: shape.text, state.name: state.text}
        self.file.put(number_of(resource.identity), row, texts)

    def _move(self, resource: Resource, row: Row) -> None:
        state = self._state(self._shape(row.shape), resource)
        if state.name:
            moved = row._replace(state=state.name)
            self.file.move(number_of(resource.identity), moved, {state.name: state.text})

    def _state(self, shape: Shape, resource: Resource) -> State:
        assert self._in is not None  # see _gone
        return self._in[2].now(shape, resource)

    # -- judging ----------------------------------------------------------------------------------------

    def _tell_whole(
        self, known: Known, rules: _Rules, recorder: Recorder, wanted: frozenset[str], may: May | None
    ) -> list[Finding]:
        """Return the findings of verdicts that are all known."""
        letters = str(known.letters)
        self._verdicts[rules.name, letters] += 1
        found: list[Finding] = []
        differing: dict[int, str] = {}
        for index, rule, verdict in rules.to_tell(letters, wanted):
            if may is None or may(rule.id, verdict):
                told = self._tell(known, index, rule, verdict, recorder, found)
                if told != verdict:
                    rule.tally[verdict] -= 1
                    rule.tally[told] += 1
                    differing[index] = told
        if self.verdicts is not None:
            for index, (rule, letter) in enumerate(zip(rules.each, letters, strict=True)):
                self.verdicts.append((rule.id, differing.get(index) or VERDICT_OF[letter]))
        return found

    def _judge_rest(
        self, known: Known, rules: _Rules, recorder: Recorder, wanted: frozenset[str], may: May | None
    ) -> list[Finding]:
        found: list[Finding] = []
        for index, rule in enumerate(rules.each):
            letter = known.letters[index]
            if letter == NONE:
                verdict = self._judge(known, index, rule, recorder, wanted, may, found)
            else:
                verdict = VERDICT_OF[letter]
                if verdict in wanted and (may is None or may(rule.id, verdict)):
                    verdict = self._tell(known, index, rule, verdict, recorder, found)
            self._count(rule, verdict)
        return found

    def _judge(
        self, known: Known, index: int, rule: BoundRule, recorder: Recorder,
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
        known: Known,
        index: int,
        rule: BoundRule,
        verdict: str,
        told: Finding | None,
        recorder: Recorder,
    ) -> None:
        try:
            rests = recorder.current
            for dependency in rests:
                recorder.check(dependency)
            if told is not None and self._is_told(rule, verdict):
                known.told[index] = told_of(told)
        except (UndigestedError, UntoldError):
            known.note(index, NONE)
            return
        known.rests[index] = rests
        known.note(index, LETTERS[verdict])

    def _tell(
        self,
        known: Known,
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
            except SPOILT:
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
            known.note(index, NONE)
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


def _still(recorder: Recorder, dependency: Dependency, alone: bytes | None) -> bool:
    """Whether a dependency amounts to the same for the resource as it did."""
    try:
        return recorder.alone(dependency) == alone
    except UndigestedError:
        return False


def _bounded(memory: dict[K, V]) -> dict[K, V]:
    """Return a memory to which something is added; emptied where it has grown too large."""
    if len(memory) >= _MOST_REMEMBERED:
        memory.clear()
    return memory


def _cut(stamps: bytes) -> list[bytes]:
    return [stamps[at : at + _STAMP] for at in range(0, len(stamps), _STAMP)]
