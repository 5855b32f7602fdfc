"""``privilege.trusted_tags`` and ``privilege.sheds_boundary``: can a principal undo what limits it?"""

from __future__ import annotations

from typing import Final

from policyengine.iam.bounds_held import sheds_boundary
from policyengine.iam.reason import Answer as Reasoned
from policyengine.iam.reason import Yes
from policyengine.iam.sentences import may_call
from policyengine.iam.trusted_tags import Change, changes, names_tags
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved
from policyengine.rules.iam.held import Held, held, remembered
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import allowed, undecided, unwanted, witness
from policyengine.rules.predicates.privilege.given import as_written, asker, in_person, layers
from policyengine.rules.predicates.privilege.grants import MOST, statement_name

_TAGS: Final = "a tag that a condition trusts and the principal may change"
_SHED: Final = "a way out of the permissions boundary"


def trusted_tags(subject: Subject) -> Answer:
    """TRUE when a statement trusts a tag that the principal itself may set or remove."""
    found = held(subject)
    limit = None if found.boundary is None else found.boundary.policy
    every = layers(found)
    if not names_tags(every):
        if _unread(subject.resource, found):
            return undecided(found, (), unwanted(_TAGS))
        return Answer(FALSE, (Evidence(found.where, ABSENT, _TAGS, "no_such_request"),))
    who = (
        found.arn if found.about == "principal" and found.arn and ":group/" not in found.arn else asker(found)
    )
    # what policies of AWS trust is AWS's to judge: an account can neither change them nor do without them
    aws = frozenset(at for at, document in enumerate(found.documents) if document.type is None)
    question = ("tags", who, aws)
    each: list[Change] = remembered(question, every, lambda: changes(found.policies, limit, who, aws))
    known = [change for change in each if isinstance(change.answer, Yes)]
    if not known:
        if each or _unread(subject.resource, found):
            why = [text for change in each for text in getattr(change.answer, "why", ())]
            return undecided(found, why, unwanted(_TAGS))
        return Answer(FALSE, (Evidence(found.where, ABSENT, _TAGS, "no_such_request"),))
    evidence = [_shown(found, change) for change in known[:MOST]]
    first = known[0].answer
    assert isinstance(first, Yes)
    return Answer(TRUE, tuple(evidence), witness(in_person(found, first.witness)))


def _unread(resource: Resource, found: Held) -> bool:
    """Say whether a condition may trust a tag that is not seen: one whose condition is not known."""
    for document in (*found.documents, *([found.boundary] if found.boundary else [])):
        if document.opaque is not None:
            return True
        for statement in document.policy.statements:
            if statement.opaque is None:
                continue
            body = as_written(resource, document, statement.index)
            if body is None or any(
                _holes(value) for key, value in body.items() if key.lower() == "condition"
            ):
                return True
    return False


def _holes(value: object) -> bool:
    """Say whether anything in a value is not known."""
    if isinstance(value, Unresolved | OpenDict | OpenList):
        return True
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_holes(item) for item in items)


def _shown(found: Held, change: Change) -> Evidence:
    assert isinstance(change.answer, Yes)
    document, number = change.trusted.place
    inside = document < len(found.documents)
    where = statement_name(found, document, number) if inside else f"statement {number + 1} of the boundary"
    request = may_call(in_person(found, change.answer.witness))
    text = f"{change.trusted.key} decides in {where}, and {request}"
    return Evidence(found.where, text, unwanted(_TAGS), "request_allowed")


def sheds(subject: Subject) -> Answer:
    """TRUE when a user or role may remove, replace or rewrite its own permissions boundary."""
    found = held(subject)
    limit, who = found.boundary, found.arn
    if limit is None or found.about != "principal" or who is None:
        return Answer(FALSE, (Evidence(("PermissionsBoundary",), ABSENT, _SHED, "no_such_request"),))
    arn = limit.arn
    question = ("sheds", who, arn)
    answer: Reasoned = remembered(
        question, layers(found), lambda: sheds_boundary(found.policies, limit.policy, arn, who)
    )
    return allowed(found, answer, _SHED)
