"""The declarative policies above an account, from the resources of its organisation."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from policyengine.iam.declarative import Document, Setting, merged, read_document
from policyengine.iam.opaque import Opaque
from policyengine.iam.organization import MAX_LEVELS
from policyengine.model.resource import Resource
from policyengine.rules.iam.organizations import Members
from policyengine.rules.iam.records import ORGANIZATION, POLICY, code_record, snapshot_record

_MOST: Final = 8
_UNLISTED: Final = Opaque("the organisation's policies were not all collected")


@dataclass(slots=True)
class _Kind:
    """The policies of one type: by target, and those whose targets are not known.

    ``enabled``: whether the type is, where somebody says so. INVARIANT: ``members`` is the key's.
    """

    members: Members
    by_target: dict[str, list[Document]] = field(default_factory=lambda: defaultdict(list))
    anywhere: list[Opaque] = field(default_factory=list)
    enabled: bool | Opaque = True
    known: dict[tuple[str, ...], Setting] = field(default_factory=dict)


_KEPT: Final[OrderedDict[tuple[int, str, bool], _Kind]] = OrderedDict()


def effective(members: Members, account: str, kind: str, *, complete: bool) -> Setting | Opaque:
    """Return what the policies of a type amount to in an account (or for the root: what all inherit).

    ``complete``: all policies of the organisation are among its resources. Accounts below the same nodes
    with policies are decided once. They bind the management account too:
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_management_policies.html
    """
    found = _kind(members, kind, complete)
    if isinstance(found.enabled, Opaque):
        return found.enabled
    if not found.enabled:
        return merged(())
    path = nodes_above(members, account)
    if isinstance(path, Opaque):
        return path
    key = tuple(node if node in found.by_target else "" for node in path)
    known = found.known.get(key)
    if known is None:
        levels = [[*found.by_target.get(node, ()), *found.anywhere] for node in path]
        known = found.known[key] = merged(levels)
    return known


def nodes_above(members: Members, account: str) -> list[str] | Opaque:
    """Return the ids from the root down to a node, itself included."""
    nodes = members.organization.nodes
    path: list[str] = []
    at: str | Opaque | None = account
    while at is not None:
        if isinstance(at, Opaque):
            return at
        node = nodes.get(at)
        if node is None:
            return Opaque(f"the organisation's records do not show `{at}`")
        path.append(node.id)
        if len(path) > MAX_LEVELS:
            return Opaque(f"the OUs above `{account}` go round in a circle")
        at = node.parent
    return path[::-1]


def _kind(members: Members, kind: str, complete: bool) -> _Kind:
    key = (id(members), kind, complete)
    found = _KEPT.get(key)
    if found is None:
        found = _KEPT[key] = _read(members, kind, complete)
        if len(_KEPT) > _MOST:
            _KEPT.popitem(last=False)
    return found


def _read(members: Members, kind: str, complete: bool) -> _Kind:
    found = _Kind(members)
    beside = {resource.id: resource for resource in members.resources}
    listed: Any = None
    for resource in members.resources:
        if resource.type == POLICY:
            _add(found, _record(resource, beside), kind)
        elif resource.type == ORGANIZATION:
            listed = _record(resource, beside).get("PolicyTypes")
    if not complete:
        found.anywhere.append(_UNLISTED)
    found.enabled = _enabled(listed, kind)
    return found


def _record(resource: Resource, beside: Mapping[str, Resource]) -> dict[str, Any]:
    made = code_record(resource, beside) if resource.file is not None else snapshot_record(resource)
    properties: dict[str, Any] = made["properties"]
    return properties


def _add(found: _Kind, policy: Mapping[str, Any], kind: str) -> None:
    type_ = policy.get("Type")
    if isinstance(type_, str) and type_ != kind:
        return
    content = type_ if isinstance(type_, Opaque) else read_document(policy.get("Content"))
    targets = policy.get("TargetIds")
    for target in targets if isinstance(targets, list) else [] if targets is None else [targets]:
        if isinstance(target, str):
            found.by_target[target.rpartition("/")[2]].append(content)
        else:
            why = target if isinstance(target, Opaque) else Opaque("a target cannot be read")
            found.anywhere.append(why)


def _enabled(types: Any, kind: str) -> bool | Opaque:
    """Say whether a policy type is enabled; where nobody says, its attachments do."""
    if types is None:
        return True
    if not isinstance(types, list):
        return types if isinstance(types, Opaque) else Opaque("which policy types are enabled cannot be read")
    doubt: Opaque | None = None
    for entry in types:
        if not isinstance(entry, dict):
            doubt = entry if isinstance(entry, Opaque) else Opaque("a policy type cannot be read")
        elif entry.get("Type") == kind:
            status = entry.get("Status")
            return status == "ENABLED" if isinstance(status, str) else Opaque(f"whether {kind} is enabled")
    return False if doubt is None else doubt
