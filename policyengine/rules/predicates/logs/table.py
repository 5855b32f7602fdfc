"""Whether somebody is alarmed when CloudTrail records certain events.

The chain is trail -> log group -> metric filter -> metric -> alarm -> action. Filters are not compared
as text: sample events are put through them, so that any pattern that catches the events will do, and
several filters may share the work. A pattern that also catches an ordinary event is no alarm on the
ones asked about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.logs.filter_pattern import Test, parse

_ORDINARY: Final[Mapping[str, Any]] = {
    "eventVersion": "1.11",
    "userIdentity": {
        "type": "AssumedRole",
        "principalId": "AROAEXAMPLE:session",
        "arn": "arn:aws:sts::111122223333:assumed-role/app/session",
        "accountId": "111122223333",
        "accessKeyId": "ASIAEXAMPLE",
        "userName": "app",
    },
    "eventTime": "2026-01-01T00:00:00Z",
    "eventSource": "sts.amazonaws.com",
    "eventName": "GetCallerIdentity",
    "awsRegion": "eu-west-1",
    "sourceIPAddress": "203.0.113.7",
    "userAgent": "aws-cli/2",
    "requestParameters": None,
    "responseElements": None,
    "readOnly": True,
    "eventType": "AwsApiCall",
    "managementEvent": True,
    "recipientAccountId": "111122223333",
    "eventCategory": "Management",
}
"""An ordinary event; its fields are those of
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"""

_TRAIL: Final = "a trail of all regions that is on and sends its events to a log group"


class _Group(NamedTuple):
    """A log group, as an ARN names it."""

    account: str
    region: str
    name: str


@dataclass(slots=True)
class _Seen:
    """What was found on one step of the chain, and why there may be more."""

    found: list[Any]
    doubt: Unresolved | None = None

    def unsure(self, why: Unresolved | None) -> None:
        """Keep the first doubt."""
        self.doubt = self.doubt or why


def alarm_on(
    subject: Subject,
    *,
    trails: str,
    filters: str,
    alarms: str,
    source: str | None,
    names: Sequence[str],
    events: Sequence[Any],
) -> Answer:
    """TRUE when each event has a metric filter of a trail's log group and an alarm that acts on its metric."""
    groups = _log_groups(subject, trails)
    if not groups.found and groups.doubt is None:
        return Answer(FALSE, (Evidence(("with", trails), ABSENT, _TRAIL, "none_satisfies"),))
    watching = _watching(subject, groups, filters, alarms)
    failed, unknown = [], []
    for label, event in samples(source, names, events):
        expected = f"a metric filter and an alarm with an action for {label}"
        caught = _caught(watching, event)
        if isinstance(caught, Unresolved):
            unknown.append(Evidence(("with", filters), caught, expected, caught.reason))
        elif not caught:
            failed.append(Evidence(("with", filters), label, expected, "none_satisfies"))
    if failed:
        return Answer(FALSE, tuple(failed))
    if unknown:
        return Answer(UNKNOWN, tuple(unknown))
    met = Evidence(
        ("with", filters), f"{len(watching.found)} filters", "an alarm on each event", "requirement_met"
    )
    return Answer(TRUE, (met,))


