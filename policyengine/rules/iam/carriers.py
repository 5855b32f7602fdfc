"""What runs with a role: functions, instances, builds, notebooks, stacks, tasks and services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from policyengine.iam.escalation_world import Carrier
from policyengine.model.resource import Coverage, Resource
from policyengine.model.values import OpenDict, Unresolved
from policyengine.rules.iam.carrier_forms import (
    EC2,
    FORMS,
    PROFILE,
    SERVICE,
    SERVICES,
    TASK,
    TASK_DEFINITION,
    TASKS,
)
from policyengine.rules.iam.principals import MADE_UP, PrincipalRecord, caller_arn
from policyengine.rules.iam.values import account_id, partition, reference, scope_of


@dataclass(frozen=True, slots=True)
class Carried:
    """``carriers``, and the (account, service) pairs of which there may be others that nobody shows."""

    carriers: tuple[Carrier, ...]
    unlisted: frozenset[tuple[str, str]]


_Role = str | Literal[False] | None
"""The ARN of the role something runs with, False where it has none, None where it is not known."""
_Key = tuple[str, str]
"""(file or account, what a resource is called there)"""


@dataclass(slots=True)
class Carriers:
    """Gathers resources one by one; ``carried`` puts together what belongs together at the end."""

    _found: list[Resource] = field(default_factory=list)
    _between: dict[_Key, list[Resource]] = field(default_factory=dict)

    def add(self, resource: Resource) -> None:
        """Take a resource of one of ``carrier_forms.TYPES``; a launch template of a live account is none, its instances are."""
        for branch in (resource, *resource.variants):
            if branch.type in (PROFILE, TASK_DEFINITION):
                for name in _names_between(branch):
                    self._between.setdefault((scope_of(branch.file, branch.account), name), []).append(branch)
            elif branch.type != "AWS::EC2::LaunchTemplate" or branch.file is not None:
                self._found.append(branch)

    def carried(self, records: Iterable[PrincipalRecord], coverage: Coverage) -> Carried:
        """Return what runs with the roles of ``records``.

        Of an account of a snapshot all are known whose types are in the coverage of each of its regions;
        code shows all there are.
        """
        roles: dict[_Key, str] = {}
        accounts: dict[str, bool] = {}
        for record in records:
            if record.kind == "role":
                arn, account = caller_arn(record)[0], record.account or MADE_UP
                accounts[account] = accounts.get(account, False) or record.file is None
                for name in (record.id, record.name, arn):
                    roles[scope_of(record.file, record.account), name or record.id] = arn
        found: dict[Carrier, None] = {}
        unlisted = {
            (account, service)
            for account, live in accounts.items()
            if live
            for service in SERVICES - _covered(account, coverage)
        }
        for resource in self._found:
            service = FORMS[resource.type].service
            role = self._role(resource, roles)
            if role is False:
                continue
            if role is None:
                unlisted.add((resource.account or MADE_UP, service))
            else:
                found[Carrier(_arn(resource), service, role)] = None
        return Carried(tuple(sorted(found, key=lambda c: (c.service, c.role, c.arn))), frozenset(unlisted))

    def _role(self, resource: Resource, roles: Mapping[_Key, str]) -> _Role:
        if resource.type in (SERVICE, TASK):
            enabled = resource.properties.get("EnableExecuteCommand", False)
            if not isinstance(enabled, Unresolved) and enabled not in (True, "true"):
                return False
            if isinstance(enabled, Unresolved):
                return None
        if resource.type == TASK and resource.properties.get("TaskRoleArn") is not None:
            return _known_role(resource, resource.properties["TaskRoleArn"], roles)
        value = _at(resource.properties, FORMS[resource.type].role)
        if value is None:
            return False
        if resource.type in ("AWS::EC2::Instance", "AWS::EC2::LaunchTemplate"):
            return self._through(resource, _either(value, ("Arn", "Name")), "Roles", roles)
        if resource.type in (SERVICE, TASK):
            return self._through(resource, value, "TaskRoleArn", roles)
        return _known_role(resource, value, roles)

    def _through(self, resource: Resource, value: Any, key: str, roles: Mapping[_Key, str]) -> _Role:
        """Return the role of the instance profile or the task definition a resource names."""
        name = reference(value)
        if name is None:
            return None
        scope = scope_of(resource.file, resource.account)
        between = self._between.get((scope, name)) or self._between.get((scope, name.rpartition("/")[2]))
        found: set[_Role] = set()
        for one in between or ():
            role = _at(one.properties, key)
            role = role[0] if isinstance(role, list) and len(role) == 1 else role
            found.add(False if role is None or role == [] else _known_role(one, role, roles))
        return found.pop() if len(found) == 1 else None


def _known_role(resource: Resource, value: Any, roles: Mapping[_Key, str]) -> str | None:
    name = reference(value)
    if name is None:
        return None
    found = roles.get((scope_of(resource.file, resource.account), name))
    return found or (name if name.startswith("arn:") and ":role/" in name else None)


def _covered(account: str, coverage: Coverage) -> frozenset[str]:
    """Return the services whose carriers are listed in each region that was looked at."""
    regions: dict[str, set[str]] = {}
    globally: set[str] = set()
    for where, region, type_ in coverage:
        if where == account and region != "global":
            regions.setdefault(region, set()).add(type_)
        elif where == account and type_ == PROFILE:
            globally.add(type_)
    if not regions:
        return frozenset()
    found = set()
    for type_, form in FORMS.items():
        needed = {SERVICE, TASK, TASK_DEFINITION} if form.service == TASKS else {type_}
        needed |= {PROFILE} if form.service == EC2 else set()
        here = [types | globally for types in regions.values()]
        if type_ != "AWS::EC2::LaunchTemplate" and all("*" in types or needed <= types for types in here):
            found.add(form.service)
    return frozenset(found)


def _names_between(resource: Resource) -> Iterator[str]:
    """Yield what others call an instance profile or a task definition."""
    yield from {resource.id, *([resource.arn] if resource.arn else [])}
    for key in ("InstanceProfileName", "Arn", "TaskDefinitionArn"):
        value = resource.properties.get(key)
        if isinstance(value, str):
            yield value
            yield value.rpartition("/")[2]


def _arn(resource: Resource) -> str:
    form = FORMS[resource.type]
    made = resource.type in (SERVICE, "AWS::EC2::LaunchTemplate")
    given = [resource.arn, *(resource.properties.get(n) for n in ("Arn", *form.names)), resource.id]
    texts = [value for value in given if isinstance(value, str)]
    arn = next((t for t in texts if t.startswith("arn:")), None)
    if arn is not None and not made:
        return arn
    name = next((t for t in texts if not t.startswith("arn:")), texts[-1].rpartition("/")[2])
    region, account = resource.region or "us-east-1", account_id(resource) or MADE_UP
    return f"arn:{partition(resource)}:" + form.arn.format(r=region, a=account, n=name)


def _at(value: Any, dotted: str) -> Any:
    for step in dotted.split("."):
        if isinstance(value, Unresolved):
            return value
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _either(value: Any, keys: Sequence[str]) -> Any:
    if isinstance(value, OpenDict):
        return value.more
    return next((value[k] for k in keys if k in value), None) if isinstance(value, dict) else value
