"""The sweep: one second after the other, what was recorded then is judged, and what it changed of others.

The world at a time is what was recorded newest of every resource by then. What nobody recorded is not there and may exist:
nothing of it is said to be absent, so rules that ask about it are UNKNOWN, as for any file of AWS Config.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from policyengine.engine.kept.digests import SIZE
from policyengine.engine.kept.recording import Dependency
from policyengine.engine.piece import prepare
from policyengine.engine.references import names_of
from policyengine.engine.world import World
from policyengine.history.moments import moment
from policyengine.history.runs import Identity
from policyengine.history.timeline.judging import SECOND, Judge
from policyengine.history.timeline.links import Changed
from policyengine.history.timeline.records import Cause, Interval, Record, Stop, Stretch, Tracked, Value, Why
from policyengine.history.timeline.resting import Judged
from policyengine.history.timeline.values import values_between
from policyengine.history.timeline.watching import Watching
from policyengine.model.finding import Evidence
from policyengine.model.reasons import PASS
from policyengine.model.resource import Resource

MOST_RELATED = 3
"""Other resources that a cause names."""


class Moved(NamedTuple):
    """A resource that changes, and how."""

    tracked: Tracked
    change: Changed


class Sweep:
    """What is known at a time, and what became of it. Seconds are taken in order, each once.

    A verdict is asked for again where the resource, what the verdict rests on, or the clock is another; the others are what
    they were. Memory grows with the resources and their intervals, not with the items. ``horizon`` is the time that
    the sweep will end at, where that is known.
    """

    def __init__(self, judge: Judge, horizon: datetime | None = None) -> None:
        self.judge = judge
        self.tracked: dict[Identity, Tracked] = {}
        self.world = World()
        self._horizon = horizon
        self._watching = Watching()
        self._restless: dict[Identity, Tracked] = {}
        self._states = 0

    # -- what happens in one second -----------------------------------------------------------------------

    def second(self, at: datetime, records: Sequence[Record], stops: Iterable[Stop] = ()) -> None:
        """Take what was recorded in one second; of several items of a resource the last one counts."""
        newest: dict[Identity, Record] = {}
        for record in sorted(records, key=lambda each: each.order):
            newest[record.key] = record
            if record.resource is not None:
                prepare(record.resource)
        changes = [(record, self._of(record)) for _, record in sorted(newest.items())]
        before = {tracked.key: tracked.resource for _, tracked in changes}
        moved = [
            Moved(tracked, Changed(tracked.resource, record.resource))
            for record, tracked in changes
            if record.kind != "state" or _differs(tracked, record.resource)
        ]
        restless = self._settle_all([tracked for _, tracked in changes], moved, at)
        for record, tracked in changes:
            self._change(record, tracked, at)
        for record, tracked in changes:
            if record.kind == "state":
                self._judge_own(record, tracked, before[tracked.key], at)
        self._judge_dependents(moved, restless, at, but=newest.keys())
        for stop in stops:
            self._stop(stop, at)

    def end(self, at: datetime) -> None:
        """End at a time: what is open stays open, and is told so."""
        for tracked in self.tracked.values():
            self._settle(tracked, at)
            for interval in tracked.open.values():
                interval.end, interval.ends = at, Cause("period_end", at)
                tracked.intervals.append(interval)
            tracked.open = {}
            for stretch in (*tracked.recorded, *tracked.gaps):
                stretch.end = stretch.end or at

    # -- changes ------------------------------------------------------------------------------------------

    def _of(self, record: Record) -> Tracked:
        found = self.tracked.get(record.key)
        if found is None:
            found = self.tracked[record.key] = Tracked(record.key, record.key, record.key[2], record.arn)
        if record.resource is not None:
            found.identity, found.type = record.resource.identity, record.resource.type
            found.arn = record.resource.arn or found.arn
        return found

    def _change(self, record: Record, tracked: Tracked, at: datetime) -> None:
        """Bring the world up to the second."""
        tracked.before = tracked.at
        if record.kind == "state" and record.resource is not None:
            self._record(tracked, at, "DAILY" if record.daily else "CONTINUOUS")
            if not _differs(tracked, record.resource):
                return
            self._leave(tracked)
            tracked.resource = record.resource
            self._states += 1  # what tells a state from all others, which narrow looks are compared by
            record.resource.digest = self._states.to_bytes(SIZE, "big")
            if record.resource.type in self.judge.held:
                self.world.add(record.resource)
            return
        self._leave(tracked)
        tracked.resource = None
        self._close(
            tracked, at, self._cause(tracked, "deleted" if record.kind == "deleted" else "gap", at, record)
        )
        _end(tracked.recorded, at)
        if record.kind == "not_recorded":
            self._gap(tracked, at, "not_recorded")
        else:
            _end(tracked.gaps, at)
        tracked.at = at

    def _leave(self, tracked: Tracked) -> None:
        resource = tracked.resource
        if resource is not None and resource.type in self.judge.held:
            self.world.discard(resource)
        self._watching.forget(tracked.key)
        self._rouse(tracked, frozenset())

    def _record(self, tracked: Tracked, at: datetime, word: str) -> None:
        last = tracked.recorded[-1] if tracked.recorded else None
        if last is None or last.end is not None or last.word != word:
            _end(tracked.recorded, at)
            tracked.recorded.append(Stretch(at, word))

    def _gap(self, tracked: Tracked, at: datetime, word: str) -> None:
        if tracked.gap is None:
            tracked.gaps.append(Stretch(at, word))

    def _stop(self, stop: Stop, at: datetime) -> None:
        """Nobody records it from there on: for rules that ask about others it may be there, or not."""
        about = [t for t in self.tracked.values() if t.resource is not None and stop.is_about(*t.key[:3])]
        if stop.daily:
            for tracked in about:
                self._record(tracked, at, "DAILY")
            return
        moved = [Moved(tracked, Changed(tracked.resource, None)) for tracked in about]
        restless = self._settle_all(about, moved, at)
        for tracked in about:
            self._leave(tracked)
            tracked.resource = None
            self._close(tracked, at, Cause("gap", at))
            _end(tracked.recorded, at)
            self._gap(tracked, at, stop.why)
        self._judge_dependents(moved, restless, at, but=())

    # -- verdicts -----------------------------------------------------------------------------------------

    def _judge_own(self, record: Record, tracked: Tracked, before: Resource | None, at: datetime) -> None:
        resource = tracked.resource
        if resource is None:
            return
        judged = self.judge.judge(resource, self.world, at, tracked.verdicts)
        why: Why = "changed"
        if tracked.gap is not None:
            why = "after_gap"
            _end(tracked.gaps, at)
        elif before is None:
            why = "created" if tracked.at is not None or _is_new(record) else "first_record"
        elif before is resource:
            why = "clock"
        cause = self._cause(tracked, why, at, record)
        self._take(tracked, judged, at, cause, before, every=True)
        self._rest(tracked, judged, at)
        tracked.at = at

    def _judge_dependents(
        self,
        moved: Sequence[Moved],
        restless: Mapping[Identity, set[str]],
        at: datetime,
        but: Collection[Identity],
    ) -> None:
        """Judge those again that a change may concern; they are settled if they are restless."""
        dependents = self._dependents(moved, restless)
        for key in sorted(dependents.keys() - but):
            tracked = self.tracked[key]
            if tracked.resource is None:
                continue
            if key not in restless:
                self._settle(tracked, at)
            self._judge_again(tracked, dependents[key], moved, at)

    def _judge_again(
        self, tracked: Tracked, rules: Collection[str], moved: Sequence[Moved], at: datetime
    ) -> None:
        """Judge what rules ask about others, because one of those changed."""
        assert tracked.resource is not None  # who is not there depends on nothing
        judged = self.judge.judge(tracked.resource, self.world, at, tracked.verdicts, rules)
        for rule in sorted(judged.verdicts):
            if tracked.verdicts.get(rule) == judged.verdicts[rule]:
                continue
            others = self._related(tracked, rule, moved)
            cause = Cause("related", at, related=[each.identity for each in others[:MOST_RELATED]])
            if others:
                first = others[0]
                cause.after, cause.account, cause.texts = first.before, first.key[0], _texts(first)
            found = {rule: judged.findings[rule]} if rule in judged.findings else {}
            one = Judged({rule: judged.verdicts[rule]}, found, {})
            self._take(tracked, one, at, cause, None, every=False)
        tracked.judged = at
        self._rest(tracked, judged, at)

    def _settle_all(
        self, changing: Iterable[Tracked], moved: Sequence[Moved], at: datetime
    ) -> dict[Identity, set[str]]:
        """See what the clock alone changed of those that change, and of the restless that may look at them; returns these."""
        restless = self._restless_about(moved)
        for tracked in [*changing, *(self.tracked[key] for key in restless)]:
            self._settle(tracked, at)
        return restless

    def _settle(self, tracked: Tracked, until: datetime) -> None:
        """See what the clock alone changed since the resource was judged last."""
        resource, start = tracked.resource, tracked.judged
        if resource is None or start is None:
            return
        rules = self.judge.clocked(resource.type).alone | tracked.restless
        if rules:
            for at, judged in self.judge.flips(resource, self.world, start, tracked.verdicts, until, rules):
                self._take(tracked, judged, at, Cause("clock", at), None, every=False)
        tracked.judged = until

    def _take(
        self,
        tracked: Tracked,
        judged: Judged,
        at: datetime,
        cause: Cause,
        before: Resource | None,
        *,
        every: bool,
    ) -> None:
        """Note verdicts: begin and end intervals where they changed. ``every``: rules that are not in it ask no more."""
        gone = [rule for rule in tracked.verdicts if rule not in judged.verdicts] if every else []
        for rule in (*sorted(judged.verdicts), *gone):
            verdict = judged.verdicts.get(rule, PASS)
            if tracked.verdicts.get(rule) == verdict:
                continue
            finding = judged.findings.get(rule)
            evidence: Sequence[Evidence] = (
                *(finding.evidence if finding is not None else ()),
                *tracked.evidence.pop(rule, ()),
            )
            mine = cause
            if before is not None and tracked.resource is not None:
                mine = _with(cause, values_between(before, tracked.resource, evidence))
            self._end_interval(tracked, rule, at, mine)
            if verdict != PASS and finding is not None:
                tracked.open[rule] = Interval(rule, verdict, at, mine, finding.message, finding.reason)
                tracked.evidence[rule] = finding.evidence
            if rule in judged.verdicts:
                tracked.verdicts[rule] = verdict
            else:
                del tracked.verdicts[rule]
        tracked.rules.update(judged.verdicts)
        tracked.judged = at

    def _close(self, tracked: Tracked, at: datetime, cause: Cause) -> None:
        for rule in sorted(tracked.open):
            self._end_interval(tracked, rule, at, cause)
        tracked.verdicts, tracked.evidence, tracked.judged = {}, {}, None

    def _end_interval(self, tracked: Tracked, rule: str, at: datetime, cause: Cause) -> None:
        interval = tracked.open.pop(rule, None)
        if interval is not None and interval.begin < at:
            interval.end, interval.ends = at, cause
            tracked.intervals.append(interval)

    def _cause(self, tracked: Tracked, why: Why, at: datetime, record: Record) -> Cause:
        return Cause(
            why, at, after=tracked.at, created=record.created, account=tracked.key[0], texts=_texts(tracked),
            events=record.events,
        )  # fmt: skip

    # -- who asks about whom ------------------------------------------------------------------------------

    def _rest(self, tracked: Tracked, judged: Judged, at: datetime) -> None:
        """Note what verdicts rest on, so that they are asked for again when it is another.

        A rule that looks at the clock, too, may look at others only when time has passed. Where it decides the same at the
        end, and no predicate changes its mind twice, it rests on what it looks at now and then; otherwise it is restless: it
        is asked again whenever something changes that it may ask about.
        """
        resource = tracked.resource
        assert resource is not None  # it has just been judged
        clocked = self.judge.clocked(resource.type)
        rests = {rule: self.judge.may_rest_on(rule, on) for rule, on in judged.rests.items()}
        both = judged.rests.keys() & clocked.others
        calm = self._calm(resource, judged, both & clocked.once, at)
        self._rouse(tracked, (tracked.restless - both) | (both - calm.keys()))
        for rule in both:
            rests[rule] = calm.get(rule, frozenset())
        self._watching.note(tracked.key, resource, rests, self.judge.evaluator.recorder(self.world))

    def _calm(
        self, resource: Resource, judged: Judged, rules: Collection[str], at: datetime
    ) -> dict[str, frozenset[Dependency]]:
        if not rules or self._horizon is None:
            return {}
        last = self.judge.judge(resource, self.world, max(at, self._horizon - SECOND), judged.verdicts, rules)
        return {
            rule: now | then
            for rule in rules
            if last.verdicts.get(rule) == judged.verdicts[rule]
            and (now := judged.rests[rule]) is not None
            and (then := last.rests[rule]) is not None
        }

    def _rouse(self, tracked: Tracked, rules: Set[str]) -> None:
        tracked.restless = frozenset(rules)
        if rules:
            self._restless[tracked.key] = tracked
        else:
            self._restless.pop(tracked.key, None)

    def _dependents(
        self, moved: Sequence[Moved], restless: Mapping[Identity, set[str]]
    ) -> Mapping[Identity, set[str]]:
        """Return whose verdicts of which rules may be others now: the restless, and who rests on what has changed."""
        recorder = self.judge.evaluator.recorder(self.world)
        recorder.renew()
        found = self._watching.concerned((state for each in moved for state in each.change.states), recorder)
        for key, rules in restless.items():
            found.setdefault(key, set()).update(rules)
        return found

    def _restless_about(self, moved: Sequence[Moved]) -> dict[Identity, set[str]]:
        """Return the restless rules, by resource, that may ask about what changes."""
        found: dict[Identity, set[str]] = {}
        for key, tracked in self._restless.items():
            rules = {rule for rule in tracked.restless if self._related(tracked, rule, moved)}
            if rules:
                found[key] = rules
        return found

    def _related(self, asking: Tracked, rule: str, moved: Iterable[Moved]) -> list[Tracked]:
        """Return those of the changed that a rule may look at from a resource."""
        found: list[Tracked] = []
        resource = asking.resource
        if resource is None:
            return found
        for tracked, change in moved:
            for about in sorted({each.type for each in change.states}):
                links = self.judge.asking(resource.type, about)
                near = tracked.key[0] == asking.key[0] or self.judge.reaches_accounts(about)
                if (
                    near
                    and tracked is not asking
                    and rule in links
                    and change.concerns(resource, links[rule])
                ):
                    found.append(tracked)
        return found


def _is_new(record: Record) -> bool:
    """Whether a resource was made within the day before AWS Config discovered it; when a recorder is started, it discovers all
    that there is (https://docs.aws.amazon.com/config/latest/developerguide/stop-start-recorder.html)."""
    if not record.discovered or record.created is None:
        return False
    return timedelta(0) <= record.at - moment(record.created) <= timedelta(days=1)


def _differs(tracked: Tracked, after: Resource | None) -> bool:
    before = tracked.resource
    if before is None or after is None:
        return True
    return not (
        before.properties == after.properties and before.tags == after.tags and before.related == after.related
        and before.identity == after.identity
    )  # fmt: skip


def _with(cause: Cause, values: Sequence[Value]) -> Cause:
    return replace(cause, values=values) if values else cause


def _end(stretches: Sequence[Stretch], at: datetime) -> None:
    if stretches and stretches[-1].end is None:
        stretches[-1].end = at


def _texts(tracked: Tracked) -> frozenset[str]:
    """What CloudTrail may call a resource by."""
    names = {tracked.key[3], tracked.identity[3], *([tracked.arn] if tracked.arn else ())}
    if tracked.resource is not None:
        names.update(names_of(tracked.resource))
    return frozenset(name for name in names if name)
