"""Whether EventBridge sends certain events to somebody.

Patterns are not compared as text: sample events are put through the rules' patterns
(:mod:`policyengine.rules.predicates.pipeline.event_pattern`), so that any pattern that catches them will do and several rules may
share the work. A rule counts that is enabled, on the default bus, where AWS services send their events
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event.html), and has a target.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.pipeline.event_pattern import matches

_ON: Final = frozenset({"ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"})
_NAME: Final = "{name}"
_MAX_PATTERN: Final = 100_000
_UNNAMED: Final = "a name that nobody wrote"
"""Stands for a name in an event where the subject has none: a rule for one name does not catch it."""


def watched(subject: Subject, *, rules: str, events: Sequence[Any]) -> Answer:
    """TRUE when each event is caught by an enabled rule of the default bus that has a target."""
    related = subject.related(rules)
    if isinstance(related, Unresolved):
        return Answer(
            UNKNOWN, (Evidence(("with", rules), related, "a rule that catches it", related.reason),)
        )
    more = related.more if isinstance(related, OpenList) else None
    failed, unknown = [], []
    for event in events:
        sample = _filled(event, _name(subject.resource))
        caught = _caught(subject.resource, related, sample) or more or False
        expected = f"an EventBridge rule with a target that catches {_shown(event)}"
        if isinstance(caught, Unresolved):
            unknown.append(Evidence(("with", rules), caught, expected, caught.reason))
        elif not caught:
            failed.append(Evidence(("with", rules), _shown(event), expected, "none_satisfies"))
    if failed:
        return Answer(FALSE, tuple(failed))
    if unknown:
        return Answer(UNKNOWN, tuple(unknown))
    met = Evidence(("with", rules), f"{len(related)} rules", "each event is caught", "requirement_met")
    return Answer(TRUE, (met,))


def _caught(subject: Resource, rules: Sequence[Resource], event: Mapping[str, Any]) -> bool | Unresolved:
    doubt: Unresolved | None = None
    for rule in rules:
        answer = _catches(subject, rule, event)
        if answer is True:
            return True
        doubt = doubt or (answer if isinstance(answer, Unresolved) else None)
    return doubt or False


def _catches(subject: Resource, rule: Resource, event: Mapping[str, Any]) -> bool | Unresolved:
    get = rule.properties.get
    state, bus, targets = get("State", "ENABLED"), get("EventBusName", "default"), get("Targets", [])
    pattern = _pattern(get("EventPattern", ABSENT), subject)
    if pattern is ABSENT or (isinstance(state, str) and state not in _ON) or _other_bus(bus):
        return False
    for value in (state, bus, targets, pattern):
        if isinstance(value, Unresolved):
            return value
    if not targets:
        return getattr(targets, "more", False)
    found = matches(pattern, event)
    return Unresolved("unsupported", f"the pattern of rule `{rule.id}`") if found is None else found


def _other_bus(bus: Any) -> bool:
    return isinstance(bus, str) and bus != "default" and not bus.endswith(":event-bus/default")


def _pattern(value: Any, subject: Resource) -> Any:
    """Return a pattern as an object, in which a reference to the subject is its name."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if len(value) <= _MAX_PATTERN else None
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            return Unresolved("unsupported", "an event pattern that is no JSON object", present=True)
    return _settled(value, subject)


def _settled(value: Any, subject: Resource) -> Any:
    if isinstance(value, Unresolved) and value.target is not None and value.target[0] == subject.id:
        return _name(subject)
    if type(value) is dict:
        return {key: _settled(inner, subject) for key, inner in value.items()}
    if type(value) is list:
        return [_settled(inner, subject) for inner in value]
    return value


def _name(subject: Resource) -> str | Unresolved:
    for name in ("Name", "RepositoryName"):
        value = subject.properties.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, Unresolved):
            return Unresolved(value.reason, value.detail, present=True, target=(subject.id, name))
    return _UNNAMED if subject.file is not None or subject.type.startswith("PolicyEngine::") else subject.id


def _filled(value: Any, name: str | Unresolved) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, name) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, name) for inner in value]
    if isinstance(value, str) and _NAME in value:
        return value.replace(_NAME, name) if isinstance(name, str) else name
    return value


def _shown(event: Any) -> str:
    detail = event.get("detail", {})
    words = [str(event.get("detail-type", event.get("source", "")))]
    words += [str(detail[key]) for key in ("eventName", "state", "event") if key in detail]
    return f"`{' '.join(words)}`"


def _problem(arguments: Mapping[str, Any]) -> str | None:
    events = arguments.get("events") or ()
    if not events or not all(isinstance(e, dict) and isinstance(e.get("detail", {}), dict) for e in events):
        return "`events` are one or more objects with `source`, `detail-type` and `detail` of an EventBridge event"
    return None


PREDICATES: Final[tuple[Predicate, ...]] = (
    Predicate(
        "events.watched",
        watched,
        "Each of these events is caught by an enabled EventBridge rule that has a target.",
        {
            "rules": Arg("alias", help="the relation to the EventBridge rules"),
            "events": Arg("list:json", help="sample events; `{name}` in them is the name of the subject"),
        },
        problem=_problem,
    ),
)
