"""What ``history replay`` puts together: items in the order of time, rules, CloudTrail, the document."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from policyengine import __version__
from policyengine.cli.inputs import read_settings
from policyengine.cli.run import selected
from policyengine.cli.runid import run_id
from policyengine.engine.evaluate import Evaluator
from policyengine.history.moments import moment, written
from policyengine.history.timeline.document import document_of
from policyengine.history.timeline.judging import Judge, is_judged
from policyengine.history.timeline.recorder import Recorders
from policyengine.history.timeline.records import Cause, Record, Stop
from policyengine.history.timeline.sweep import Sweep
from policyengine.model.errors import PolicyEngineError, UsageError
from policyengine.review.actors import Wish, grant
from policyengine.rules.packs import load_packs
from policyengine.sources.base import SourceOptions
from policyengine.sources.config.item import GONE, Item
from policyengine.sources.config.mapping import exists, to_resource
from policyengine.sources.config.source import ConfigSource
from policyengine.sources.config.table import type_of
from policyengine.sources.discover import open_targets
from policyengine.sources.trail import read_trail

_ACTED = ("changed", "created", "deleted", "related", "after_gap")
_BATCH = 1000


class Replayed(NamedTuple):
    """A timeline, and what could not be read."""

    document: dict[str, Any]
    errors: list[PolicyEngineError]


def replayed(targets: Sequence[str], options: Mapping[str, Any]) -> Replayed:
    """Run the rules over the history in these files. Raises PolicyEngineError where none is one, or nothing can be run."""
    every = load_packs(options["rule_folders"])
    settings, config = read_settings({**options, "ous": (), "account": None}, targets, every)
    pack = selected(every, options)
    discovery = open_targets(targets, SourceOptions())
    sources = _configs(discovery, targets)
    start, end = (None if options[name] is None else moment(options[name]) for name in ("start", "end"))
    recorders = _recorders(options["trail"])
    with closing(sqlite3.connect("")) as spool:  # a private file of its own that goes with the connection
        judge_time = end or datetime.fromisoformat("2000-01-01T00:00:00+00:00")
        evaluator = Evaluator(pack, now=judge_time, settings=settings)
        judge = Judge(evaluator)
        untimed = _spool(spool, sources, judge, end)
        period = _period(spool, start, end)
        sweep = Sweep(judge, period[1])
        _sweep(spool, sweep, sorted(recorders.stops, key=_stop_key), period[1])
        sweep.end(period[1])
    _name_actors(sweep, options["trail"])
    errors = [*discovery.errors, *(error for source in sources for error in source.errors), *untimed]
    errors += [PolicyEngineError(f"rule `{rule}` crashed {n} times", code="internal_error")
               for rule, n in sorted(judge.crashes().items())]  # fmt: skip
    as_of = written(period[1])
    run = {
        "id": run_id(pack, settings, config, discovery, SourceOptions(), as_of),
        "engine_version": __version__, "rule_pack": {"digest": pack.digest, "rules": len(pack.rules)},
        "targets": [str(target) for target in targets], "trail": [str(path) for path in options["trail"]],
        "complete": not errors, "errors": [str(error) for error in errors],
    }  # fmt: skip
    document = document_of(run, evaluator.forms, sweep.tracked.values(), recorders.proved(), period)
    return Replayed(document, errors)


def _configs(discovery: Any, targets: Sequence[str]) -> list[ConfigSource]:
    wrong = next((source for source in discovery.sources if not isinstance(source, ConfigSource)), None)
    if wrong is not None or not discovery.sources:
        if discovery.errors and wrong is None:
            raise discovery.errors[0]
        name = wrong.target if wrong is not None else targets[0]
        raise UsageError(f"`{name}` holds no configuration items of AWS Config")
    return list(discovery.sources)


def _recorders(trail: Sequence[Path]) -> Recorders:
    recorders = Recorders()
    for path in trail:
        for record in read_trail(path):
            if isinstance(record, dict):
                recorders.take(record)
    return recorders


def _stop_key(stop: Stop) -> tuple[Any, ...]:
    return (stop.at, stop.account, stop.region, stop.why, sorted(stop.types or ()), stop.but)


# -- items in the order of time ------------------------------------------------------------------------


def _spool(
    spool: sqlite3.Connection, sources: Sequence[ConfigSource], judge: Judge, end: datetime | None
) -> list[PolicyEngineError]:
    """Sort the items that are of use by time, on disk. Returns an error where some say no time."""
    spool.execute("CREATE TABLE items (at INTEGER, key TEXT, size INTEGER, state TEXT, doc TEXT)")
    untimed = 0
    last = None if end is None else int(end.timestamp())
    batch: list[tuple[Any, ...]] = []
    for source in sources:
        for item, resource in source.history():
            declared = type_of(item)
            names = {item.type, *([declared.type] if declared is not None else [])}
            if not any(is_judged(judge.evaluator, judge.held, name) for name in names):
                continue
            if item.captured is None:
                untimed += 1
                continue
            at = int(moment(item.captured).timestamp())
            if last is None or at <= last:
                size, state = item.order[1:]
                batch.append((at, json.dumps(item.identity), size, state, json.dumps(item)))
            if len(batch) >= _BATCH:
                spool.executemany("INSERT INTO items VALUES (?, ?, ?, ?, ?)", batch)
                batch.clear()
            del resource
    spool.executemany("INSERT INTO items VALUES (?, ?, ?, ?, ?)", batch)
    spool.execute("CREATE INDEX in_time ON items (at, key, size, state)")
    text = f"{untimed:,} configuration items do not say when they were captured: they have no place in time"
    return [PolicyEngineError(text, code="bad_item")] if untimed else []


def _period(
    spool: sqlite3.Connection, start: datetime | None, end: datetime | None
) -> tuple[datetime, datetime]:
    first, last = spool.execute("SELECT min(at), max(at) FROM items").fetchone()
    if first is None:
        raise UsageError("no configuration item is of a type that the rules are about, in the period")
    zone = moment("2000-01-01T00:00:00Z").tzinfo
    begins = start or datetime.fromtimestamp(first, zone)
    ends = end or datetime.fromtimestamp(last + 1, zone)  # so that what was recorded last lasts a second
    if ends < begins:
        raise UsageError(f"the period ends on {written(ends)}, before it begins on {written(begins)}")
    return begins, ends


def _sweep(spool: sqlite3.Connection, sweep: Sweep, stops: Sequence[Stop], end: datetime) -> None:
    waiting = [stop for stop in stops if stop.at < end]
    rows = spool.execute("SELECT at, doc FROM items ORDER BY at, key, size, state")
    for second, group in groupby(rows, lambda row: int(row[0])):
        at = datetime.fromtimestamp(second, end.tzinfo)
        while waiting and waiting[0].at < at:
            stop = waiting.pop(0)
            sweep.second(stop.at, (), (stop,))
        sweep.second(at, [_record(doc, at) for _, doc in group])
    for stop in waiting:
        sweep.second(stop.at, (), (stop,))


def _record(doc: str, at: datetime) -> Record:
    read = Item(*json.loads(doc))
    captured, size, state = read.order
    item = read._replace(order=(captured, size, state), events=tuple(read.events))
    there = exists(item)
    return Record(
        at, (item.order[1], item.order[2]), item.identity,
        "state" if there else "deleted" if item.status in GONE else "not_recorded",
        to_resource(item) if there else None, item.created, item.status == "ResourceDiscovered", item.daily,
        item.events, item.arn,
    )  # fmt: skip


# -- who did it ----------------------------------------------------------------------------------------


def _name_actors(sweep: Sweep, trail: Sequence[Path]) -> None:
    if not trail:
        return
    causes: dict[int, Cause] = {}
    for tracked in sweep.tracked.values():
        for interval in tracked.intervals:
            for cause in (interval.begins, interval.ends):
                if cause is not None and cause.why in _ACTED and cause.texts:
                    causes[id(cause)] = cause
    wishes = {
        key: Wish(cause.account, cause.texts, _starts(cause), cause.at, cause.events)
        for key, cause in causes.items()
    }
    grant(_trail(trail), wishes.values())
    for key, wish in wishes.items():
        if wish.act is not None:
            causes[key].act = {
                "at": wish.act.time, "arn": wish.act.actor, "event": wish.act.event, "from": wish.act.source,
                "certain": wish.certain, "other_events": wish.others,
            }  # fmt: skip


def _starts(cause: Cause) -> datetime | None:
    """A change of another resource is looked for between its last two items, which its cause says by ``after``."""
    return cause.after


def _trail(paths: Sequence[Path]) -> Iterator[Mapping[str, Any]]:
    for path in paths:
        yield from (record for record in read_trail(path) if isinstance(record, dict))
