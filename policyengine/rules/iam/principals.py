"""Users, roles and groups with all the policies that decide what they may do."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from policyengine.iam.documents import Policy
from policyengine.iam.glob import has_wildcard
from policyengine.iam.grammar import Kind
from policyengine.iam.opaque import Opaque, PartText
from policyengine.iam.unknowns import perhaps
from policyengine.model.account_id import is_account_id
from policyengine.model.resource import Path, Resource
from policyengine.model.values import OpenList, Unresolved
from policyengine.rules.iam.reader import Document, Reader
from policyengine.rules.iam.tables import spots
from policyengine.rules.iam.values import known, place, reference, resource_arn, scope_of

PrincipalKind = Literal["role", "user", "group"]

KINDS: Final[Mapping[str, PrincipalKind]] = {
    "AWS::IAM::Role": "role",
    "AWS::IAM::User": "user",
    "AWS::IAM::Group": "group",
}
_MANAGED: Final = "AWS::IAM::ManagedPolicy"
TYPES: Final = frozenset({*KINDS, _MANAGED, "AWS::IAM::UserToGroupAddition"})
MADE_UP: Final = "123456789012"
"""The account of principals of code that is bound to none."""
_IN_NO_NAME: Final = re.compile(r"[^\w+=,.@/-]", re.ASCII)
"""What no name of a principal has: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
_MANAGED_BY_AWS: Final = ":iam::aws:policy/"


@dataclass(frozen=True, slots=True)
class PrincipalRecord:
    """One principal; of a template's resource each branch by itself.

    ``arn`` is Opaque where code does not fix the name or the account. ``identity``: inline policies,
    attached ones, those of its groups; one of which nothing is known stands there as a policy that may
    allow and deny anything, and ``opaque`` says why. ``boundary`` None: there is none; ``trust`` is set
    for roles. ``name``: its name, if a property gives it. ``groups``: of a user, the ARNs of its groups (or
    their names, where code does not fix the account); None where they are not all known. ``file``: of code.
    """

    arn: str | Opaque
    account: str | None
    kind: PrincipalKind
    id: str
    place: str
    identity: tuple[Document, ...]
    boundary: Document | None = None
    trust: Document | None = None
    branch: Mapping[str, bool] | None = None
    opaque: tuple[Opaque, ...] = ()
    name: str | None = None
    groups: tuple[str, ...] | None = ()
    file: str | None = None

    @property
    def managed(self) -> tuple[str, ...] | None:
        """Return what the attached customer managed policies are called, those of its groups among them.

        ARNs, or names where code does not fix the account; None: not all of them are known.
        """
        attached = [d for d in self.identity if d.type == _MANAGED or d.path[:1] == ("ManagedPolicyArns",)]
        called = [d.arn for d in attached]
        found = {arn: None for arn in called if arn is not None and _MANAGED_BY_AWS not in arn}
        return None if None in called else tuple(found)

    @property
    def boundary_arn(self) -> str | None:
        """Return the ARN of the boundary, or its name; None where there is none or it is not known."""
        return None if self.boundary is None else self.boundary.arn

    @property
    def policies(self) -> list[Policy]:
        """Return the identity policies, as ``authorize`` takes them."""
        return [document.policy for document in self.identity]


def caller_arn(record: PrincipalRecord) -> tuple[str, str | None]:
    """Return the ARN of a principal, made up (and then a note that says so) where code does not fix it, or a
    source shows what is none."""
    if isinstance(record.arn, str) and _is_one(record.arn, record.kind):
        return record.arn, None
    account = record.account if record.account and is_account_id(record.account) else MADE_UP
    name = _IN_NO_NAME.sub("-", record.name or record.id)
    return f"arn:aws:iam::{account}:{record.kind}/{name}", "its ARN is made up: the code does not fix it"


def _is_one(arn: str, kind: str) -> bool:
    parts = arn.split(":", 5)
    return (
        len(parts) == 6
        and is_account_id(parts[4])
        and parts[5].startswith(f"{kind}/")
        and not has_wildcard(parts[5])
    )


