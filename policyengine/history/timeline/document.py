"""The document of a replay, `policyengine/timeline/v1` (docs/history.md): the same bytes for the same input."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from policyengine.history.moments import written
from policyengine.history.runs import Identity, pack_of
from policyengine.history.spans import Span, seconds, within
from policyengine.history.timeline.records import GAPS, Cause, Interval, Stretch, Tracked
from policyengine.model.finding import finding_id, identity_key
from policyengine.model.reasons import SEVERITIES

SCHEMA: Final = "policyengine/timeline/v1"


def document_of(
    run: Mapping[str, Any],
    forms: Sequence[Mapping[str, Any]],
    tracked: Iterable[Tracked],
    proved: Iterable[tuple[tuple[str, str], list[Span]]],
    period: Span,
) -> dict[str, Any]:
    """Return the document. ``run`` says what was run on what; times outside ``period`` are cut off."""
    of: defaultdict[Identity, list[Tracked]] = defaultdict(list)
    for each in tracked:
        of[each.identity].append(each)
    resources = [_resource(identity, of[identity], period) for identity in sorted(of)]
    resources = [each for each in resources if each["rules"] or each["gaps"]]
    used = {rule for each in resources for rule in each["rules"]}
    rules = pack_of(form for form in forms if form["id"] in used)
    return {
        "schema": SCHEMA,
        "run": run,
        "period": _span(period),
        "summary": _summary(resources, rules),
        "rules": rules,
        "places": [
            {"account": account, "region": region, "proved": [_span(s) for s in within(spans, period)]}
            for (account, region), spans in proved
        ],
        "resources": resources,
    }


def _resource(identity: Identity, tracked: Sequence[Tracked], period: Span) -> dict[str, Any]:
    intervals = [each for one in tracked for each in one.intervals]
    account, region, type_, id_ = identity
    return {
        "account": account, "region": region, "type": type_, "id": id_,
        "arn": next((each.arn for each in tracked if each.arn), None),
        "rules": sorted({rule for each in tracked for rule in each.rules}),
        "recorded": [
            {**cut, "frequency": each.word}
            for each, cut in _cut([stretch for one in tracked for stretch in one.recorded], period)
        ],
        "gaps": [
            {**cut, "why": GAPS[each.word]} for each, cut in _cut([gap for one in tracked for gap in one.gaps], period)
        ],
        "intervals": [
            _interval(each, cut, identity)
            for each, cut in _cut(sorted(intervals, key=lambda one: (one.begin, one.rule, one.verdict)), period)
        ],
    }  # fmt: skip


def _cut(found: Sequence[Any], period: Span) -> Iterator[tuple[Any, dict[str, str]]]:
    """Yield what lies in the period, with its begin and end in it."""
    for each in sorted(found, key=lambda one: one.begin):
        for span in within([(each.begin, each.end or period[1])], period):
            yield each, _span(span)


def _interval(interval: Interval, cut: Mapping[str, str], identity: Identity) -> dict[str, Any]:
    begins, ends = interval.begins, interval.ends
    return {
        "finding": finding_id(interval.rule, identity_key(identity)), "rule": interval.rule, "verdict": interval.verdict,
        "reason": interval.reason, "message": interval.message, **cut,
        "seconds": int((_time(cut["end"]) - _time(cut["begin"])).total_seconds()),
        "begins": _cause(begins, interval.begin, cut["begin"]),
        "ends": _cause(ends, interval.end, cut["end"]) if ends is not None else {"why": "period_end"},
    }  # fmt: skip


def _cause(cause: Cause, at: datetime | None, cut: str) -> dict[str, Any]:
    if at is not None and written(at) != cut:
        return {"why": "period_start" if written(at) < cut else "period_end"}
    found: dict[str, Any] = {"why": cause.why}
    if cause.after is not None and cause.why in ("changed", "related", "deleted", "created", "after_gap"):
        found["after"] = written(cause.after)
    if cause.created is not None and cause.why in ("created", "first_record"):
        found["resource_created"] = cause.created
    if cause.values:
        found["values"] = [each._asdict() for each in cause.values]
    if cause.related:
        found["related"] = ["/".join(identity) for identity in cause.related]
    if cause.act is not None:
        found["actor"] = cause.act
    return found


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _span(span: Span) -> dict[str, str]:
    return {"begin": written(span[0]), "end": written(span[1])}


def _summary(
    resources: Sequence[Mapping[str, Any]], rules: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Count for each rule its resources, those that failed, how often, and for how long together."""
    asked: defaultdict[str, int] = defaultdict(int)
    of: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    failed: defaultdict[str, set[int]] = defaultdict(set)
    for number, resource in enumerate(resources):
        for rule in resource["rules"]:
            asked[rule] += 1
        for each in resource["intervals"]:
            of[each["rule"], each["verdict"]].append(each["seconds"])
            if each["verdict"] == "FAIL":
                failed[each["rule"]].add(number)
    by_rule = {
        rule: {
            "resources": asked[rule], "failed": len(failed[rule]), "times": len(of[rule, "FAIL"]),
            "fail_seconds": sum(of[rule, "FAIL"]), "unknown_seconds": sum(of[rule, "UNKNOWN"]),
        }
        for rule in sorted(rules)
    }  # fmt: skip
    return {
        "resources": len(resources),
        "failures": sum(each["times"] for each in by_rule.values()),
        "gaps": sum(len(resource["gaps"]) for resource in resources),
        "by_rule": by_rule,
    }


def by_severity(rule: Mapping[str, Any]) -> int:
    """Return what sorts rules, the most severe first."""
    severity = rule.get("severity")
    return -SEVERITIES.index(severity) if severity in SEVERITIES else 1


__all__ = ["SCHEMA", "Stretch", "by_severity", "document_of", "seconds"]
