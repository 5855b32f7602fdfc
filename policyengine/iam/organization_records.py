"""Records of an AWS organisation, checked one by one: who stands below whom, which policy is where.

A record is a mapping with ``type`` (``AWS::Organizations::…``), ``id``, ``properties``, and where they are
known ``account``, ``unknown`` (``[{path, reason, detail?}]``, as in a snapshot's line) and ``place``
(anything; handed back with what it says). What is not known may also stand in ``properties`` as an
``Opaque``; inside a list it stands for any number of elements.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.errors import PolicyError, shown
from policyengine.iam.opaque import Opaque
from policyengine.iam.unknowns import unknown_policy

ChainKind = Literal["scp", "rcp"]
Record = Mapping[str, Any]

POLICY_TYPES: Final[Mapping[str, ChainKind]] = {
    "SERVICE_CONTROL_POLICY": "scp",
    "RESOURCE_CONTROL_POLICY": "rcp",
}

TYPES: Final = frozenset(
    f"AWS::Organizations::{name}" for name in ("Organization", "OrganizationalUnit", "Account", "Policy")
)

_ALL: Final = {"Effect": "Allow", "Action": "*", "Resource": "*"}
FULL_ACCESS: Final[Mapping[str, tuple[ChainKind, Policy]]] = {
    "p-FullAWSAccess": ("scp", read_policy({"Version": "2012-10-17", "Statement": [_ALL]}, "scp")),
    "p-RCPFullAWSAccess": (
        "rcp",
        read_policy({"Version": "2012-10-17", "Statement": [{**_ALL, "Principal": "*"}]}, "rcp"),
    ),
}
"""The policies AWS manages, which have no other content in any organisation:
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html and
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_evaluation.html"""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about the records that is wrong or worth knowing; ``place`` is the record's own."""

    message: str
    place: Any = None


@dataclass(slots=True)
class PolicyRecord:
    """A policy and what it is attached to; ``open``: there may be targets nobody knows."""

    id: str
    name: str
    kinds: tuple[ChainKind, ...]
    policies: dict[ChainKind, Policy]
    targets: frozenset[str]
    open: Opaque | None
    characters: int | None
    place: Any = None


@dataclass(slots=True)
class Facts:
    """What the records say. A parent is an id, or Opaque where it is not known."""

    ids: set[str] = field(default_factory=set)
    organization: dict[str, Any] = field(default_factory=dict)
    units: dict[str, str | Opaque] = field(default_factory=dict)
    accounts: dict[str, str | Opaque] = field(default_factory=dict)
    states: dict[str, str | None] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """Id of a record (a logical id, an address) → the id its resource has."""
    policies: dict[str, PolicyRecord] = field(default_factory=dict)
    places: dict[str, Any] = field(default_factory=dict)
    errors: list[Problem] = field(default_factory=list)


def read_facts(records: Iterable[Record]) -> Facts:
    """Return what the records of an organisation say; records of other types are passed over."""
    return _Reader().read(records)


def with_unknowns(properties: Mapping[str, Any], unknown: Iterable[Any]) -> dict[str, Any]:
    """Return the properties with an Opaque at each JSON Pointer of ``unknown`` (``…/-``: more elements)."""
    listed = [u for u in unknown if isinstance(u, Mapping) and isinstance(u.get("path"), str)]
    found = dict(properties) if not listed else deepcopy(dict(properties))
    for entry in listed:
        reason = str(entry.get("detail") or entry.get("reason") or "not known")
        steps = [s.replace("~1", "/").replace("~0", "~") for s in entry["path"].split("/")[1:]]
        if steps:
            _place(found, steps, Opaque(reason))
        else:
            found = dict.fromkeys(
                ("Content", "TargetIds", "Type", "PolicyTypes", "ParentId", "ParentIds"), Opaque(reason)
            )
    return found


