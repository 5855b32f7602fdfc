"""One side of a change as layers of statements: of principals, of resources with policies of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from policyengine.iam.grammar import Kind
from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.review.access_atoms import Atoms
from policyengine.review.access_compare import unlimited
from policyengine.review.access_lines import Layer, SideReader, lines_of
from policyengine.rules.iam.held import PERMISSION_SET, default_key_policy
from policyengine.rules.iam.principals import KINDS, TYPES, Principals
from policyengine.rules.iam.reader import Document
from policyengine.rules.iam.tables import SPOTS, STATEMENTS, spots
from policyengine.rules.iam.values import scope_of

MANAGED: Final = "AWS::IAM::ManagedPolicy"
HOLDERS: Final = frozenset({*SPOTS, *STATEMENTS, *TYPES})
"""Types whose resources decide who may do what."""
_KEY: Final = "AWS::KMS::Key"


class Allowed(NamedTuple):
    """What decides what a principal may do: identity policies and permission boundary; for roles who may be it.

    ``attached``: the managed policies and groups whose statements are among them.
    """

    layers: tuple[Layer, Layer]
    trust: Layer
    attached: frozenset[tuple[str, ...]]


class Side:
    """The base or the head. Documents are read when they are asked for."""

    def __init__(self, resources: Sequence[Resource], atoms: Atoms) -> None:
        self.atoms = atoms
        self._reader = SideReader(atoms.filled)
        self._all = [r for r in resources if r.type in HOLDERS]
        self._by_id = {(scope(r), r.type, r.id): r for r in self._all}
        self._in_scope: dict[str, list[Resource]] = {}
        for resource in self._all:
            if resource.type in TYPES:
                self._in_scope.setdefault(scope(resource), []).append(resource)
        self._principals: dict[str, Principals] = {}

    def principals(self, where: str) -> list[Resource]:
        """Return the users, roles and groups of a file or an account."""
        return [r for r in self._in_scope.get(where, ()) if r.type in KINDS]

    def allowed(self, branch: Resource) -> Allowed:
        """Return what decides what a user, role or group may do, in one branch."""
        record = self._gathered(scope(branch)).record(branch)
        boundary = (
            unlimited("boundary") if record.boundary is None else self._lines([record.boundary], branch)
        )
        trust = self._lines([record.trust], branch) if record.trust is not None else {}
        attached = {_identity(d) for d in record.identity if d.type in (MANAGED, "AWS::IAM::Group")}
        return Allowed((self._lines(record.identity, branch), boundary), trust, frozenset(attached))

    def documents(self, branch: Resource) -> dict[Kind, Layer]:
        """Return the statements of a resource's own policies by their kind, in one branch."""
        found: dict[Kind, list[Document]] = {}
        for path, value, kind in spots(branch):
            found.setdefault(kind, []).append(self._reader.document(branch, path, value, kind))
        if branch.type == PERMISSION_SET:
            found.setdefault("identity", []).extend(self._permission_set(branch))
        if branch.type == _KEY and not found:
            path = ("KeyPolicy",)
            known = branch.file is not None and not isinstance(branch.properties, OpenDict)
            policy = self._reader.document(branch, path, default_key_policy(branch), "key") if known else None
            found["key"] = [policy or self._reader.unknown(branch, path, "key", "`KeyPolicy` is not given")]
        return {kind: self._lines(documents, branch) for kind, documents in found.items()}

    def _permission_set(self, branch: Resource) -> Iterator[Document]:
        gathered = self._gathered(scope(branch))
        for key in ("ManagedPolicies", "CustomerManagedPolicyReferences"):
            listed = branch.properties.get(key)
            items = (
                [*listed, *([listed.more] if isinstance(listed, OpenList) else [])]
                if isinstance(listed, list)
                else []
            )
            for number, item in enumerate(items):
                if isinstance(item, str | Unresolved):
                    yield gathered.named(branch, (key, number), item, "identity")
                else:
                    why = f"a customer managed policy differs between accounts ({item})"
                    yield self._reader.unknown(branch, (key, number), "identity", why)

    def _gathered(self, where: str) -> Principals:
        if where not in self._principals:
            made = self._principals[where] = Principals(self._reader)
            for resource in self._in_scope.get(where, ()):
                made.add(resource)
        return self._principals[where]

    def _lines(self, documents: Iterable[Document], branch: Resource) -> Layer:
        where = scope(branch)

        def holder(document: Document) -> Resource | None:
            if (document.type, document.id) == (branch.type, branch.id):
                return branch
            return self._by_id.get((where, document.type or "", document.id or ""))

        return lines_of(list(documents), self._reader, holder)


def scope(resource: Resource) -> str:
    """Return what the names of a resource are unique within."""
    return scope_of(resource.file, resource.account)


def _identity(document: Document) -> tuple[str, ...]:
    return document.account or "", document.type or "", document.id or ""


def branches(resource: Resource | None) -> Sequence[Resource]:
    """Return a resource in each of its branches."""
    return () if resource is None else (resource, *resource.variants)


def counterparts(branch: Resource, others: Sequence[Resource]) -> list[Resource]:
    """Return the branches of the other side under the same conditions, else those that they do not exclude."""
    mine = dict(branch.branch or {})
    same = [other for other in others if dict(other.branch or {}) == mine]
    return same or [
        other
        for other in others
        if all(mine.get(name, value) == value for name, value in (other.branch or {}).items())
    ]


class Same:
    """Says whether two resources of both sides say the same, in the names of both."""

    def __init__(self, base: Atoms, head: Atoms) -> None:
        self._base = base
        self._head = head

    def resources(self, base: Resource, head: Resource) -> bool:
        """Say whether they do, all branches of them."""
        if len(base.variants) != len(head.variants):
            return False
        return all(
            dict(a.branch or {}) == dict(b.branch or {})
            and self._values(a.properties, b.properties, base, head)
            and self._values(a.related, b.related, base, head)
            for a, b in zip(branches(base), branches(head), strict=True)
        )

    def _values(self, a: Any, b: Any, base: Resource, head: Resource) -> bool:
        if type(a) is not type(b):
            return False
        if isinstance(a, Unresolved):
            return (a.reason, a.present) == (b.reason, b.present) and self._base.names.written(
                a, base.file
            ) == self._head.names.written(b, head.file)
        if isinstance(a, dict):
            same = a.keys() == b.keys() and all(
                self._values(item, b[key], base, head) for key, item in a.items()
            )
        elif isinstance(a, list):
            same = len(a) == len(b) and all(self._values(x, y, base, head) for x, y in zip(a, b, strict=True))
        else:
            return bool(a == b)
        more = getattr(a, "more", None), getattr(b, "more", None)
        return same and (more == (None, None) or self._values(*more, base, head))
