"""``privilege.shared_role``: how many workloads run with a role?

What one of them may do, all of them may, and so may whoever takes over one. Instances of one instance
profile are one fleet, revisions of one task definition one task, and what carries the same value of a tag
is one application.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.rules.iam.values import reference, resource_arn
from policyengine.rules.predicates.api import Answer, Subject

ROLES: Final = {
    "AWS::Lambda::Function": "Role",
    "AWS::ECS::TaskDefinition": "TaskRoleArn",
    "AWS::CodeBuild::Project": "ServiceRole",
    "AWS::CodePipeline::Pipeline": "RoleArn",
    "AWS::StepFunctions::StateMachine": "RoleArn",
    "AWS::Glue::Job": "Role",
    "AWS::SageMaker::NotebookInstance": "RoleArn",
    "AWS::AppRunner::Service": "InstanceConfiguration.InstanceRoleArn",
    "AWS::Batch::JobDefinition": "ContainerProperties.JobRoleArn",
    "AWS::IAM::InstanceProfile": "Roles",
}
"""Types of workloads and where they name their role; a profile stands for its instances."""
_MOST: Final = 8
_KEPT: Final[OrderedDict[tuple[int, ...], tuple[Any, Any]]] = OrderedDict()
"""Who runs with what, of the tables whose identities are the key. INVARIANT: an entry holds its tables."""


def shared(subject: Subject, *, at_most: int, tag: str | None, not_counting: Sequence[str]) -> Answer:
    """TRUE when more workloads run with the role than a number."""
    role, expected = subject.resource, f"at most {at_most} workloads that run with the role"
    tables = {type_: subject.tables(type_) for type_ in ROLES if type_ not in not_counting}
    using, doubts = _using(tables)
    names = [role.id, role.properties.get("RoleName"), resource_arn(role)]
    found = {
        one.identity: one
        for name in names
        if isinstance(name, str)
        for one in using.get((role.file or role.account, name), ())
    }
    groups: dict[str, str] = {}
    for one in found.values():
        groups.setdefault(_application(one, tag), f"{one.type.rpartition('::')[2]} {one.id}")
    shown = ", ".join(sorted(groups.values())[:_MOST]) + (" …" if len(groups) > _MOST else "")
    if len(groups) > at_most:
        observed = f"{len(groups)} workloads: {shown}"
        return Answer(TRUE, (Evidence((), observed, expected, "requirement_met"),))
    unknown = doubts or _more(role, tables)
    if unknown is not None:
        return Answer(UNKNOWN, (Evidence((), unknown, expected, unknown.reason),))
    return Answer(FALSE, (Evidence((), f"{len(groups)} workloads: {shown}", expected, "value_mismatch"),))


_Using = dict[tuple[str | None, str], list[Resource]]


def _using(tables: dict[str, Any]) -> tuple[_Using, Unresolved | None]:
    """Return the workloads by the account (or file) and name of their role, and a role that is not known."""
    key = tuple(map(id, tables.values()))
    known = _KEPT.get(key)
    if known is None:
        known = _KEPT[key] = (tables, _gathered(tables))
        if len(_KEPT) > 2:
            _KEPT.popitem(last=False)
    found: tuple[_Using, Unresolved | None] = known[1]
    return found


def _gathered(tables: dict[str, Any]) -> tuple[_Using, Unresolved | None]:
    using: _Using = {}
    doubt: Unresolved | None = None
    for type_, table in tables.items():
        for resource in table if isinstance(table, list) else ():
            for value in _named(resource, ROLES[type_]):
                name = reference(value)
                if name is None:
                    doubt = doubt or (value if isinstance(value, Unresolved) else None)
                    continue
                for called in {name, name.rpartition("/")[2]} if name.startswith("arn:") else {name}:
                    using.setdefault((resource.file or resource.account, called), []).append(resource)
    return using, doubt


def _named(resource: Resource, dotted: str) -> Iterator[Any]:
    value: Any = resource.properties
    for step in dotted.split("."):
        if isinstance(value, OpenDict) and step not in value:
            value = value.more
            break
        value = value.get(step) if isinstance(value, dict) else value
    if isinstance(value, list):
        yield from value
        if isinstance(value, OpenList):
            yield value.more
    elif value is not None and not isinstance(value, dict):
        yield value


def _application(resource: Resource, tag: str | None) -> str:
    tags = resource.tags if isinstance(resource.tags, dict) else {}
    if tag is not None and isinstance(tags.get(tag), str):
        return f"tag {tags[tag]}"
    family = resource.properties.get("Family")
    if resource.type == "AWS::ECS::TaskDefinition" and isinstance(family, str):
        return f"task {family}"
    return f"{resource.type} {resource.id}"


def _more(role: Resource, tables: dict[str, Any]) -> Unresolved | None:
    """Return why there may be other workloads; code is judged by what it shows."""
    if role.file is not None:
        return None
    for table in tables.values():
        if isinstance(table, Unresolved):
            return table
        if isinstance(table, OpenList):
            return table.more
    return None