def _place(at: Any, steps: list[str], opaque: Opaque) -> None:
    """Put it at a path, or in place of the value where the path leaves what is there; ``-`` appends."""
    for depth, step in enumerate(steps):
        last = depth == len(steps) - 1
        key: Any = step
        if isinstance(at, list):
            if not step.isdigit() or int(step) >= len(at):
                at.append(opaque)
                return
            key = int(step)
        found = at[key] if isinstance(at, list) else at.get(step)
        if last or not isinstance(found, dict | list):
            more = depth == len(steps) - 2 and steps[-1] == "-"
            at[key] = [*([] if found is None else [found]), opaque] if more else opaque
            return
        at = found


class _Reader:
    def __init__(self) -> None:
        self.facts = Facts()
        self._read: dict[tuple[ChainKind, str], Policy | PolicyError] = {}

    def read(self, records: Iterable[Record]) -> Facts:
        readers = {
            "AWS::Organizations::Organization": self._organization,
            "AWS::Organizations::OrganizationalUnit": self._unit,
            "AWS::Organizations::Account": self._account,
            "AWS::Organizations::Policy": self._policy,
        }
        for record in records:
            reader = readers.get(str(record.get("type")))
            properties = record.get("properties")
            if reader is not None and isinstance(properties, Mapping):
                reader(record, with_unknowns(properties, record.get("unknown") or ()))
        return self.facts

    def _error(self, record: Record, message: str) -> None:
        what = str(record.get("type", "")).rpartition("::")[2]
        place = record.get("place")
        self.facts.errors.append(Problem(f"{what} {shown(str(record.get('id')))}: {message}", place))

    def _organization(self, record: Record, found: dict[str, Any]) -> None:
        """Merge: each account of an organisation can describe it, only some can list its policy types."""
        id_ = found.get("Id")
        self.facts.ids.add(id_ if isinstance(id_, str) else str(record.get("id")))
        merged = self.facts.organization
        for key, value in found.items():
            if value is not None and (key not in merged or isinstance(merged[key], Opaque)):
                merged[key] = value

    def _unit(self, record: Record, found: dict[str, Any]) -> None:
        id_ = self._named(record, found.get("Id"))
        self._below(self.facts.units, record, id_, self._parent(record, found.get("ParentId"), "ParentId"))

    def _account(self, record: Record, found: dict[str, Any]) -> None:
        id_ = self._named(record, found.get("AccountId"))
        parents = found.get("ParentIds")
        if isinstance(parents, list):
            # what is not known beside a parent is nothing: an account has one
            named = [parent for parent in parents if not isinstance(parent, Opaque)]
            if len(named) > 1:
                self._error(record, f"has {len(named)} parents; an account has one")
            unknown = Opaque("the account has not one parent") if named or not parents else parents[0]
            parents = named[0] if len(named) == 1 else unknown
        self._below(self.facts.accounts, record, id_, self._parent(record, parents, "ParentIds"))
        state = found.get("State", found.get("Status"))
        self.facts.states[id_] = state if isinstance(state, str) else None

    def _named(self, record: Record, id_: Any) -> str:
        name = str(record.get("id"))
        found = id_ if isinstance(id_, str) else name
        self.facts.names[name] = found
        self.facts.places[found] = record.get("place")
        return found

    def _parent(self, record: Record, parent: Any, key: str) -> str | Opaque:
        if isinstance(parent, str):
            return parent
        if isinstance(parent, Opaque):
            return parent
        if parent is not None:
            self._error(record, f"`{key}` is {shown(parent)}; expected an id")
        return Opaque(f"`{key}` is not given")

    def _below(self, table: dict[str, str | Opaque], record: Record, id_: str, parent: str | Opaque) -> None:
        before = table.get(id_)
        if before is None or isinstance(before, Opaque):
            table[id_] = parent
        elif isinstance(parent, str) and parent != before:
            self._error(record, f"is below both {shown(before)} and {shown(parent)}")
            table[id_] = Opaque("two records name different parents")

    # -- policies -----------------------------------------------------------------------------------

    def _policy(self, record: Record, found: dict[str, Any]) -> None:
        id_ = found.get("Id")
        id_ = id_ if isinstance(id_, str) else str(record.get("id"))
        kinds = self._kinds(record, id_, found.get("Type"))
        if not kinds:
            return
        targets, open_ = self._targets(record, found.get("TargetIds"))
        content = found.get("Content")
        policy = PolicyRecord(
            id=id_,
            name=found["Name"] if isinstance(found.get("Name"), str) else id_,
            kinds=kinds,
            policies={kind: self._content(record, id_, content, kind, len(kinds) == 1) for kind in kinds},
            targets=targets,
            open=open_,
            characters=_characters(content),
            place=record.get("place"),
        )
        before = self.facts.policies.setdefault(id_, policy)
        if (before.policies, before.targets, before.open) != (policy.policies, targets, open_):
            self._error(record, "two records of it differ")
            before.open = Opaque("two records of the policy differ")
            before.policies = {kind: unknown_policy(kind, before.open.reason) for kind in before.kinds}

    def _kinds(self, record: Record, id_: str, type_: Any) -> tuple[ChainKind, ...]:
        if id_ in FULL_ACCESS:
            return (FULL_ACCESS[id_][0],)
        if isinstance(type_, str):
            return (POLICY_TYPES[type_],) if type_ in POLICY_TYPES else ()
        if not isinstance(type_, Opaque):
            self._error(record, f"`Type` is {shown(type_)}; expected a type such as `SERVICE_CONTROL_POLICY`")
        return ("scp", "rcp")

    def _targets(self, record: Record, targets: Any) -> tuple[frozenset[str], Opaque | None]:
        if targets is None:
            return frozenset(), None
        if isinstance(targets, Opaque):
            return frozenset(), targets
        if not isinstance(targets, list):
            self._error(record, f"`TargetIds` is {shown(targets)}; expected a list of ids")
            return frozenset(), Opaque("its targets cannot be read")
        open_: Opaque | None = None
        known: set[str] = set()
        for target in targets:
            if isinstance(target, str):
                known.add(target)
            elif isinstance(target, Opaque):
                open_ = target
            else:
                self._error(record, f"a target is {shown(target)}; expected the id of a root, OU or account")
                open_ = Opaque("a target cannot be read")
        return frozenset(known), open_

    def _content(self, record: Record, id_: str, content: Any, kind: ChainKind, sure: bool) -> Policy:
        if id_ in FULL_ACCESS and (content is None or isinstance(content, Opaque)):
            return FULL_ACCESS[id_][1]
        if not sure:
            return unknown_policy(kind, "the type of the policy is not known")
        if isinstance(content, Opaque):
            return unknown_policy(kind, content.reason)
        if not isinstance(content, str | Mapping):
            self._error(record, f"`Content` is {shown(content)}; expected an object or a JSON text")
            return unknown_policy(kind, "the content of the policy cannot be read")
        key = (kind, _text(content))
        if key not in self._read:
            self._read[key] = _read(content, kind)
        policy = self._read[key]
        if isinstance(policy, PolicyError):
            self._error(record, f"`Content` is no policy AWS would take: {policy}")
            return unknown_policy(kind, "the content of the policy cannot be read")
        return policy


def _read(content: str | Mapping[str, Any], kind: ChainKind) -> Policy | PolicyError:
    try:
        return read_policy(content, kind)
    except PolicyError as error:
        return error


def _text(content: str | Mapping[str, Any]) -> str:
    if isinstance(content, str):
        return content
    try:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=repr)
    except RecursionError:
        return ""


def _characters(content: Any) -> int | None:
    """Return what counts against the quota: an object has no spaces between its elements."""
    return len(_text(content)) if isinstance(content, str | Mapping) else None