def samples(
    source: str | None, names: Sequence[str], events: Sequence[Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each event asked about with a name for people."""
    base = {**_ORDINARY, "readOnly": False} | ({"eventSource": source} if source else {})
    for name in names:
        yield f"`{name}`", {**base, "eventName": name}
    for extra in events:
        shown = ", ".join(f"{key}: {value}" for key, value in extra.items())
        yield f"`{shown}`", {**base, **extra}


def _related(subject: Subject, alias: str) -> _Seen:
    found = subject.related(alias)
    if isinstance(found, Unresolved):
        return _Seen([], found)
    return _Seen(list(found), found.more if isinstance(found, OpenList) else None)


def _log_groups(subject: Subject, alias: str) -> _Seen:
    """Return the log groups that the account's multi-region trails write to."""
    trails = _related(subject, alias)
    groups = _Seen([], trails.doubt)
    for trail in trails.found:
        get = trail.properties.get
        values = (
            get("IsMultiRegionTrail", False),
            get("IsLogging", False),
            get("CloudWatchLogsLogGroupArn", ABSENT),
        )
        unresolved = next((v for v in values if isinstance(v, Unresolved)), None)
        off = any(_boolean(v) is False for v in values[:2]) or values[2] is ABSENT
        if off:
            continue
        group = _group(values[2]) if unresolved is None else None
        if group is not None:
            groups.found.append(group)
        else:
            groups.unsure(unresolved or Unresolved("unsupported", f"`{values[2]}` is no ARN of a log group"))
    return groups


def _group(arn: Any) -> _Group | None:
    parts = arn.split(":") if isinstance(arn, str) else []
    if len(parts) < 7 or parts[5] != "log-group":
        return None
    return _Group(parts[4], parts[3], parts[6])


def _caught(watching: _Seen, event: Mapping[str, Any]) -> bool | Unresolved:
    """Return whether a filter with an alarm catches the event; a filter that has none says nothing."""
    doubt = watching.doubt
    for test, alarmed in watching.found:
        answer = test(event)
        if answer is True and alarmed is True:
            return True
        if answer is not False:
            why = Unresolved("unsupported", "a filter compares a field the event lacks")
            doubt = doubt or (alarmed if isinstance(alarmed, Unresolved) else why)
    return doubt or False


def _watching(subject: Subject, groups: _Seen, filters: str, alarms: str) -> _Seen:
    """Return the filters on the groups that have, or may have, an alarm: their tests and whether they do."""
    metric_filters, metric_alarms = _related(subject, filters), _related(subject, alarms)
    watching = _Seen([], groups.doubt)
    watching.unsure(metric_filters.doubt)
    known = {r.account for r in (*metric_filters.found, *metric_alarms.found)} | {subject.resource.account}
    for group in groups.found:
        if group.account not in known:
            watching.unsure(Unresolved("not_collected", f"metric filters of account {group.account}"))
    for one in metric_filters.found:
        _take(watching, one, groups.found, metric_alarms)
    return watching


def _take(watching: _Seen, one: Resource, groups: Sequence[_Group], alarms: _Seen) -> None:
    """Add a filter that is on one of the groups, unless its metric surely has no alarm."""
    name, pattern = one.properties.get("LogGroupName"), one.properties.get("FilterPattern", "")
    if isinstance(name, Unresolved):
        watching.unsure(name)
        return
    if _Group(one.account or "", one.region or "", str(name)) not in groups:
        return
    alarmed = _alarmed(one, alarms.found) or alarms.doubt or False
    if alarmed is False:
        return
    if isinstance(pattern, Unresolved):
        watching.unsure(pattern)
        return
    test: Test | None = parse(pattern) if isinstance(pattern, str) else None
    if test is not None and test(_ORDINARY) is not True:
        watching.found.append((test, alarmed))
    elif test is None and str(pattern).strip():
        watching.unsure(Unresolved("unsupported", f"the filter pattern `{str(pattern)[:80]}`"))


def _alarmed(one: Resource, alarms: Sequence[Resource]) -> bool | Unresolved:
    """Return whether a metric of the filter has an alarm that does something."""
    metrics, doubt = _Seen([]), None
    for item in _items(one.properties.get("MetricTransformations", [])):
        _metric(metrics, item, "MetricNamespace")
    for alarm in alarms:
        if (alarm.account, alarm.region) != (one.account, one.region):
            continue
        watched = _Seen([])
        for item in _metrics_of(alarm):
            _metric(watched, item, "Namespace")
        acts = _acts(alarm)
        if acts is True and not set(watched.found).isdisjoint(metrics.found):
            return True
        doubt = doubt or watched.doubt or (acts if isinstance(acts, Unresolved) else None)
    return metrics.doubt or doubt or False


def _metrics_of(alarm: Resource) -> Iterator[Any]:
    """Yield what an alarm watches: its metric, or those of its expression."""
    yield alarm.properties
    for query in _items(alarm.properties.get("Metrics", [])):
        stat = query.get("MetricStat", {}) if isinstance(query, dict) else query
        yield stat.get("Metric", {}) if isinstance(stat, dict) else stat


def _metric(into: _Seen, item: Any, namespace: str) -> None:
    if isinstance(item, Unresolved):
        into.unsure(item)
    elif isinstance(item, dict):
        values = (item.get(namespace), item.get("MetricName"))
        unresolved = next((v for v in values if isinstance(v, Unresolved)), None)
        into.unsure(unresolved or (item.more if isinstance(item, OpenDict) else None))
        if all(isinstance(v, str) for v in values):
            into.found.append(values)


def _items(value: Any) -> list[Any]:
    """Return the elements of a list, with the doubt of an open one; what is no list stands alone."""
    if not isinstance(value, list):
        return [value]
    return [*value, value.more] if isinstance(value, OpenList) else value


def _acts(alarm: Resource) -> bool | Unresolved:
    enabled, actions = alarm.properties.get("ActionsEnabled", True), alarm.properties.get("AlarmActions", [])
    for value in (enabled, actions, getattr(actions, "more", None) if not actions else None):
        if isinstance(value, Unresolved):
            return value
    return _boolean(enabled) is not False and bool(actions)


def _boolean(value: Any) -> Any:
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


def _problem(arguments: Mapping[str, Any]) -> str | None:
    if not arguments.get("names") and not arguments.get("events"):
        return "`logs.alarm_on` needs `names` or `events`: the events somebody must be alarmed on"
    if any(not isinstance(event, dict) for event in arguments.get("events") or ()):
        return "`events` are objects with fields of a CloudTrail event"
    return None


PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "logs.alarm_on",
        alarm_on,
        "Each of these CloudTrail events is caught by a metric filter whose metric has an alarm with an action.",
        {
            "trails": Arg("alias", help="the relation to the trails"),
            "filters": Arg("alias", help="the relation to the metric filters"),
            "alarms": Arg("alias", help="the relation to the alarms"),
            "source": Arg("string", False, None, "the eventSource of the events, e.g. `iam.amazonaws.com`"),
            "names": Arg("list:string", False, (), "the eventName of each event"),
            "events": Arg(
                "list:json", False, (), "events as the fields in which they differ from ordinary ones"
            ),
        },
        types=("AWS::::Account",),
        problem=_problem,
    ),
)