_Key = tuple[str, str]
"""(file or account, what a resource is called there)"""


_Branched = list[tuple[Resource, Document]]
"""A managed policy as each branch of its resource has it."""


class Principals:
    """Gathers resources one by one; ``records`` puts together what belongs together at the end."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._resources: list[tuple[Resource, str]] = []
        self._managed: dict[_Key, _Branched] = {}
        self._groups: dict[_Key, Resource] = {}
        self._attached: dict[_Key, _Branched] = defaultdict(list)
        self._anywhere: dict[_Key, _Branched] = defaultdict(list)
        # INVARIANT: an entry holds the group whose identity is its key
        self._group_documents: dict[int, tuple[Resource, tuple[Document, ...]]] = {}
        self._aws: dict[tuple[str, Kind], Policy | None] = {}
        self._members: dict[_Key, list[Any]] = defaultdict(list)

    def add(self, resource: Resource) -> None:
        """Take a resource of one of ``TYPES``."""
        scope = scope_of(resource.file, resource.account)
        if resource.type == _MANAGED:
            self._add_managed(resource, scope)
        elif resource.type == "AWS::IAM::UserToGroupAddition":
            self._add_members(resource, scope)
        else:
            self._resources.append((resource, scope))
            if resource.type == "AWS::IAM::Group":
                for name in names_of(resource, "GroupName"):
                    self._groups[scope, name] = resource

    def records(self) -> Iterator[PrincipalRecord]:
        """Yield every user, role and group, in the order in which they were added."""
        for resource, scope in self._resources:
            for branch in (resource, *resource.variants):
                yield self._record(branch, scope)

    def record(self, resource: Resource) -> PrincipalRecord:
        """Return one user, role or group, with what was added so far; its branch only."""
        return self._record(resource, scope_of(resource.file, resource.account))

    def named(self, resource: Resource, path: Path, arn: Any, kind: Kind) -> Document:
        """Return the managed policy that an ARN at a path of a resource names."""
        return self._one(resource, scope_of(resource.file, resource.account), path, arn, kind)

    # -- gathering ----------------------------------------------------------------------------------

    def _add_managed(self, resource: Resource, scope: str) -> None:
        managed: _Branched = []
        for branch in (resource, *resource.variants):
            value = branch.properties.get("PolicyDocument", _unread("PolicyDocument"))
            document = self._reader.document(branch, ("PolicyDocument",), value, "identity")
            document = replace(document, arn=_called(branch, "ManagedPolicyName"))
            managed.append((branch, document))
            for key, kind in _ATTACHED:
                for item in items_of(branch.properties.get(key)):
                    name = reference(item)
                    if name is not None:
                        self._attached[scope, f"{kind}/{name}"].append((branch, document))
                    else:
                        doubtful = _doubtful(document, f"`{resource.id}` may be attached to it")
                        self._anywhere[scope, kind].append((branch, doubtful))
        for called in (resource.id, resource_arn(resource)):
            if isinstance(called, str):
                self._managed[scope, called] = managed

    def _add_members(self, resource: Resource, scope: str) -> None:
        group = resource.properties.get("GroupName")
        for user in items_of(resource.properties.get("Users")):
            name = reference(user)
            if name is not None:
                self._members[scope, name].append(group)

    # -- putting together ---------------------------------------------------------------------------

    def _record(self, resource: Resource, scope: str) -> PrincipalRecord:
        kind = KINDS[resource.type]
        identity = list(self._own(resource, scope, kind))
        if kind == "user":
            identity += self._of_groups(resource, scope)
        trust = boundary = None
        if kind == "role":
            value = resource.properties.get("AssumeRolePolicyDocument", _unread("AssumeRolePolicyDocument"))
            trust = self._reader.document(resource, ("AssumeRolePolicyDocument",), value, "trust")
        limit = resource.properties.get("PermissionsBoundary")
        if limit is not None and kind != "group":
            arn = limit.get("PermissionsBoundaryArn", limit) if isinstance(limit, dict) else limit
            boundary = self._one(resource, scope, ("PermissionsBoundary",), arn, "boundary")
        opaque = [d.opaque for d in (*identity, boundary, trust) if d is not None and d.opaque is not None]
        return PrincipalRecord(
            arn=resource_arn(resource),
            account=resource.account,
            kind=kind,
            id=resource.id,
            place=place(resource),
            identity=tuple(identity),
            boundary=boundary,
            trust=trust,
            branch=resource.branch,
            opaque=tuple(dict.fromkeys(opaque)),
            name=_text(resource.properties.get(f"{kind.capitalize()}Name")),
            groups=self._called_groups(resource, scope) if kind == "user" else (),
            file=resource.file,
        )

    def _own(self, resource: Resource, scope: str, kind: PrincipalKind) -> Iterator[Document]:
        """Yield inline policies and attached ones, said by the principal or by the policy."""
        for path, value, spot in spots(resource):
            if spot == "identity":
                yield self._reader.document(resource, path, value, spot)
        attached = [
            self._one(resource, scope, ("ManagedPolicyArns", index), arn, "identity")
            for index, arn in enumerate(items_of(resource.properties.get("ManagedPolicyArns")))
        ]
        for name in names_of(resource, f"{kind.capitalize()}Name"):
            attached += _in_branch(self._attached.get((scope, f"{kind}/{name}"), []), resource)
        yield from {id(document): document for document in attached}.values()
        yield from _in_branch(self._anywhere.get((scope, kind), []), resource)

    def _memberships(self, user: Resource, scope: str) -> Iterator[tuple[str | None, Resource | None]]:
        """Yield what each group of a user is called and the group, None for what is not known."""
        named = list(items_of(user.properties.get("Groups")))
        additions = items_of(user.related.get("group_additions"))
        named += [a.get("GroupName") if isinstance(a, dict) else a for a in additions]
        for name in names_of(user, "UserName"):
            named += self._members.get((scope, name), ())
        for item in named:
            name_ = reference(item)
            yield name_, None if name_ is None else _variant(self._groups.get((scope, name_)), user)

    def _called_groups(self, user: Resource, scope: str) -> tuple[str, ...] | None:
        found = [group for _, group in self._memberships(user, scope)]
        known = dict.fromkeys(_called(group, "GroupName") for group in found if group is not None)
        return None if None in found else tuple(known)

    def _of_groups(self, user: Resource, scope: str) -> Iterator[Document]:
        for name_, group in self._memberships(user, scope):
            if group is None:
                what = f"group `{name_}` is not known" if name_ else "a group is not known"
                yield self._reader.unknown(user, ("Groups",), "identity", what)
                continue
            if id(group) not in self._group_documents:
                self._group_documents[id(group)] = (group, tuple(self._own(group, scope, "group")))
            yield from self._group_documents[id(group)][1]

    def _one(self, resource: Resource, scope: str, path: Path, arn: Any, kind: Kind) -> Document:
        """Return the managed policy an ARN or a reference names."""
        name = reference(arn)
        if name is None and isinstance(arn, Unresolved):
            name = commercial(known(arn))
        if name is not None and _MANAGED_BY_AWS in name:
            policy = self._managed_by_aws(name, kind)
            if policy is not None:
                return Document(policy, name, name.rpartition("/")[2], None, name, None, path, arn=name)
            what = f"`{name}` is not among the known policies of AWS"
            return replace(self._reader.unknown(resource, path, kind, what), arn=name)
        found = [] if name is None else _in_branch(self._managed.get((scope, name), []), resource)
        if not found:
            what = f"`{name}` is not known" if name else _reason(arn)
            unread = self._reader.unknown(resource, path, kind, what)
            return replace(unread, arn=name) if name and name.startswith("arn:") else unread
        if len(found) > 1:
            return self._reader.unknown(resource, path, kind, f"`{name}` differs between branches")
        if kind == "identity":
            return found[0]
        policy = Policy(kind, found[0].policy.version, None, found[0].policy.statements)
        return replace(found[0], policy=policy)

    def _managed_by_aws(self, arn: str, kind: Kind) -> Policy | None:
        from policyengine.iam.documents import read_policy
        from policyengine.iam.managed import managed_policy

        key = (arn, kind)
        if key not in self._aws:
            document = managed_policy(arn)
            self._aws[key] = None if document is None else read_policy(document, kind)
        return self._aws[key]


_ATTACHED: Final[tuple[tuple[str, PrincipalKind], ...]] = (
    ("Roles", "role"),
    ("Users", "user"),
    ("Groups", "group"),
)


def _in_branch(found: _Branched, principal: Resource) -> list[Document]:
    """Return the documents that are there in a principal's branch, each once; those that may be are doubtful."""
    wanted = principal.branch or {}
    sure: dict[int, Document] = {}
    for holder, document in found:
        own = holder.branch or {}
        if any(wanted.get(condition, value) != value for condition, value in own.items()):
            continue
        if any(_same(holder, other) for other, kept in found if id(kept) in sure):
            continue
        certain = own.keys() <= wanted.keys() or _always(holder, found)
        sure[id(document)] = (
            document if certain else _doubtful(document, f"`{holder.id}` is there in some branches")
        )
    return list(sure.values())


