"""Statements of policies as things to compare: by what they say, whatever their order, spelling and place."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from policyengine.iam.documents import Policy, Statement
from policyengine.iam.grammar import Kind
from policyengine.model.resource import Path, Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.rules.iam.reader import Document, Reader

Layer = Mapping[Hashable, "Line"]
"""Statements by what they say: what applies together, as the identity policies of a role do."""


_SHOWN: Final = 20
"""Texts of one element that a reader is shown."""


class Line(NamedTuple):
    """One statement with what it says and where it stands; ``holder`` is None for a policy of AWS's own."""

    statement: Statement
    key: Hashable
    document: Document | None = None
    holder: Resource | None = None

    @property
    def path(self) -> Path:
        """Return where it stands in its holder."""
        if self.document is None:
            return ()
        if self.holder is None or self.holder.file is None or self.document.opaque is not None:
            return self.document.path
        return (*self.document.path, "Statement", self.statement.index)


class SideReader(Reader):
    """Reads the documents of one side, and remembers how statements are written that are not known whole."""

    def __init__(self, filled: Callable[[Resource, Any], Any]) -> None:
        super().__init__(filled)
        self._fill = filled
        self._written: dict[int, str] = {}
        self._kept: list[Policy] = []
        """INVARIANT: holds the statements whose identities are keys of ``_written``."""

    def document(self, resource: Resource, path: Path, value: Any, kind: Kind) -> Document:
        """Return the policy at a path of a resource."""
        found = super().document(resource, path, value, kind)
        if any(s.opaque is not None for s in found.policy.statements):
            self._keep(found.policy, self._fill(resource, value))
        return found

    def _keep(self, policy: Policy, document: Any) -> None:
        body = document.get("Statement") if type(document) is dict else None
        listed = body if isinstance(body, list) else [body]
        self._kept.append(policy)
        for statement in policy.statements:
            raw = listed[statement.index] if statement.index < len(listed) else None
            if raw is not None:
                self._written[id(statement)] = canonical(raw)

    def key(self, statement: Statement) -> Hashable:
        """Return what a statement says."""
        return statement_key(statement, self._written.get(id(statement)))


def statement_key(s: Statement, written: str | None = None) -> Hashable:
    """Return what a statement says; ``written`` is how it is spelled, of one that is not known whole."""
    conditions = frozenset((c.operator.lower(), c.key.lower(), frozenset(c.values)) for c in s.conditions)
    principals = None
    if s.principals is not None:
        principals = frozenset((kind, frozenset(names)) for kind, names in s.principals.items())
    resources = None if s.resources is None else frozenset(s.resources)
    texts = (*(s.resources or ()), *(v for c in s.conditions for v in c.values))
    variables = s.variables and any("${" in text for text in texts)
    unknown = None if s.opaque is None else written or (s.opaque.reason, getattr(s.opaque, "parts", None))
    actions = frozenset(action.lower() for action in s.actions)
    return (
        s.allow, actions, s.not_action, resources, s.not_resource, principals, s.not_principal, conditions,
        variables, unknown,
    )  # fmt: skip


def layer(lines: Iterable[Line]) -> Layer:
    """Return statements by what they say, each once."""
    found: dict[Hashable, Line] = {}
    for line in lines:
        found.setdefault(line.key, line)
    return found


def lines_of(
    documents: Sequence[Document], reader: SideReader, holder: Callable[[Document], Resource | None]
) -> Layer:
    """Return the statements of documents."""
    return layer(
        Line(statement, reader.key(statement), document, holder(document))
        for document in documents
        for statement in document.policy.statements
    )


_ENCODE: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=repr).encode


def canonical(value: Any) -> str:
    """Return a value as text, the same for the same value whatever the order of keys."""
    return _ENCODE(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Unresolved):
        return {"\0": [value.reason, value.detail, value.present, value.target, value.parts]}
    if isinstance(value, OpenDict):
        return {**{key: _plain(item) for key, item in value.items()}, "\0more": _plain(value.more)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, OpenList):
        return [*map(_plain, value), {"\0more": _plain(value.more)}]
    return [_plain(item) for item in value] if isinstance(value, list) else value


def statement_json(s: Statement) -> dict[str, Any]:
    """Return a statement as JSON, for a reader."""
    found: dict[str, Any] = {"Sid": s.sid} if s.sid else {}
    found["Effect"] = "Allow" if s.allow else "Deny"
    if s.principals is not None:
        named: Any = {kind: _one(names) for kind, names in s.principals.items()}
        found["NotPrincipal" if s.not_principal else "Principal"] = named if "*" not in s.principals else "*"
    found["NotAction" if s.not_action else "Action"] = _one(s.actions)
    if s.resources is not None:
        found["NotResource" if s.not_resource else "Resource"] = _one(s.resources)
    conditions: dict[str, dict[str, Any]] = {}
    for condition in s.conditions:
        conditions.setdefault(condition.operator, {})[condition.key] = _one(condition.values)
    return {**found, "Condition": conditions} if conditions else found


def _one(texts: Sequence[str]) -> Any:
    if len(texts) > _SHOWN:
        return [*texts[:_SHOWN], f"… and {len(texts) - _SHOWN:,} more"]
    return texts[0] if len(texts) == 1 else list(texts)
