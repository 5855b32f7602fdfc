"""One side of a change as layers of statements: of principals, of resources with policies of their own."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from policyengine.iam.grammar import Kind
from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.review.access_atoms import Atoms
from policyengine.review.access_compare import unlimited
from policyengine.review.access_lines import Layer, SideReader, lines_of
from policyengine.review.access_same import scope
from policyengine.rules.iam.held import PERMISSION_SET, default_key_policy
from policyengine.rules.iam.principals import TYPES, Principals
from policyengine.rules.iam.reader import Document
from policyengine.rules.iam.tables import spots

MANAGED: Final = "AWS::IAM::ManagedPolicy"
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

    def __init__(self, resources: Sequence[Resource], atoms: Atoms, keys: dict[Hashable, Hashable]) -> None:
        self.atoms = atoms
        self._reader = SideReader(atoms.filled, keys)
        self._by_id = {(scope(r), r.type, r.id): r for r in resources if r.type in TYPES}
        self._in_scope: dict[str, list[Resource]] = {}
        for resource in resources:
            if resource.type in TYPES:
                self._in_scope.setdefault(scope(resource), []).append(resource)
        self._principals: dict[str, Principals] = {}

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


def _identity(document: Document) -> tuple[str, ...]:
    return document.account or "", document.type or "", document.id or ""