def _same(first: Resource, second: Resource) -> bool:
    """Say whether two branches of one resource hold the same policy."""
    return first.id == second.id and first.properties == second.properties


def _always(holder: Resource, found: _Branched) -> bool:
    """Say whether the resource is the same in all combinations of its conditions."""
    same = sum(_same(holder, other) for other, _ in found)
    return same == 1 << len(holder.branch or {})


def _doubtful(document: Document, reason: str) -> Document:
    return replace(document, policy=perhaps(document.policy, reason), opaque=Opaque(reason), arn=None)


def _variant(resource: Resource | None, principal: Resource) -> Resource | None:
    """Return the one branch of a resource that agrees with a principal's; None where they differ.

    Of several that are the same, one that says only what they have in common: what is attached may differ.
    """
    if resource is None:
        return None
    wanted = principal.branch or {}
    agreeing = [
        branch
        for branch in (resource, *resource.variants)
        if all(wanted.get(condition, value) == value for condition, value in (branch.branch or {}).items())
    ]
    if not agreeing or any(b.properties != agreeing[0].properties for b in agreeing):
        return None
    branches = [branch.branch or {} for branch in agreeing]
    if len(agreeing) == 1:
        return agreeing[0]
    common = {c: v for c, v in branches[0].items() if all(b.get(c) == v for b in branches)}
    return replace(agreeing[0], branch=common)


