"""Policy documents that resources hold, read as ``iam`` takes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.errors import JsonPath, PolicyError
from policyengine.iam.grammar import Kind
from policyengine.iam.opaque import Opaque
from policyengine.iam.unknowns import unknown_policy
from policyengine.model.errors import InputError, PolicyEngineError
from policyengine.model.resource import Path, Resource
from policyengine.rules.iam.tables import NAMES
from policyengine.rules.iam.values import along, known, place


@dataclass(frozen=True, slots=True)
class Document:
    """A policy with its place, and where it comes from a resource, that resource and its account.

    ``opaque`` is set where the document itself is not known or AWS would refuse it; ``policy`` then may
    allow and deny anything. ``arn``: of a managed policy that is surely there, its ARN, or its name where
    code does not fix the account.
    """

    policy: Policy
    place: str
    name: str
    type: str | None = None
    id: str | None = None
    account: str | None = None
    path: Path = ()
    opaque: Opaque | None = None
    arn: str | None = None


class Reader:
    """Reads documents, each content once; ``errors`` has those that AWS would refuse.

    ``filled`` returns a document of a resource with what is known of its references.
    """

    def __init__(self, filled: Callable[[Resource, Any], Any] | None = None) -> None:
        self._filled = filled
        self.errors: list[PolicyEngineError] = []
        self._told: set[str] = set()
        self._read: dict[tuple[Kind, str], Policy | PolicyError] = {}

    def document(self, resource: Resource, path: Path, value: Any, kind: Kind) -> Document:
        """Return the policy at a path of a resource."""
        policy, opaque = self._policy(resource, path, value, kind)
        where, name = place(resource, path), _name(resource, path)
        return Document(policy, where, name, resource.type, resource.id, resource.account, path, opaque)

    def unknown(self, resource: Resource, path: Path, kind: Kind, reason: str) -> Document:
        """Return a policy of which nothing is known but that it is, or may be, there."""
        policy, why = unknown_policy(kind, reason), Opaque(reason)
        where, name = place(resource, path), _name(resource, path)
        return Document(policy, where, name, resource.type, resource.id, resource.account, path, why)

    def _policy(self, resource: Resource, path: Path, value: Any, kind: Kind) -> tuple[Policy, Opaque | None]:
        document = known(value if self._filled is None else self._filled(resource, value))
        if isinstance(document, Opaque):
            return unknown_policy(kind, document.reason), document
        try:
            if resource.file is None:
                return self._shared(document, kind), None
            return read_policy(document, kind, _line_of(resource, path)), None
        except PolicyError as error:
            location = None if resource.file is None else resource.locate((*path, *error.path))
            text = str(error) if location else f"{place(resource, path)}: {error}"
            told = InputError(text, location, code="no_policy")
            if str(told) not in self._told:  # branches share what they do not differ in
                self._told.add(str(told))
                self.errors.append(told)
            why = Opaque("the document is no policy AWS would take")
            return unknown_policy(kind, why.reason), why

    def _shared(self, document: Any, kind: Kind) -> Policy:
        """Return the policy of a content; statements of a snapshot have no lines, so they can be shared."""
        if isinstance(document, str):
            text = document
        else:
            text = json.dumps(document, default=repr)
        key = (kind, text)
        if key not in self._read:
            try:
                self._read[key] = read_policy(document, kind)
            except PolicyError as error:
                self._read[key] = error
        found = self._read[key]
        if isinstance(found, PolicyError):
            raise found
        return found


def merged(documents: Iterable[Document]) -> Policy | None:
    """Return all documents of a resource as one; None where there is none."""
    found = [document.policy for document in documents]
    if len(found) < 2:
        return found[0] if found else None
    return replace(found[0], statements=tuple(s for policy in found for s in policy.statements))


def _line_of(resource: Resource, path: Path) -> Any:
    def line_of(inside: JsonPath) -> int | None:
        found = resource.locate((*path, *inside))
        return None if found is None else found.line

    return line_of


def _name(resource: Resource, path: Path) -> str:
    """Return how a reader calls a policy: its own name, else the resource's."""
    name = resource.id
    for value in along(resource, path):
        name = _own_name(value, name)
    return name


def _own_name(value: Any, otherwise: str) -> str:
    if not isinstance(value, dict) or "Statement" in value:
        return otherwise
    return next((value[key] for key in NAMES if isinstance(value.get(key), str)), otherwise)
