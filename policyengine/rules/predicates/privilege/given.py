"""Which statements a question about privileges is about: ``documents``.

``all``: those of the principal with all it is attached to. ``own``: a customer managed policy is judged where
it is written, and not again at each of the hundred roles that have it; policies that AWS manages are judged
where they are attached. ``inline``: neither. What the other known policies deny, and the boundary, take away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from policyengine.iam.account_ids import account_of
from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.documents import Policy, Statement
from policyengine.iam.exposure import own_policy
from policyengine.iam.glob import compile_glob
from policyengine.iam.holding import Holder, account_named
from policyengine.iam.search import Witness as Request
from policyengine.model.resource import Resource
from policyengine.rules.iam.held import PERMISSION_SET, Held, held
from policyengine.rules.iam.principals import KINDS
from policyengine.rules.iam.reader import Document
from policyengine.rules.iam.standins import ACCOUNT
from policyengine.rules.iam.values import along, gaps
from policyengine.rules.predicates.api import Subject

_INLINE: Final = ("Policies", "related", "InlinePolicy")
_ABOUT_WHO: Final = frozenset({"aws:userid", "aws:username"})


def given(subject: Subject, *, documents: str, except_sids: Sequence[str] = ()) -> Held:
    """Return the documents in question, without the Allow statements whose Sid matches a pattern."""
    key = (given, documents, tuple(except_sids))
    known: Held | None = subject.answers.get(key)
    if known is None:
        known = subject.answers[key] = _given(subject, documents, except_sids)
    return known


def _given(subject: Subject, documents: str, except_sids: Sequence[str]) -> Held:
    found, type_ = held(subject), subject.resource.type
    if documents != "all" and (type_ in KINDS or type_ == PERMISSION_SET):
        found = _some(found, subject.resource, inline=documents == "inline")
    if not except_sids:
        return found
    patterns = tuple(except_sids)
    kept = tuple(
        replace(d, policy=_without(d.policy, patterns, _unread_sids(subject.resource, d)))
        for d in found.documents
    )
    return replace(found, documents=kept)


def _unread_sids(resource: Resource, document: Document) -> frozenset[int]:
    """Return the statements whose Sid is not known: what they say for certain has none."""
    wide = {s.index for s in document.policy.statements if s.opaque is not None}
    found = set()
    for statement in document.policy.statements if wide else ():
        if statement.allow and statement.opaque is None and not statement.sid and statement.index in wide:
            body = as_written(resource, document, statement.index)
            if body is None or any([*gaps(v)] for key, v in body.items() if key.lower() == "sid"):
                found.add(statement.index)
    return frozenset(found)


def _some(found: Held, resource: Resource, *, inline: bool) -> Held:
    own = [_is_inline(d, resource) or (not inline and _is_given(d, resource)) for d in found.documents]
    if not any(own):
        return replace(found, documents=(), boundary=None, doubts=())
    documents = tuple(
        d if mine else replace(d, policy=_denials(d.policy))
        for d, mine in zip(found.documents, own, strict=True)
    )
    paths = {d.path for d in (*documents, found.boundary) if d is not None and _doubtful(d.policy)}
    doubts = tuple((path, value) for path, value in found.doubts if path in paths)
    return replace(found, documents=documents, doubts=doubts)


def _is_inline(document: Document, resource: Resource) -> bool:
    own = (document.type, document.id) == (resource.type, resource.id)
    return own and document.path[:1] != () and document.path[0] in _INLINE


def _is_given(document: Document, resource: Resource) -> bool:
    """Say whether a document is a policy of AWS that is attached to a principal, or may be one."""
    own = (document.type, document.id) == (resource.type, resource.id)
    unnamed = own and document.opaque is not None and document.arn is None
    return is_attached(document, resource) or (unnamed and document.path[:1] == ("ManagedPolicyArns",))


def is_attached(document: Document, resource: Resource) -> bool:
    """Say whether a policy that AWS manages is attached to a principal itself, not to a group it is in."""
    if document.arn is None or ":iam::aws:policy/" not in document.arn:
        return False
    attached = resource.properties.get("ManagedPolicyArns")
    name = document.arn.rpartition("/")[2]
    return resource.type != "AWS::IAM::User" or any(
        name in (arn if isinstance(arn, str) else str(getattr(arn, "detail", "")))
        for arn in (attached if isinstance(attached, list) else ())
    )


def _doubtful(policy: Policy) -> bool:
    return any(s.opaque is not None for s in policy.statements)


@lru_cache(maxsize=8192)
def _denials(policy: Policy) -> Policy:
    """Return what a document denies or may deny, as a document; the same object each time."""
    kept = tuple(s for s in policy.statements if not s.allow)
    return Policy(policy.kind, policy.version, policy.id, kept)


@lru_cache(maxsize=8192)
def _without(policy: Policy, sids: tuple[str, ...], unread: frozenset[int]) -> Policy:
    """Leave out what Sids except; of statements whose Sid is ``unread``, what they say for certain."""
    wanted = [compile_glob(pattern) for pattern in sids]
    kept = tuple(
        s
        for s in policy.statements
        if not (s.allow and s.sid and any(w(s.sid) for w in wanted))
        and not (s.allow and s.opaque is None and s.index in unread)
    )
    return (
        policy
        if len(kept) == len(policy.statements)
        else Policy(policy.kind, policy.version, policy.id, kept)
    )


def asker(found: Held) -> str:
    """Return the ARN of who has the documents; one that stands for all where they do not tell who it is."""
    account = found.account if found.account != ACCOUNT else account_named(found.policies)
    if found.about != "principal" or found.arn is None or ":group/" in found.arn:
        return f"arn:aws:iam::{account}:role/example"
    if any(_tells_who(p) for p in found.policies):
        return found.arn
    head, _, rest = found.arn.partition(":iam:")
    return f"{head}:iam::{account}:{rest.split(':', 2)[-1].partition('/')[0]}/example"


def in_person_only(found: Held) -> str | None:
    """Return the ARN of who has the documents, where what they allow depends on it and it is known."""
    if found.about != "principal" or found.arn is None or ":group/" in found.arn:
        return None
    return found.arn if any(_tells_who(p) for p in layers(found)) else None


@lru_cache(maxsize=8192)
def _tells_who(policy: Policy) -> bool:
    """Say whether what a document allows depends on who has it."""
    for statement in policy.statements:
        texts = [*(statement.resources or ()), *(v for c in statement.conditions for v in c.values)]
        if statement.variables and any("${" in text for text in texts):
            return True
        keys = {c.key.lower() for c in statement.conditions}
        if any(key in _ABOUT_WHO or key.startswith("aws:principal") for key in keys):
            return True
    return False


def holder(found: Held) -> Holder:
    """Return the documents as those of their holder, within its boundary."""
    limit = None if found.boundary is None else found.boundary.policy
    return Holder(asker(found), found.policies, limit)


def layers(found: Held) -> tuple[Policy, ...]:
    """Return what answers about documents are remembered by: all that has a say."""
    return found.policies if found.boundary is None else (*found.policies, found.boundary.policy)


def in_person(found: Held, request: Request) -> Request:
    """Return a request as the holder of the documents would make it, where that is allowed too."""
    who = found.arn
    if found.about != "principal" or who is None or ":group/" in who or who == request.principal:
        return request
    resource = request.resource.replace(f":{account_of(request.principal)}:", f":{account_of(who)}:")
    moved = replace(request, principal=who, resource=resource)
    if account_of(resource):  # whose a resource is follows from its ARN
        context = {k: v for k, v in moved.context.items() if k.lower() != "aws:resourceaccount"}
        moved = replace(moved, context=context)
    limit = None if found.boundary is None else found.boundary.policy
    own = own_policy(request.action, account_of(who))
    decision = authorize(moved.request(), Policies(identity=found.policies, boundary=limit, resource=own))
    return moved if decision.outcome == "Allowed" and not decision.unknown else request


def as_written(resource: Resource, document: Document, index: int) -> Mapping[str, object] | None:
    """Return a statement as the resource has it; None where that is not known, or not in this resource."""
    own = (document.type, document.id) == (resource.type, resource.id)
    written = [*along(resource, document.path)][-1] if own else None
    listed = written.get("Statement") if isinstance(written, dict) else None
    one = listed[index] if isinstance(listed, list) and index < len(listed) else listed
    return one if isinstance(one, dict) else None


def without_references(resource: Resource, found: Held) -> Held:
    """Return the documents of code without the Allow statements that may be about any resource only because
    code refers to the one they are about: what refers to a resource names it, and is never ``*``."""
    if not found.doubts:
        return found
    documents = tuple(
        replace(d, policy=_kept(d.policy, [s for s in d.policy.statements if not _refers(resource, d, s)]))
        for d in found.documents
    )
    doubts = tuple(
        doubt
        for doubt in found.doubts
        if any(d.path == doubt[0] and _doubtful(d.policy) for d in (*documents, found.boundary) if d)
    )
    return replace(found, documents=documents, doubts=doubts)


def _kept(policy: Policy, statements: Sequence[Statement]) -> Policy:
    if len(statements) == len(policy.statements):
        return policy
    return Policy(policy.kind, policy.version, policy.id, tuple(statements))


def _refers(resource: Resource, document: Document, statement: Statement) -> bool:
    if statement.opaque is None or not statement.allow:
        return False
    body = as_written(resource, document, statement.index)
    unknown = {} if body is None else {key.lower(): [*gaps(value)] for key, value in body.items()}
    others = any(found for key, found in unknown.items() if key != "resource")
    named = unknown.get("resource", [])
    return bool(named) and not others and all(gap.target is not None for gap in named)
