"""``privilege.allows``, ``on_any``, ``exposes``, ``wildcards``, ``negated``, ``whole_services``.

Each names the statements that allow, and one request. Documents that are the same are asked once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from policyengine.iam.account_ids import account_of
from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.breadth import Breadth, breadth, each
from policyengine.iam.catalogue import catalogue
from policyengine.iam.errors import PolicyError
from policyengine.iam.exposed_actions import credential_exposure, resource_exposure, writes
from policyengine.iam.exposure import Place, Wildcard, own_policy, wildcards
from policyengine.iam.glob import has_wildcard
from policyengine.iam.holding import masks, perhaps_denied
from policyengine.iam.questions import administered
from policyengine.iam.reason import Yes
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Witness as Request
from policyengine.iam.sentences import may_call
from policyengine.iam.statement_kinds import Found, negated, whole_services
from policyengine.model.finding import Evidence, Witness
from policyengine.model.logic import FALSE, TRUE
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT
from policyengine.rules.iam.held import Held, remembered
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import (
    allowed,
    cause_of,
    requests_of,
    undecided,
    unreadable,
    unwanted,
    witness,
)
from policyengine.rules.predicates.iam.requests import granted
from policyengine.rules.predicates.privilege.given import (
    as_written,
    given,
    holder,
    in_person,
    in_person_only,
    layers,
    without_references,
)

MOST: Final = 10
_YES: Final = "request_allowed"
_NAMES: Final = 4
_ANY: Final = "such actions allowed on resources that no statement names"
_ALLOWED: Final = "such request that is allowed"
_WILD: Final = "changes allowed by wildcards"
_WHOLE: Final = "service all of whose actions are allowed"
_NEGATED: Final = {
    "action": "an Allow with NotAction",
    "resource": "an Allow with NotResource",
}
DATA: Final = (
    "s3:GetObject", "s3:GetObjectVersion", "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query",
    "dynamodb:Scan", "dynamodb:PartiQLSelect", "dynamodb:ExportTableToPointInTime", "dynamodb:GetRecords",
    "rds-data:ExecuteStatement", "rds-data:BatchExecuteStatement", "redshift-data:ExecuteStatement",
    "redshift-data:BatchExecuteStatement", "redshift-data:GetStatementResult", "ssm:GetParameter",
    "ssm:GetParameters", "ssm:GetParametersByPath", "ssm:GetParameterHistory", "secretsmanager:GetSecretValue",
    "secretsmanager:BatchGetSecretValue", "sqs:ReceiveMessage", "kinesis:GetRecords", "ebs:GetSnapshotBlock",
    "codecommit:GitPull", "athena:GetQueryResults", "timestream:Select",
)  # fmt: skip
"""Actions whose answer is stored data: object, item, row, message, parameter, secret, block, source code. The
list that https://github.com/salesforce/cloudsplaining began (data exfiltration), brought up to date with the
service authorization reference."""

_EXPOSED: Final[Mapping[str, Callable[[], int]]] = {
    "resource": resource_exposure,
    "credentials": credential_exposure,
    "data": lambda: catalogue().matching_any(DATA),
}


def allows(subject: Subject, *, requests: Any, documents: str, except_sids: Sequence[str]) -> Answer:
    """TRUE when the statements in question allow a request of the set."""
    try:
        asked = requests_of(requests)
    except PolicyError as error:
        return unreadable(error)
    found = given(subject, documents=documents, except_sids=except_sids)
    if not found.documents or _namesnone(found, asked):
        return none(found, _ALLOWED)
    return allowed(found, granted(found, asked), _ALLOWED)


def _namesnone(found: Held, asked: RequestSet) -> bool:
    """Say whether the documents plainly allow none of the actions, which are all known."""
    bits = 0
    for action in asked.actions:
        one = 0 if has_wildcard(action) else catalogue().matching(action)
        if not one:
            return False
        bits |= one
    return not bits & masks(found.policies).may


def on_any(
    subject: Subject,
    *,
    actions: Sequence[str],
    context: Mapping[str, str | None],
    documents: str,
    except_sids: Sequence[str],
) -> Answer:
    """TRUE when one of the actions is allowed on resources that no statement names."""
    found = given(subject, documents=documents, except_sids=except_sids)
    return _broad(subject, found, catalogue().matching_any(actions), context)


def exposes(
    subject: Subject, *, kind: str, unless: Sequence[str], documents: str, except_sids: Sequence[str]
) -> Answer:
    """TRUE when what exposes resources, credentials or data is allowed on anything."""
    found = given(subject, documents=documents, except_sids=except_sids)
    bits = _EXPOSED[kind]()
    return _broad(subject, found, bits & ~catalogue().matching_any(unless), {})


def _broad(subject: Subject, found: Held, bits: int, context: Mapping[str, str | None]) -> Answer:
    found = without_references(subject.resource, found)
    if not found.documents or not bits & masks(found.policies).may:
        return none(found, _ANY)
    who = holder(found)
    question = ("breadth", bits, tuple(context.items()), who.arn)
    answer: Breadth = remembered(question, layers(found), lambda: breadth(who, bits, context))
    if not answer.found:
        return undecided(found, answer.why, unwanted(_ANY)) if answer.why else none(found, _ANY)
    evidence = []
    for broad in answer.found[:MOST]:
        names, count = broad.names(_NAMES), broad.bits.bit_count()
        text = ", ".join(names) + (f" and {count - len(names)} more" if count > len(names) else "")
        where = " and ".join(statement_name(found, *at) for at in broad.statements[:3])
        observed = f"{text} in {where}: {may_call(in_person(found, broad.witness))}"
        evidence.append(Evidence(_path(found, broad.statements), observed, unwanted(_ANY), _YES))
    cause = cause_of(found, sorted({at for broad in answer.found for at in broad.statements}))
    return Answer(TRUE, tuple(evidence), witness(in_person(found, answer.found[0].witness)), cause)


def wild(
    subject: Subject, *, of: str | None, unless: Sequence[str], documents: str, except_sids: Sequence[str]
) -> Answer:
    """TRUE when a statement allows changes by wildcards of actions or of resources."""
    found = given(subject, documents=documents, except_sids=except_sids)
    if of == "resource":
        found = without_references(subject.resource, found)
    if not found.documents:
        return none(found, _WILD)
    every: list[Wildcard] = remembered(("wildcards",), found.policies, lambda: wildcards(found.policies))
    count = ~catalogue().matching_any(unless)
    asked = [replace(w, bits=w.bits & count) for w in every if of in (None, w.kind) and w.bits & count]
    may_deny = perhaps_denied(found.policies)
    tagged = [_is_tagged(found, w) for w in asked]
    asked = [w for w, named in zip(asked, tagged, strict=True) if named is not True]
    named_ = [named for named in tagged if named is not True]
    known = [
        w
        for w, named in zip(asked, named_, strict=True)
        if named is False and not w.bits & may_deny and not _is_unsure(found, w)
    ]
    if not known:
        return undecided(found, (), unwanted(_WILD)) if asked else none(found, _WILD)
    evidence, first = [], None
    for one in known[:MOST]:
        request = first or _example(found, one)
        first = first or request
        told = f": {may_call(request)}" if request is not None and one is known[0] else ""
        place = (one.place.policy, one.place.statement)
        text = f"{one.kind} {', '.join(one.patterns[:MOST])} in {statement_name(found, *place)}{told}"
        evidence.append(Evidence(_path(found, (place,)), text, unwanted(_WILD), _YES))
    cause = cause_of(found, sorted({(one.place.policy, one.place.statement) for one in known}))
    return Answer(TRUE, tuple(evidence), None if first is None else witness(first), cause)


def _is_unsure(found: Held, wildcard: Wildcard) -> bool:
    """Say whether a statement has a wildcard only if something that is not known is so."""
    sure = [
        s
        for s in found.policies[wildcard.place.policy].statements
        if s.index == wildcard.place.statement and s.allow and s.opaque is None
    ]
    if wildcard.kind == "action":
        return not any(s.not_action or set(wildcard.patterns) <= {*s.actions} for s in sure)
    return not any(s.not_resource or set(wildcard.patterns) <= {*(s.resources or ("*",))} for s in sure)


def _is_tagged(found: Held, wildcard: Wildcard) -> bool | None:
    """Say whether conditions hold a wildcard of resources to those that carry tags, which names them;
    None: that is not known."""
    if wildcard.kind == "action" or not wildcard.place.conditions:
        return False
    who, place = holder(found), (wildcard.place.policy, wildcard.place.statement)
    question = ("breadth", wildcard.bits, (), who.arn)
    answer: Breadth = remembered(question, layers(found), lambda: breadth(who, wildcard.bits))
    if any(place in broad.statements for broad in answer.found):
        return False
    return None if answer.why else True


def _example(found: Held, wildcard: Wildcard) -> Request | None:
    """Return a request that a wildcard lets through; None where the first few actions have none."""
    who = holder(found)
    for action in wildcard.some(_NAMES):
        answer = who.asks(action, "*")
        if isinstance(answer, Yes):
            return in_person(found, answer.witness)
    return None


def _example_of(found: Held, service: str) -> Request | None:
    """Return a request to a service all of whose actions are allowed."""
    who, known = holder(found), catalogue()
    writing = known.service_mask(service) & writes() or known.service_mask(service)
    answer = who.asks(known.names[next(each(writing))], "*")
    return in_person(found, answer.witness) if isinstance(answer, Yes) else None


def negation(
    subject: Subject, *, element: Literal["action", "resource"], documents: str, except_sids: Sequence[str]
) -> Answer:
    """TRUE when a statement allows with NotAction or NotResource what no Deny takes away."""
    found = given(subject, documents=documents, except_sids=except_sids)
    found_ones = remembered(("negated", element), found.policies, lambda: negated(found.policies, element))
    answer = _statements(subject, found, found_ones, _NEGATED[element])
    if answer.truth is FALSE and _may_leave_out(subject.resource, found, element):
        return undecided(found, (), unwanted(_NEGATED[element]))
    return answer


def _may_leave_out(resource: Resource, found: Held, element: str) -> bool:
    """Say whether a statement of which something is not known may be one with NotAction or NotResource:
    how it is read does not show it, so what is written is looked at."""
    for document in found.documents:
        for statement in document.policy.statements:
            if statement.opaque is None or not statement.allow:
                continue
            body = as_written(resource, document, statement.index)
            if body is None or any(key.lower() == f"not{element}" for key in body):
                return True
    return False


def whole(
    subject: Subject, *, services: Sequence[str], anywhere: bool, documents: str, except_sids: Sequence[str]
) -> Answer:
    """TRUE when all actions of a service are allowed: on something, or on anything."""
    found = given(subject, documents=documents, except_sids=except_sids)
    names = tuple(name.lower() for name in services)
    if not anywhere:
        question = ("whole", names)
        found_ones = remembered(question, found.policies, lambda: whole_services(found.policies, names))
        return _statements(subject, found, found_ones, _WHOLE)
    if not found.documents:
        return none(found, _WHOLE)
    who = in_person_only(found)
    asking = ("services", *names) if who is None else ("services of", who, *names)
    named, complete = remembered(
        asking, found.policies, lambda: administered(found.policies, who, only=names)
    )
    if found.boundary is not None and named:
        limit = found.boundary.policy
        within = remembered(asking, (limit,), lambda: administered([limit], who, only=names))
        named, complete = [s for s in named if s in within.services], complete and within.complete
    told = [name for name in named if not names or name in names]
    if told:
        text = ", ".join(told[:MOST]) + (f" and {len(told) - MOST} more" if len(told) > MOST else "")
        request = _example_of(found, told[0])
        shown = "" if request is None else f": {may_call(request)}"
        evidence = Evidence(found.where, text + shown, unwanted(_WHOLE), _YES)
        if request is None:
            return Answer(TRUE, (evidence,))
        cause = cause_of(found, deciding(found, witness(request)))
        return Answer(TRUE, (evidence,), witness(request), cause)
    if (found.doubts or not complete) and _may_be_whole(found, names):
        return undecided(found, () if found.doubts else ("too_large",), unwanted(_WHOLE))
    return none(found, _WHOLE)


def _may_be_whole(found: Held, names: Sequence[str]) -> bool:
    """Say whether all actions of a service may be allowed, if what is not known allows what it may."""
    known, may = catalogue(), masks(found.policies).may
    return any(not known.service_mask(name) & ~may for name in names or known.services)


def _statements(subject: Subject, found: Held, each: Sequence[Found], expected: str) -> Answer:
    known = [one for one in each if one.witness is not None and not _is_doubtful(found, one.place)]
    if not known:
        why = [text for one in each for text in one.why]
        return undecided(found, why, unwanted(expected)) if each else none(found, expected)
    evidence = []
    for one in known[:MOST]:
        place = (one.place.policy, one.place.statement)
        services = f"{', '.join(one.services[:_NAMES])}{' …' if len(one.services) > _NAMES else ''} in "
        assert one.witness is not None
        text = f"{services if one.services else ''}{statement_name(found, *place)}: {may_call(in_person(found, one.witness))}"
        evidence.append(Evidence(_path(found, (place,)), text, unwanted(expected), _YES))
    first = known[0].witness
    cause = cause_of(found, sorted({(one.place.policy, one.place.statement) for one in known}))
    return Answer(TRUE, tuple(evidence), None if first is None else witness(in_person(found, first)), cause)


def statements_of(found: Held, request: Witness | None) -> str:
    """Return ``, by statement 1 `Sid` of name``: what allows a request; nothing where that is not plain."""
    by = [] if request is None else deciding(found, request)
    names = [statement_name(found, document, statement) for document, statement in by[:2]]
    return f", by {' and '.join(names)}" if names else ""


def deciding(found: Held, request: Witness) -> list[tuple[int, int]]:
    """Return the statements that allow a request: document and statement; none where that is not plain."""
    asked = Request(request.principal, request.action, request.resource, request.context)
    limit = None if found.boundary is None else found.boundary.policy
    own = own_policy(request.action, account_of(request.principal))
    decision = authorize(asked.request(), Policies(identity=found.policies, boundary=limit, resource=own))
    by = [at for at in decision.deciding if at.layer == "identity"] if decision.outcome == "Allowed" else []
    return [(at.policy, at.statement.index) for at in by]


def none(found: Held, expected: str) -> Answer:
    """Return FALSE: no such request, whoever asks."""
    return Answer(FALSE, (Evidence(found.where, ABSENT, expected, "no_such_request"),))


def statement_name(found: Held, document: int, statement: int) -> str:
    """Return how a reader finds a statement: its number from 1, its Sid, its document."""
    one = found.documents[document]
    sid = next((s.sid for s in one.policy.statements if s.index == statement and s.sid), None)
    return f"statement {statement + 1}" + (f" `{sid}`" if sid else "") + f" of {one.name}"


def _path(found: Held, statements: Sequence[tuple[int, int]]) -> Path:
    """Return the path of the first of the statements, where it stands in the resource itself."""
    if not statements:
        return found.where
    document, statement = statements[0]
    return found.place(found.documents[document], statement)


def _is_doubtful(found: Held, place: Place) -> bool:
    statements = found.policies[place.policy].statements
    return any(s.opaque is not None for s in statements if s.index == place.statement)
