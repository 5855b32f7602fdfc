"""The sweep: one second after the other, what was recorded then is judged, and what it changed of others.

The world at a time is what was recorded newest of every resource by then. What nobody recorded is not there and may exist:
nothing of it is said to be absent, so rules that ask about it are UNKNOWN, as for any file of AWS Config.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from policyengine.engine.piece import prepare
from policyengine.engine.references import names_of
from policyengine.engine.world import World
from policyengine.history.moments import moment
from policyengine.history.runs import Identity
from policyengine.history.timeline.judging import Judge, Judged
from policyengine.history.timeline.links import Changed
from policyengine.history.timeline.records import Cause, Interval, Record, Stop, Stretch, Tracked, Value, Why
from policyengine.history.timeline.values import values_between
from policyengine.model.finding import Evidence
from policyengine.model.reasons import NOT_APPLICABLE, PASS
from policyengine.model.resource import Resource

MOST_RELATED = 3
"""Other resources that a cause names."""


class Sweep:
    """What is known at a time, and what became of it. Seconds are taken in order, each once.

    Memory grows with the resources and their intervals, not with the items.
    """

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.tracked: dict[Identity, Tracked] = {}
        self._world = World()
        self._of_type: defaultdict[str, dict[Identity, Tracked]] = defaultdict(dict)

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
        changed = [(r, t) for r, t in changes if r.kind != "state" or _differs(t, r.resource)]
        dependents = self._dependents([tracked for _, tracked in changed], [r.resource for r, _ in changed])
        for tracked in [tracked for _, tracked in changes] + [self.tracked[key] for key in dependents]:
            self._settle(tracked, at)
        for record, tracked in changes:
            self._change(record, tracked, at)
        for record, tracked in changes:
            if record.kind == "state":
                self._judge_own(record, tracked, before[tracked.key], at)
        for key, (rules, related) in dependents.items():
            if key not in newest and self.tracked[key].resource is not None:
                self._judge_again(self.tracked[key], rules, related, at)
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
            self._of_type[tracked.type][tracked.key] = tracked
            if record.resource.type in self.judge.held:
                self._world.add(record.resource)
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
            self._world.discard(resource)
        if resource is not None:
            self._of_type[resource.type].pop(tracked.key, None)

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
        dependents = self._dependents(about, [None] * len(about))
        for tracked in [*about, *(self.tracked[key] for key in dependents)]:
            self._settle(tracked, at)
        for tracked in about:
            self._leave(tracked)
            tracked.resource = None
            self._close(tracked, at, Cause("gap", at))
            _end(tracked.recorded, at)
            self._gap(tracked, at, stop.why)
        for key, (rules, related) in dependents.items():
            self._judge_again(self.tracked[key], rules, related, at)

    # -- verdicts -----------------------------------------------------------------------------------------

    def _judge_own(self, record: Record, tracked: Tracked, before: Resource | None, at: datetime) -> None:
        resource = tracked.resource
        if resource is None:
            return
        judged = self.judge.judge(resource, self._world, at, tracked.verdicts)
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
        tracked.at = at

    def _judge_again(
        self, tracked: Tracked, rules: Collection[str], related: Mapping[str, Sequence[Tracked]], at: datetime
    ) -> None:
        """Judge what rules ask about others, because one of those changed."""
        if tracked.resource is None:
            return
        judged = self.judge.judge(tracked.resource, self._world, at, tracked.verdicts, rules)
        for rule in sorted(judged.verdicts):
            others = related.get(rule, ())
            cause = Cause("related", at, related=[each.identity for each in others[:MOST_RELATED]])
            if others:
                first = others[0]
                cause.after, cause.account, cause.texts = first.before, first.key[0], _texts(first)
            found = {rule: judged.findings[rule]} if rule in judged.findings else {}
            one = Judged({rule: judged.verdicts[rule]}, found)
            self._take(tracked, one, at, cause, None, every=False)

    def _settle(self, tracked: Tracked, until: datetime) -> None:
        """See what the clock alone changed since the resource was judged last."""
        resource, start = tracked.resource, tracked.judged
        if resource is None or start is None or not self.judge.clocked(resource.type):
            return
        for at, judged in self.judge.flips(resource, self._world, start, tracked.verdicts, until):
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

    def _dependents(
        self, changed: Sequence[Tracked], after: Sequence[Resource | None]
    ) -> dict[Identity, tuple[set[str], dict[str, list[Tracked]]]]:
        """Return whom rules may ask about what changes: key -> rules, and by rule what changes."""
        found: dict[Identity, tuple[set[str], dict[str, list[Tracked]]]] = {}
        for tracked, now in zip(changed, after, strict=True):
            change = Changed(tracked.resource, now)
            for about in sorted({each.type for each in (tracked.resource, now) if each is not None}):
                if not self.judge.is_asked_about(about):
                    continue
                for type_ in sorted(self._of_type):
                    asking, outside = self.judge.asking(type_, about), self.judge.keeps_out(type_)
                    for other in self._whose(type_, tracked, about) if asking else ():
                        if other.key == tracked.key or other.resource is None:
                            continue
                        for rule, links in asking.items():
                            if other.verdicts.get(rule) == NOT_APPLICABLE and rule in outside:
                                continue
                            if change.concerns(other.resource, links):
                                mine = found.setdefault(other.key, (set(), {}))
                                mine[0].add(rule)
                                mine[1].setdefault(rule, []).append(tracked)
        return dict(sorted(found.items()))

    def _whose(self, type_: str, changed: Tracked, about: str) -> Iterator[Tracked]:
        everywhere = self.judge.reaches_accounts(about)
        for tracked in self._of_type[type_].values():
            if everywhere or tracked.key[0] == changed.key[0]:
                yield tracked


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
