"""The policies a rule is about: those of a role with all it is attached to, or of a resource."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import is_
from typing import Any, Final, TypeVar

from policyengine.iam.documents import Policy
from policyengine.iam.errors import PolicyError
from policyengine.iam.grammar import Kind
from policyengine.iam.opaque import Opaque
from policyengine.iam.request import read_caller
from policyengine.model.resource import Path, Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.rules.iam.attached import ATTACHED, MANAGED
from policyengine.rules.iam.json_texts import parsed
from policyengine.rules.iam.principals import KINDS, PrincipalRecord, Principals
from policyengine.rules.iam.reader import Document, Reader
from policyengine.rules.iam.source_standins import sources_filled
from policyengine.rules.iam.standins import ACCOUNT, filled, own_arn
from policyengine.rules.iam.tables import spots
from policyengine.rules.iam.values import account_id, along, partition
from policyengine.rules.predicates.api import Subject

PERMISSION_SET: Final = "AWS::SSO::PermissionSet"
_ALWAYS: Final[Mapping[str, tuple[str, Kind]]] = {
    "AWS::IAM::Role": ("AssumeRolePolicyDocument", "trust"),
    MANAGED: ("PolicyDocument", "identity"),
    "AWS::KMS::Key": ("KeyPolicy", "key"),
}
"""Documents that are always there: where a source has none, it did not read it. Code that gives a key no
policy gets the default one, which names nobody but the account:
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html"""
_MOST_READ: Final = 20_000
_MOST_ANSWERS: Final = 50_000
_TABLES: Final = 4
_MOST_RECORDS: Final = 2048
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Held:
    """Documents in question. ``about``: a principal with its identity policies and ``boundary``, a
    resource (or role) with the policy attached to it, or a document by itself.

    ``where`` is the path that evidence names; ``doubts`` what of the documents is not known, with its path.
    """

    about: str
    arn: str | None
    account: str
    documents: tuple[Document, ...]
    boundary: Document | None
    where: Path
    doubts: tuple[tuple[Path, Unresolved], ...] = ()
    source: tuple[str, str] = ("", "")
    """Type and id of the resource that is asked about; other documents are other resources'."""

    def place(self, document: Document, statement: int) -> Path:
        """Return the path of a statement in code, of its document elsewhere, ``where`` if it is another's."""
        if (document.type, document.id) != self.source:
            return self.where
        code = any(s.line is not None for s in document.policy.statements if s.index == statement)
        return (*document.path, "Statement", statement) if code else document.path

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Return the documents as ``iam`` takes them."""
        return tuple(document.policy for document in self.documents)


class _Kept:
    """What was read and decided, shared by all rules of a process; bounded.

    INVARIANT: an entry holds the objects whose identity is its key.
    """

    def __init__(self) -> None:
        self.reader = Reader()
        self.read = 0
        self.gathered: OrderedDict[tuple[int, ...], tuple[Any, Principals]] = OrderedDict()
        self.records: OrderedDict[tuple[int, int], tuple[Any, PrincipalRecord]] = OrderedDict()
        self.answers: dict[Any, tuple[Any, Any]] = {}
        self.last: tuple[tuple[Any, ...], Held] | None = None

    def fresh_reader(self) -> Reader:
        self.read += 1
        if self.read > _MOST_READ:
            self.read, self.reader, self.answers = 0, Reader(), {}
            self.gathered.clear()
            self.records.clear()
        self.reader.errors.clear()
        return self.reader


_KEPT: Final = _Kept()


def remembered(question: tuple[Any, ...], policies: Sequence[Policy], ask: Callable[[], T]) -> T:
    """Return the answer to a question about documents; asked once for the same documents."""
    key = (question, *map(id, policies))
    found = _KEPT.answers.get(key)
    if found is None:
        if len(_KEPT.answers) >= _MOST_ANSWERS:
            _KEPT.answers.clear()
        found = _KEPT.answers[key] = (policies, ask())
    answer: T = found[1]
    return answer


def shared_reader() -> Reader:
    """Return the reader of all rules: it reads a content once."""
    return _KEPT.fresh_reader()


def held(subject: Subject, policy: Path | None = None) -> Held:
    """Return the policies of a subject: of a principal what it may do, of anything else its policy.

    ``policy``: the path of the one document that is asked about. Read once for all rules about a resource.
    """
    key = (Held, policy)
    known = subject.answers.get(key)
    if known is None:
        known = subject.answers[key] = _held(subject, policy)
    found: Held = known
    return found


def _held(subject: Subject, policy: Path | None) -> Held:
    resource = subject.resource
    if policy is not None:
        return _at(resource, policy)
    named = resource.type in KINDS or resource.type == PERMISSION_SET
    asked = (resource, *subject.look(ATTACHED)) if named else (resource,)
    last = _KEPT.last
    if last is not None and len(last[0]) == len(asked) and all(map(is_, last[0], asked)):
        return last[1]  # many rules ask about one resource after the other
    found = _of(subject)
    _KEPT.last = (asked, found)
    return found


def _of(subject: Subject) -> Held:
    resource = subject.resource
    if resource.type in KINDS:
        return _principal(subject)
    if resource.type == PERMISSION_SET:
        return _permission_set(subject)
    found = tuple(_documents(resource))
    about = "resource" if any(d.policy.kind != "identity" for d in found) else "document"
    return _made(about, resource, found)


def _at(resource: Resource, path: Path) -> Held:
    """Return the documents at a path, or below it."""
    found = tuple(d for d in _documents(resource) if d.path[: len(path)] == path)
    about = "resource" if any(d.policy.kind != "identity" for d in found) else "document"
    return _made(about, resource, found, path)


def _documents(resource: Resource) -> list[Document]:
    reader = _KEPT.fresh_reader()
    code = resource.file is not None
    found = [
        reader.document(resource, path, of_code(value, resource) if code else value, kind)
        for path, value, kind in spots(resource)
    ]
    key, kind = _ALWAYS.get(resource.type, ("", "identity"))
    if key and key not in resource.properties:
        if code and kind == "key":
            found.append(reader.document(resource, (key,), default_key_policy(resource), kind))
        else:
            found.append(reader.unknown(resource, (key,), kind, f"`{key}` is not given"))
    return found


def of_code(value: Any, resource: Resource) -> Any:
    """Return a document of code with what it refers to filled in."""
    return sources_filled(filled(parsed(value), resource), resource)


def default_key_policy(resource: Resource) -> dict[str, Any]:
    """Return the policy of a key of code that gives it none."""
    root = f"arn:{partition(resource)}:iam::{account_id(resource) or ACCOUNT}:root"
    statement = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _made(about: str, resource: Resource, found: tuple[Document, ...], where: Path | None = None) -> Held:
    if where is None:
        where = found[0].path if len(found) == 1 else _root(found)
    doubts, source = _doubts(resource, found), (resource.type, resource.id)
    return Held(about, own_arn(resource), account_id(resource) or ACCOUNT, found, None, where, doubts, source)


def _root(found: Sequence[Document]) -> Path:
    """Return what the paths of several documents have in common."""
    common: Path = found[0].path if found else ()
    for document in found[1:]:
        same = 0
        for a, b in zip(common, document.path, strict=False):
            if a != b:
                break
            same += 1
        common = common[:same]
    return common


def _principal(subject: Subject) -> Held:
    resource = subject.resource
    managed, groups = subject.look(ATTACHED)
    record = record_of(managed, groups, resource)
    found = list(record.identity)
    for table in (managed, groups):
        more = getattr(table, "more", None)
        if isinstance(more, Unresolved) and more.reason == "too_many_branches":
            found.append(_KEPT.reader.unknown(resource, (), "identity", more.describe()))
    every = [*found, *([record.boundary] if record.boundary else [])]
    return Held(
        "principal",
        _caller(own_arn(resource)) or f"arn:{partition(resource)}:iam::{ACCOUNT}:{record.kind}/example",
        account_id(resource) or ACCOUNT,
        tuple(found),
        record.boundary,
        (),
        _doubts(resource, every),
        (resource.type, resource.id),
    )


def _permission_set(subject: Subject) -> Held:
    """Return the documents that roles made of a permission set have:
    https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html"""
    resource = subject.resource
    gathered, kept = _gathered(*subject.look(ATTACHED)), _KEPT.reader
    found = _documents(resource)
    for key in ("ManagedPolicies", "CustomerManagedPolicyReferences"):
        for index, item in enumerate(_items(resource.properties.get(key))):
            if isinstance(item, str | Unresolved):
                found.append(gathered.named(resource, (key, index), item, "identity"))
            else:
                why = "a customer managed policy differs between the accounts it is assigned in"
                found.append(kept.unknown(resource, (key, index), "identity", why))
    boundary = None
    limit = resource.properties.get("PermissionsBoundary")
    if limit is not None:
        arn = limit.get("ManagedPolicyArn") if isinstance(limit, dict) else limit
        boundary = gathered.named(resource, ("PermissionsBoundary",), arn, "boundary")
    made = _made("document", resource, tuple(found), ())
    every = [*found, *([boundary] if boundary else [])]
    return replace(made, boundary=boundary, doubts=_doubts(resource, every))


def _items(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [*value, value.more] if isinstance(value, OpenList) else value
    return [] if value is None else [value]


def _caller(arn: str | None) -> str | None:
    """Return an ARN that a principal can have; a source may show a name that none has."""
    try:
        return None if arn is None or read_caller(arn).kind not in ("role", "user") else arn
    except PolicyError:
        return None if arn is None or ":group/" not in arn else arn


def record_of(managed: Any, groups: Any, resource: Resource) -> PrincipalRecord:
    """Return a user, role or group with the managed policies and groups of these tables; read once."""
    gathered = _gathered(managed, groups)
    key = (id(gathered), id(resource))
    known = _KEPT.records.get(key)
    if known is None:
        known = _KEPT.records[key] = ((gathered, resource), gathered.record(resource))
        if len(_KEPT.records) > _MOST_RECORDS:
            _KEPT.records.popitem(last=False)
    return known[1]


def _gathered(*tables: Any) -> Principals:
    """Return the managed policies and groups of tables, put together once for all who ask."""
    key = tuple(map(id, tables))
    known = _KEPT.gathered.get(key)
    if known is None:
        gathered = Principals(_KEPT.fresh_reader())
        for table in tables:
            for resource in table if isinstance(table, list) else ():
                gathered.add(replace(resource, variants=()) if resource.variants else resource)
        known = _KEPT.gathered[key] = (tables, gathered)
        if len(_KEPT.gathered) > _TABLES:
            _KEPT.gathered.popitem(last=False)
    return known[1]


def _doubts(resource: Resource, found: Sequence[Document]) -> tuple[tuple[Path, Unresolved], ...]:
    """Return what of the documents is not known: a part of the source, or the document as a whole."""
    doubts: list[tuple[Path, Unresolved]] = []
    for document in found:
        if document.opaque is None and _in_statements(document.policy) is None:
            continue  # what is not known of the source stands for itself: its own ARN, its region
        value = None
        if document.id == resource.id and document.type == resource.type:
            written = [*along(resource, document.path)][-1]
            # of code, a reader is told what no stand-in takes the place of
            value = _unresolved(of_code(written, resource)) if resource.file is not None else None
            value = value or _unresolved(written)
        if value is None and document.opaque is not None:
            value = Unresolved("not_collected", document.opaque.reason)
        if value is None:
            value = _in_statements(document.policy)
        if value is not None:
            doubts.append((document.path, value))
    return tuple(doubts)


def _in_statements(policy: Policy) -> Unresolved | None:
    opaque: Opaque | None = next((s.opaque for s in policy.statements if s.opaque is not None), None)
    return None if opaque is None else Unresolved("unresolved_reference", opaque.reason)


def _unresolved(value: Any) -> Unresolved | None:
    """Return the first value inside that is not known."""
    if isinstance(value, Unresolved):
        return value
    if isinstance(value, OpenDict | OpenList):
        return value.more
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for item in items if (found := _unresolved(item)) is not None), None)
