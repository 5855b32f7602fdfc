"""``net.sources_only_groups``: tier chaining, the sources of a group are other groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN, Truth, conjunction, disjunction, truth_of
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.net.groups import Group, PrefixList
from policyengine.net.opaque import Opaque
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.asked import asked_service, bad_argument, service_problem
from policyengine.rules.predicates.net.group_entries import GROUP, INGRESS, Line, names, read_lines
from policyengine.rules.predicates.net.named import named

Judge = Callable[[Any], tuple[Truth, str]]
"""Says whether a source value is one of the wanted groups, and the reason code when unknown."""


def sources_only_groups(
    subject: Subject, groups: Any = None, ports: Any = None, protocols: Any = ("all",)
) -> Answer:
    """TRUE when each ingress rule for the asked ports has a wanted security group as its source."""
    try:
        asked = asked_service(ports, protocols)
        judge = _judge_of(subject, groups)
    except ValueError as error:
        return bad_argument(error)
    lines = read_lines(subject, INGRESS)
    expected = _expected(groups)
    wrong: list[Evidence] = []
    unsure: list[Evidence] = []
    for line in lines.found:
        meets = asked.meets(line.rule.traffic)
        if meets is False:
            continue
        truth, reason = _judge_line(line, judge)
        if truth is TRUE:
            continue
        if truth is FALSE and meets is True:
            wrong.append(Evidence(line.path, line.observed, expected, "not_group_source"))
        elif line.doubts:
            unsure += line.doubts
        else:
            unsure.append(Evidence(line.path, line.observed, expected, reason))
    if wrong:
        return Answer(FALSE, tuple(wrong))
    if lines.rest is not None:
        unsure.append(lines.rest)
    if unsure:
        return Answer(UNKNOWN, tuple(unsure))
    other = f"a source that is not {expected}" if groups is None or groups else "any source"
    return Answer(TRUE, (Evidence(lines.path, lines.observed, other, "not_group_source"),))


def _judge_line(line: Line, judge: Judge) -> tuple[Truth, str]:
    peer = line.rule.peer
    if isinstance(peer, Group):
        return judge(line.observed)
    if isinstance(peer, PrefixList):
        return FALSE, ""  # whatever it lists, it is no group
    if isinstance(peer, Opaque) and (not line.path or line.path[-1] not in ("CidrIp", "CidrIpv6")):
        return UNKNOWN, "wrong_type"
    return FALSE, ""


def groups_problem(arguments: Mapping[str, Any]) -> str | None:
    """Say what is wrong with the arguments; None when nothing is."""
    try:
        _wanted(arguments.get("groups"))
    except ValueError as error:
        return str(error)
    return service_problem({**arguments, "protocols": arguments.get("protocols", ("all",))})


def _wanted(groups: Any) -> list[str] | dict[str, Any] | None:
    """Return ids and names, or tags. Raises ValueError when it is neither."""
    if groups is None:
        return None
    if isinstance(groups, str):
        return [groups]
    if isinstance(groups, list | tuple) and all(isinstance(g, str) for g in groups):
        return list(groups)
    tags = groups.get("tags") if isinstance(groups, dict) and set(groups) == {"tags"} else None
    if not isinstance(tags, dict) or not tags:
        raise ValueError(f"`{groups}` names no groups: write a list of ids, or `{{tags: {{Tier: [web]}}}}`")
    return tags


def _judge_of(subject: Subject, groups: Any) -> Judge:
    wanted = _wanted(groups)
    if wanted is None:
        return lambda _value: (TRUE, "")
    if isinstance(wanted, list):
        return lambda value: _among(subject, value, wanted)
    return lambda value: _tagged(subject, value, wanted)


def _among(subject: Subject, value: Any, wanted: Iterable[str]) -> tuple[Truth, str]:
    """Compare with ids and names; a group's name is looked up where the group is known."""
    this = subject.resource
    for name in wanted:
        if value == name or (name == "self" and _is_self(value, this)):
            return TRUE, ""
    if isinstance(value, Unresolved) and value.target is None:
        return UNKNOWN, value.reason
    if isinstance(value, Unresolved) and value.target is not None and value.target[0] in wanted:
        return TRUE, ""
    group, reason = _find(subject, value)
    if group is not None:
        return truth_of(any(name in (group.id, group.properties.get("GroupName")) for name in wanted)), ""
    if isinstance(value, Unresolved) or not all(name == "self" or name.startswith("sg-") for name in wanted):
        return UNKNOWN, reason
    return (FALSE, "") if str(value).startswith("sg-") else (UNKNOWN, reason)


def _is_self(value: Any, this: Resource) -> bool:
    return names(value, this) or value == this.properties.get("GroupId", ABSENT)


def _find(subject: Subject, value: Any) -> tuple[Resource | None, str]:
    if isinstance(value, str) and value.startswith("sg-") and subject.resource.file is None:
        # the name of no group begins so: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
        among, found = named(subject, GROUP, value)
        if found is not None:
            return found, ""
        if isinstance(among, Unresolved):
            return None, among.reason
        return None, among.more.reason if isinstance(among, OpenList) else "not_collected"
    table = subject.tables(GROUP)
    if isinstance(table, Unresolved):
        return None, table.reason
    for group in table:
        if names(value, group) or (isinstance(value, str) and value == group.properties.get("GroupName")):
            return group, ""
    if isinstance(table, OpenList):
        return None, table.more.reason
    return None, "not_collected"


def _tagged(subject: Subject, value: Any, wanted: dict[str, Any]) -> tuple[Truth, str]:
    group, reason = _find(subject, value)
    if group is None:
        return UNKNOWN, value.reason if isinstance(value, Unresolved) and value.target is None else reason
    tags = group.tags
    if isinstance(tags, Unresolved):
        return UNKNOWN, tags.reason
    found: dict[str, Any] = tags or {}
    more = getattr(tags, "more", None)
    reasons = [v.reason for v in (more, *found.values()) if isinstance(v, Unresolved)]
    truth = conjunction(_tag_is(found.get(key, more), values) for key, values in wanted.items())
    return truth, reasons[0] if reasons else "wrong_type"


def _tag_is(value: Any, wanted: Any) -> Truth:
    if value is None:
        return FALSE
    if isinstance(value, Unresolved):
        return UNKNOWN
    options = wanted if isinstance(wanted, list | tuple) else [wanted]
    return disjunction(truth_of(value == str(option)) for option in options)


def _expected(groups: Any) -> str:
    if groups is None:
        return "a security group"
    return f"one of the security groups {_shown(groups)}" if groups else "no source at all"


def _shown(groups: Any) -> str:
    if isinstance(groups, dict):
        return "tagged " + ", ".join(f"{k}={v}" for k, v in groups["tags"].items())
    return ", ".join([groups] if isinstance(groups, str) else groups)
