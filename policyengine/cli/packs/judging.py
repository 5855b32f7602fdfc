"""Two sets of rules asked about the same resources, at the time those were as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.cli.inputs import read_settings
from policyengine.cli.replaying import again
from policyengine.config.settings import Settings
from policyengine.config.waivers import Waiving
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Row, Wanted
from policyengine.engine.scan import CODE_KINDS, Scan
from policyengine.model.canonical_json import canonical
from policyengine.model.errors import PolicyEngineError
from policyengine.model.finding import Finding
from policyengine.model.pairing import paired
from policyengine.model.reasons import FAIL, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.run_directory import is_run_directory
from policyengine.rules.pack import Pack
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets

Json = dict[str, Any]
NOT_ASKED: Final = "-"
"""In place of the verdict of a rule that one of the two sets does not have."""


class Hit(NamedTuple):
    """One resource that the two sets of rules judge differently."""

    rule: str
    was: str
    now: str
    resource: Json
    reason: str
    message: str
    target: str


@dataclass
class Totals:
    """What was counted: per rule the resources of each transition, ``asked`` those that either set judged."""

    turned: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    resources: int = 0
    errors: list[PolicyEngineError] = field(default_factory=list)
    incomplete: bool = False

    def count(self, rule: str, was: str, now: str) -> None:
        """Count a resource that the rule is about."""
        self.asked[rule] += 1
        if was != now:
            self.turned.setdefault(rule, Counter())[was, now] += 1

    def newly_failing(self) -> int:
        """How many verdicts become FAIL."""
        return sum(n for each in self.turned.values() for (_, now), n in each.items() if now == FAIL)


class Place(NamedTuple):
    """What is judged: sources, opened anew for each set of rules, with the settings and the time of their run."""

    target: str
    now: datetime
    settings: Settings
    sources: Sequence[Any]


def hits(
    target: str, packs: tuple[Pack, Pack], every: Pack, options: Mapping[str, Any], totals: Totals
) -> Iterator[Hit]:
    """Yield the resources of a target that the two packs judge differently, in order; ``totals`` grows by the way.

    ``every`` are the rules a configuration may name. Raises PolicyEngineError where the target cannot be read.
    """
    before, after = (place_of(target, every, options) for _ in packs)
    yield from _pairs(before, after, packs, totals)


def place_of(target: str, every: Pack, options: Mapping[str, Any]) -> Place:
    """Open a target: a kept run with its own settings and time, a snapshot at the time it was made, else now."""
    path, given = Path(target), _time(options["as_of"])
    if is_run_directory(path):
        run = again(path)
        settings = replace(run.scan.evaluator.settings, waiving=Waiving())
        return Place(target, given or run.scan.evaluator.now, settings, run.sources)
    discovery = open_targets([target], SourceOptions(account=options["account"], region=options["region"]))
    for error in discovery.errors:
        raise error
    asked = {
        "config": options["config"],
        "ous": (),
        "account": options["account"],
        "region": options["region"],
    }
    settings, _ = read_settings(asked, [target], every)
    created = [_time(getattr(source, "created", None)) for source in discovery.sources]
    made = max((time for time in created if time is not None), default=None)
    return Place(
        target, given or made or datetime.now(UTC), replace(settings, waiving=Waiving()), discovery.sources
    )


def _time(text: str | None) -> datetime | None:
    try:
        time = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time is None or time.tzinfo is not None else time.replace(tzinfo=UTC)


def _pairs(before: Place, after: Place, packs: tuple[Pack, Pack], totals: Totals) -> Iterator[Hit]:
    scans = [
        Scan(
            Evaluator(pack, now=place.now, settings=place.settings),
            place.sources,
            Wanted(frozenset((FAIL, UNKNOWN)), row=_row),
        )
        for pack, place in zip(packs, (before, after), strict=True)
    ]
    for old, new in paired(*(_rows(scan) for scan in scans)):
        totals.resources += 1
        yield from _turned(_read(old), _read(new), before.target, totals)
    later = scans[1]
    totals.errors += [
        *later.errors,
        *later.counts.crash_errors(),
        *(e for s in after.sources for e in s.errors),
    ]
    crashed = any(scan.errors or scan.counts.crashes for scan in scans)
    totals.incomplete |= crashed or any(s.errors for s in after.sources if s.kind not in CODE_KINDS)


def _rows(scan: Scan) -> Iterator[tuple[tuple[str, str, str, str], bytes]]:
    """Yield (identity, what :func:`_row` made), in the order of identities."""
    made: list[Row] = []
    scan.keep_rows = made.extend
    in_order = len(scan.sources) == 1 and bool(getattr(scan.sources[0], "sorted", False))
    for _ in scan.findings():
        if in_order:
            yield from ((row[0], row[2]) for row in made)
            made.clear()
    yield from ((row[0], row[2]) for row in (made if in_order else sorted(made, key=lambda row: row[0])))


def _row(
    resource: Resource, verdicts: Sequence[tuple[str, str]], findings: Sequence[Finding]
) -> tuple[bytes, bytes]:
    """Return the verdicts about a resource as JSON, with what FAIL and UNKNOWN say; empty where no rule is about it."""
    if not verdicts:
        return b"", b""
    about: Json = {
        "type": resource.type,
        "id": resource.id,
        "account": resource.account,
        "region": resource.region,
    }
    place = resource.place() if resource.file is not None else None
    if place is not None:
        about |= {"file": place.file, "line": place.line}
    said = {each.rule: [each.reason, each.message] for each in findings}
    return canonical({"resource": about, "verdicts": dict(verdicts), "said": said}), b""


def _read(row: bytes | None) -> Json:
    import json

    return json.loads(row) if row else {"resource": None, "verdicts": {}, "said": {}}


def _turned(old: Json, new: Json, target: str, totals: Totals) -> Iterator[Hit]:
    for rule in sorted(old["verdicts"].keys() | new["verdicts"].keys()):
        was, now = old["verdicts"].get(rule, NOT_ASKED), new["verdicts"].get(rule, NOT_ASKED)
        totals.count(rule, was, now)
        if was != now:
            reason, message = (new if rule in new["said"] else old)["said"].get(rule, ("", ""))
            yield Hit(rule, was, now, new["resource"] or old["resource"], reason, message, target)
