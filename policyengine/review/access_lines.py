"""Statements of policies as things to compare: by what they say, whatever their order, spelling and place."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any, Final, NamedTuple

from policyengine.iam.documents import Policy, Statement
from policyengine.iam.grammar import Kind
from policyengine.model.resource import Path, Resource
from policyengine.review.access_same import canonical
from policyengine.rules.iam.reader import Document, Reader

Layer = Mapping[Hashable, "Line"]
"""Statements by what they say: what applies together, as the identity policies of a role do."""


_MOST_PIECES: Final = 2_000
_SHOWN: Final = 20
"""Texts of one element that a reader is shown."""


class Pieces(NamedTuple):
    """What a statement says in the smallest pieces: one action on one resource each, all under the same conditions.

    Statements that have the same pieces together mean the same, however they are cut.
    """

    about: frozenset[Hashable] = frozenset()
    conditions: frozenset[Hashable] = frozenset()


class Line(NamedTuple):
    """One statement with what it says and where it stands; ``holder`` is None for a policy of AWS's own."""

    statement: Statement
    key: Hashable
    pieces: Pieces
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
    """Reads the documents of one side, and remembers how statements are written that are not known whole.

    ``keys``: of both sides, so that what says the same is one object, and told at once.
    """

    def __init__(self, filled: Callable[[Resource, Any], Any], keys: dict[Hashable, Hashable]) -> None:
        super().__init__(filled)
        self._fill = filled
        self._keys = keys
        self._written: dict[int, frozenset[str]] = {}
        self._said: dict[int, tuple[Statement, Hashable, Pieces]] = {}
        self._kept: list[Policy] = []
        """INVARIANT: these hold the statements whose identities are keys."""

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
                self._written[id(statement)] = _raw_pieces(raw)

    def line(self, statement: Statement, document: Document | None, holder: Resource | None) -> Line:
        """Return a statement with what it says."""
        known = self._said.get(id(statement))
        if known is None:
            written = self._written.get(id(statement))
            key = statement_key(statement, written)
            key = self._keys.setdefault(key, key)
            known = self._said[id(statement)] = (statement, key, pieces(statement, written))
        return Line(statement, known[1], known[2], document, holder)


def _raw_pieces(raw: Any) -> frozenset[str]:
    """Return how a statement is written that is not known whole, one action on one resource at a time."""
    found = [raw]
    for name in ("action", "resource"):
        found = [part for one in found for part in _cut(one, name)]
    return frozenset(map(canonical, found))


def _cut(raw: Any, name: str) -> list[Any]:
    if type(raw) is not dict:
        return [raw]
    raw = {key: value for key, value in raw.items() if key.lower() != "sid"}
    key = next((key for key in raw if key.lower() == name), None)
    if key is None or type(raw[key]) is not list or not 1 <= len(raw[key]) <= _MOST_PIECES:
        return [raw]
    return [
        {**raw, key: item.lower() if name == "action" and isinstance(item, str) else item}
        for item in raw[key]
    ]


def pieces(s: Statement, written: frozenset[str] | None = None) -> Pieces:
    """Return what a statement says in its smallest pieces; as one piece where there would be too many."""
    if s.opaque is not None:
        return Pieces(frozenset(written or (statement_key(s),)))
    texts: list[list[Hashable]] = [
        [frozenset(a.lower() for a in s.actions)] if s.not_action else [a.lower() for a in s.actions],
        [None] if s.resources is None else [frozenset(s.resources)] if s.not_resource else list(s.resources),
    ]
    named = [(kind, name) for kind, names in (s.principals or {}).items() for name in names]
    texts.append([None] if s.principals is None else [frozenset(named)] if s.not_principal else list(named))
    if len(texts[0]) * len(texts[1]) * len(texts[2]) > _MOST_PIECES:
        return Pieces(frozenset((statement_key(s),)))
    variables = s.variables and any("${" in value for c in s.conditions for value in c.values)
    about = frozenset(
        (s.allow, action, resource, principal, s.not_action, s.not_resource, s.not_principal,
         variables or (s.variables and "${" in str(resource)))
        for action, resource, principal in product(*texts)
    )  # fmt: skip
    return Pieces(about, _conditions(s))


def _conditions(s: Statement) -> frozenset[Hashable]:
    return frozenset((c.operator.lower(), c.key.lower(), frozenset(c.values)) for c in s.conditions)


def only(lines: Layer, others: Layer) -> list[Line]:
    """Return the statements that say something that none of the others says, or says under fewer conditions.

    Where that is nothing either way, both mean the same.
    """
    return [line for key, line in lines.items() if key not in others and not _is_said(line.pieces, others)]


def _is_said(found: Pieces, others: Layer) -> bool:
    left = found.about
    for other in others.values():
        if other.pieces.conditions <= found.conditions:
            left = left - other.pieces.about
            if not left:
                return True
    return False


def statement_key(s: Statement, written: frozenset[str] | None = None) -> Hashable:
    """Return what a statement says; ``written`` is how it is spelled, of one that is not known whole."""
    principals = None
    if s.principals is not None:
        principals = frozenset((kind, frozenset(names)) for kind, names in s.principals.items())
    resources = None if s.resources is None else frozenset(s.resources)
    texts = (*(s.resources or ()), *(v for c in s.conditions for v in c.values))
    variables = s.variables and any("${" in text for text in texts)
    unknown = None if s.opaque is None else written or (s.opaque.reason, getattr(s.opaque, "parts", None))
    actions = frozenset(action.lower() for action in s.actions)
    return (
        s.allow, actions, s.not_action, resources, s.not_resource, principals, s.not_principal, _conditions(s),
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
        reader.line(statement, document, holder(document))
        for document in documents
        for statement in document.policy.statements
    )


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
