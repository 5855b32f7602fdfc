"""``tenant.isolated``: over all requests, what of other tenants does a role reach in its account?"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from policyengine.iam.documents import Policy
from policyengine.iam.reaching import Reached, Reacher, may_reach, reaches, tags_asked, together, told_apart
from policyengine.iam.reason import No, Yes
from policyengine.iam.search import Witness as Request
from policyengine.iam.sentences import may_call
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import OpenList, Unresolved
from policyengine.rules.iam.held import Held, held, remembered
from policyengine.rules.iam.standins import own_arn
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import undecided, witness
from policyengine.rules.predicates.tenants.names import tenant_of
from policyengine.rules.predicates.tenants.table import STORES

_EXPECTED: Final = "no request to what belongs to another tenant"
MOST: Final = 500
"""Resources of other tenants that are asked about for one role; more are not known."""
_SHOWN: Final = 5
_SERVICES: Final = {
    "AWS::S3::Bucket": ("s3", ("/*",)),
    "AWS::DynamoDB::Table": ("dynamodb", ("/*",)),
    "AWS::KMS::Key": ("kms", ()),
    "AWS::SecretsManager::Secret": ("secretsmanager", ()),
    "AWS::SQS::Queue": ("sqs", ()),
}


@dataclass(frozen=True, slots=True)
class _Other:
    """What belongs to a tenant, or may; ``documents``: its policy."""

    id: str
    whose: str | Unresolved
    what: Reached
    documents: tuple[Policy, ...]


_KEPT: Final[OrderedDict[tuple[Any, ...], tuple[Any, list[_Other]]]] = OrderedDict()
"""What belongs to tenants, of the tables whose identities are the key. INVARIANT: an entry holds its tables."""


def isolated(subject: Subject, *, tag: str, name: str) -> Answer:
    """TRUE when the role reaches no bucket, table, key, secret or queue of another tenant."""
    found = held(subject)
    own = tenant_of(subject.resource, tag, name)
    if not isinstance(own, str) or found.arn is None:
        unknown = own if isinstance(own, Unresolved) else Unresolved("not_collected", "whose the role is")
        return Answer(UNKNOWN, (Evidence(("tags",), unknown, _EXPECTED, unknown.reason),))
    limit = None if found.boundary is None else found.boundary.policy
    looked = _Looked(Reacher(found.arn, found.policies, limit, _tags(subject.resource)))
    others = [o for o in _others(subject, tag, name) if o.whose != own and may_reach(looked.who, o.what)]
    for group in looked.groups(others):
        if not looked.at(group):
            break
    return looked.answer(found, _missing(subject))


class _Looked:
    """What was found of the resources of other tenants so far."""

    def __init__(self, who: Reacher) -> None:
        self.who = who
        self.layers = (*who.identity, *([who.boundary] if who.boundary else []))
        self.found: list[tuple[str, Request]] = []
        self.why: dict[str, None] = {}
        self.doubt: Unresolved | None = None
        self.asked = 0

    def groups(self, others: Iterable[_Other]) -> Iterable[list[_Other]]:
        """Return the resources, those together that the role's policies can not tell apart but by name."""
        asked = tags_asked(self.layers)
        groups: dict[Any, list[_Other]] = {}
        for other in others:
            tags = tuple(sorted((k, v) for k, v in other.what.tags.items() if k.lower() in asked))
            alike: Any = other.what.arn
            if not other.documents:
                seen = told_apart(self.layers, other.what)
                alike = (other.what.service, other.whose, tags, seen)
                if seen is not None and 2 not in seen and alike in groups:
                    continue  # one stands for all
            groups.setdefault(alike, []).append(other)
        return groups.values()

    def at(self, group: list[_Other]) -> bool:
        """Look at some of them; False where there were too many."""
        self.asked += 1
        if self.asked > MOST:
            self.why["too_large"] = None
            return False
        whose, what = group[0].whose, together([other.what for other in group])
        question = ("reaches", self.who.arn, what.arn, what.parts, tuple(self.who.tags.items()))
        every = (*self.layers, *group[0].documents)
        key = (*question, tuple(what.tags.items()))
        answer = remembered(key, every, lambda: reaches(self.who, what))
        if isinstance(answer, No):
            return True
        if isinstance(whose, Unresolved):
            self.doubt = self.doubt or whose
        elif isinstance(answer, Yes):
            shown = answer.witness.resource
            name = next((o.id for o in group if shown.startswith(o.what.arn)), group[0].id)
            self.found.append((f"{name} of tenant {whose}", answer.witness))
        else:
            self.why.update(dict.fromkeys(getattr(answer, "why", ())))
        return True

    def answer(self, found: Held, missing: Unresolved | None) -> Answer:
        """Return the answer: one that is reached decides, whatever else is not known."""
        if self.found:
            shown = [f"{what}: {may_call(request)}" for what, request in self.found[:_SHOWN]]
            evidence = [Evidence(found.where, text, _EXPECTED, "request_allowed") for text in shown]
            return Answer(FALSE, tuple(evidence), witness(self.found[0][1]))
        if self.why:
            return undecided(found, tuple(self.why), _EXPECTED)
        doubt = self.doubt or missing
        if doubt is not None:
            return Answer(UNKNOWN, (Evidence(found.where, doubt, _EXPECTED, doubt.reason),))
        return Answer(TRUE, (Evidence(found.where, _EXPECTED, _EXPECTED, "requirement_met"),))


def _missing(subject: Subject) -> Unresolved | None:
    """Return why there may be other resources in the account; code is judged by what it shows."""
    for type_ in STORES if subject.resource.file is None else ():
        table: Any = subject.tables(type_)
        if isinstance(table, Unresolved | OpenList):
            return table if isinstance(table, Unresolved) else table.more
    return None


def _others(subject: Subject, tag: str, name: str) -> list[_Other]:
    """Return what is stored in the account and belongs to a tenant, put together once for all its roles."""
    tables = [subject.tables(type_) for type_ in STORES]
    key = (tag, name, *map(id, tables))
    known = _KEPT.get(key)
    if known is None:
        listed = (resource for table in tables if isinstance(table, list) for resource in table)
        found = [other for resource in listed if (other := _other(subject, resource, tag, name))]
        known = _KEPT[key] = (tables, found)
        if len(_KEPT) > 2:
            _KEPT.popitem(last=False)
    return known[1]


def _other(subject: Subject, resource: Resource, tag: str, name: str) -> _Other | None:
    whose = tenant_of(resource, tag, name)
    if whose is None:
        return None
    arn = own_arn(resource) or "arn:*"
    service, parts = _SERVICES[resource.type]
    documents = held(subject.about(resource)).policies
    what = Reached(arn, tuple(f"{arn}{p}" for p in parts), service, _together(documents), _tags(resource))
    return _Other(resource.id, whose, what, documents)


def _together(documents: tuple[Policy, ...]) -> Policy | None:
    if len(documents) < 2:
        return documents[0] if documents else None
    first = documents[0]
    return Policy(first.kind, first.version, first.id, tuple(s for d in documents for s in d.statements))


def _tags(resource: Resource) -> dict[str, str]:
    tags = resource.tags if isinstance(resource.tags, dict) else {}
    return {key: value for key, value in tags.items() if isinstance(value, str)}
