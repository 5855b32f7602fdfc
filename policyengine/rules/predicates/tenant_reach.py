"""``tenant.isolated``: over all requests, what of other tenants does a role reach in its account?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from policyengine.iam.documents import Policy
from policyengine.iam.reaching import Reached, Reacher, reaches
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
from policyengine.rules.predicates.iam_asking import undecided, witness
from policyengine.rules.predicates.tenant_names import tenant_of
from policyengine.rules.predicates.tenants import STORES

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


def isolated(subject: Subject, *, tag: str, name: str) -> Answer:
    """TRUE when the role reaches no bucket, table, key, secret or queue of another tenant."""
    found = held(subject)
    own = tenant_of(subject.resource, tag, name)
    if not isinstance(own, str) or found.arn is None:
        unknown = own if isinstance(own, Unresolved) else Unresolved("not_collected", "whose the role is")
        return Answer(UNKNOWN, (Evidence(("tags",), unknown, _EXPECTED, unknown.reason),))
    limit = None if found.boundary is None else found.boundary.policy
    looked = _Looked(subject, Reacher(found.arn, found.policies, limit, _tags(subject.resource)))
    for other in _others(subject):
        if isinstance(other, Unresolved):
            looked.doubt = looked.doubt or other
            continue
        whose = tenant_of(other, tag, name)
        if whose is not None and whose != own and not looked.at(other, whose):
            break
    return looked.answer(found)


class _Looked:
    """What was found of the resources of other tenants so far."""

    def __init__(self, subject: Subject, who: Reacher) -> None:
        self.subject = subject
        self.who = who
        self.found: list[tuple[str, Request]] = []
        self.why: dict[str, None] = {}
        self.doubt: Unresolved | None = None
        self.asked = 0

    def at(self, other: Resource, whose: str | Unresolved) -> bool:
        """Look at one of them; False where there were too many."""
        self.asked += 1
        if self.asked > MOST:
            self.why["too_large"] = None
            return False
        answer = _asked(self.subject, self.who, other)
        if isinstance(answer, No):
            return True
        if isinstance(whose, Unresolved):
            self.doubt = self.doubt or whose
        elif isinstance(answer, Yes):
            self.found.append((f"{other.id} of tenant {whose}", answer.witness))
        else:
            self.why.update(dict.fromkeys(getattr(answer, "why", ())))
        return True

    def answer(self, found: Held) -> Answer:
        """Return the answer: one that is reached decides, whatever else is not known."""
        if self.found:
            shown = [f"{what}: {may_call(request)}" for what, request in self.found[:_SHOWN]]
            evidence = [Evidence(found.where, text, _EXPECTED, "request_allowed") for text in shown]
            return Answer(FALSE, tuple(evidence), witness(self.found[0][1]))
        if self.why:
            return undecided(found, tuple(self.why), _EXPECTED)
        if self.doubt is not None:
            return Answer(UNKNOWN, (Evidence(found.where, self.doubt, _EXPECTED, self.doubt.reason),))
        return Answer(TRUE, (Evidence(found.where, _EXPECTED, _EXPECTED, "requirement_met"),))


def _others(subject: Subject) -> Iterator[Resource | Unresolved]:
    """Yield what is stored in the account; of code what the code shows."""
    for type_ in STORES:
        table: Any = subject.tables(type_)
        if isinstance(table, Unresolved):
            yield table
            continue
        yield from table
        if isinstance(table, OpenList) and subject.resource.file is None:
            yield table.more


def _asked(subject: Subject, who: Reacher, other: Resource) -> Any:
    arn = own_arn(other)
    service, parts = _SERVICES[other.type]
    documents = held(replace(subject, resource=other, answers={})).policies
    policy = _together(documents)
    what = Reached(arn or "arn:*", tuple(f"{arn}{p}" for p in parts), service, policy, _tags(other))
    every = (*who.identity, *([who.boundary] if who.boundary else []), *documents)
    question = ("reaches", who.arn, arn, tuple(who.tags.items()), tuple(what.tags.items()))
    return remembered(question, every, lambda: reaches(who, what))


def _together(documents: tuple[Policy, ...]) -> Policy | None:
    if len(documents) < 2:
        return documents[0] if documents else None
    first = documents[0]
    return Policy(first.kind, first.version, first.id, tuple(s for d in documents for s in d.statements))


def _tags(resource: Resource) -> dict[str, str]:
    tags = resource.tags if isinstance(resource.tags, dict) else {}
    return {key: value for key, value in tags.items() if isinstance(value, str)}