def _unread(key: str) -> Unresolved:
    return Unresolved("not_collected", f"`{key}` is not given")


def names_of(resource: Resource, key: str) -> set[str]:
    """Return what others call a resource: its id, its name, its ARN."""
    name, arn = resource.properties.get(key), resource_arn(resource)
    return {resource.id, *(n for n in (name, arn) if isinstance(n, str))}


def _called(resource: Resource, key: str) -> str:
    """Return the ARN of a resource; where code does not fix it its name or id."""
    arn = resource_arn(resource)
    return arn if isinstance(arn, str) else _text(resource.properties.get(key)) or resource.id


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def items_of(value: Any) -> Iterator[Any]:
    """Yield the elements of a list, an Unresolved for those that are not known, and what is no list."""
    if isinstance(value, list):
        yield from value
        if isinstance(value, OpenList):
            yield value.more
    elif value is not None:
        yield value


def commercial(value: Any) -> str | None:
    """Return the ARN of an AWS managed policy whose partition code leaves open."""
    if isinstance(value, PartText) and len(value.parts) == 2:
        head, tail = value.parts
        if head == "arn:" and tail.startswith(_MANAGED_BY_AWS):
            return f"arn:aws{tail}"
    return None


def _reason(value: Any) -> str:
    found = known(value)
    return found.reason if isinstance(found, Opaque) else "what is attached is not known"
