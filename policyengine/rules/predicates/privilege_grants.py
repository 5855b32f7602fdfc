"""``privilege.allows``, ``on_any``, ``exposes``, ``wildcards``, ``negated``, ``whole_services``.

Each names the statements that allow, and one request. Documents that are the same are asked once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from policyengine.iam.account_ids import account_of
from policyengine.iam.administration import PLAUSIBLE
from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.breadth import Breadth, breadth, each
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Policy
from policyengine.iam.errors import PolicyError
from policyengine.iam.exposed_actions import credential_exposure, resource_exposure, writes
from policyengine.iam.exposure import Place, Wildcard, own_policy, wildcards
from policyengine.iam.glob import has_wildcard
from policyengine.iam.holding import GLOBAL_REGION, masks
from policyengine.iam.questions import Escalates, administered, administrator, escalates
from policyengine.iam.reason import Answer as Reasoned
from policyengine.iam.reason import No, Yes
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Witness as Request
from policyengine.iam.sentences import may_call
from policyengine.iam.sentences import who as who_is
from policyengine.iam.statement_kinds import Found, negated, whole_services
from policyengine.model.finding import Evidence, Witness
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT
from policyengine.rules.iam.held import Held, held, remembered
from policyengine.rules.predicates import iam_questions
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam_asking import (
    allowed,
    requests_of,
    undecided,
    unreadable,
    witness,
)
from policyengine.rules.predicates.iam_requests import granted
from policyengine.rules.predicates.privilege_given import (
    as_written,
    given,
    holder,
    in_person,
    is_attached,
    layers,
    without_references,
)

MOST: Final = 10
_YES: Final = "request_allowed"
_NAMES: Final = 4
_ANY: Final = "such actions allowed on resources that no statement names"
_MORE: Final = "a way to more permissions than these"
_ALLOWED: Final = "such a request to be allowed"
_WILD: Final = "changes allowed by wildcards"
_OF_AWS: Final = ("/aws-service-role/", "/aws-reserved/")
"""Paths of roles of AWS services and of Identity Center, which an account can not change:
https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html"""
_OF_AWS_MANAGED: Final = ":iam::aws:policy/"
_USER: Final = "arn:aws:iam::123456789012:user/example"
_ADMIN: Final = "permissions of an administrator"
_WHOLE: Final = "all actions of a service allowed"
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
    if not found.documents or _names_none(found, asked):
        return _none(found, _ALLOWED)
    return allowed(found, granted(found, asked), _ALLOWED)


def _names_none(found: Held, asked: RequestSet) -> bool:
    """Say whether the documents plainly allow none of the actions, which are all known."""
    bits = 0
    for action in asked.actions:
        one = 0 if has_wildcard(action) else catalogue().matching(action)
        if not one:
            return False
        bits |= one
    return not bits & masks(found.policies).may


_LAST: Final[list[tuple[Held, Answer]]] = []
"""What was answered last: many rules ask about one resource after the other."""


def in_question(subject: Subject) -> Answer:
    """TRUE unless AWS manages the principal or it is surely administrator: those are other findings."""
    found = held(subject)
    if not _LAST or _LAST[0][0] is not found:
        _LAST[:] = [(found, _in_question(subject.resource, found))]
    return _LAST[0][1]


def _in_question(resource: Resource, found: Held) -> Answer:
    path = resource.properties.get("Path")
    if isinstance(path, str) and path.startswith(_OF_AWS):
        return Answer(FALSE, (Evidence(("Path",), path, "not a role that AWS manages", "value_mismatch"),))
    answer = _administrator(found.policies) if found.documents else No()
    if isinstance(answer, Yes) and found.boundary is not None:
        answer = _administrator((found.boundary.policy,))
    if not isinstance(answer, Yes):
        return Answer(TRUE)
    request = in_person(found, answer.witness)
    evidence = Evidence(found.where, may_call(request), f"not {_ADMIN}", _YES)
    return Answer(FALSE, (evidence,), witness(request))


def administers(subject: Subject) -> Answer:
    """TRUE when the policies amount to administrator, of everything or of IAM."""
    everything = iam_questions.admin(subject, services=False, policy=None)
    if everything.truth is TRUE:
        by = statements_of(held(subject), everything.witness)
        return everything._replace(
            evidence=tuple(e._replace(observed=f"{e.observed}{by}") for e in everything.evidence)
        )
    iam = whole(subject, services=("iam",), anywhere=True, documents="all", except_sids=())
    return iam if iam.truth is TRUE or everything.truth is FALSE else everything


def escalating(subject: Subject) -> Answer:
    """TRUE when a known path leads from the policies to more than they allow; each request of it is shown."""
    found = held(subject)
    answer = iam_questions.within_boundary(found, "escalates", escalates)
    if not isinstance(answer, Escalates):
        return allowed(found, answer, _MORE)
    requests = [in_person(found, request) for request in answer.escalation.requests]
    steps = [f"{r.action} on {r.resource}{statements_of(found, witness(r))}" for r in requests]
    shown = witness(requests[0])
    text = f"{answer.escalation.path.id}: {who_is(shown.principal)} may call {' and '.join(steps)}"
    return Answer(TRUE, (Evidence(found.where, text, f"not {_MORE}", _YES),), shown)


def _administrator(policies: Sequence[Policy]) -> Reasoned:
    """Say whether documents amount to administrator: of everything, or of IAM, which gives the rest."""
    answer = remembered(("admin",), policies, lambda: administrator(policies))
    iam = catalogue().service_mask("iam")
    if isinstance(answer, Yes) or iam & ~masks(policies).may:
        return answer
    named = remembered(("services", "iam"), policies, lambda: administered(policies, only=("iam",))).services
    request = Request(PLAUSIBLE, "iam:CreateUser", _USER, {"aws:RequestedRegion": GLOBAL_REGION})
    return Yes(request) if "iam" in named else answer


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
        return _none(found, _ANY)
    who = holder(found)
    question = ("breadth", bits, tuple(context.items()), who.arn)
    answer: Breadth = remembered(question, layers(found), lambda: breadth(who, bits, context))
    if not answer.found:
        return undecided(found, answer.why, _ANY) if answer.why else _none(found, _ANY)
    evidence = []
    for broad in answer.found[:MOST]:
        names, count = broad.names(_NAMES), broad.bits.bit_count()
        text = ", ".join(names) + (f" and {count - len(names)} more" if count > len(names) else "")
        where = " and ".join(statement_name(found, *at) for at in broad.statements[:3])
        observed = f"{text} in {where}: {may_call(in_person(found, broad.witness))}"
        evidence.append(
            Evidence(_path(subject.resource, found, broad.statements), observed, f"no {_ANY}", _YES)
        )
    return Answer(TRUE, tuple(evidence), witness(in_person(found, answer.found[0].witness)))


def wild(
    subject: Subject, *, of: str | None, unless: Sequence[str], documents: str, except_sids: Sequence[str]
) -> Answer:
    """TRUE when a statement allows changes by wildcards of actions or of resources."""
    found = given(subject, documents=documents, except_sids=except_sids)
    if of == "resource":
        found = without_references(subject.resource, found)
    if not found.documents:
        return _none(found, _WILD)
    every: list[Wildcard] = remembered(("wildcards",), found.policies, lambda: wildcards(found.policies))
    count = ~catalogue().matching_any(unless)
    asked = [replace(w, bits=w.bits & count) for w in every if of in (None, w.kind) and w.bits & count]
    asked = [w for w in asked if not _is_tagged(found, w)]
    known = [w for w in asked if not _is_doubtful(found, w.place)]
    if not known:
        return undecided(found, (), _WILD) if asked else _none(found, _WILD)
    evidence, first = [], None
    for one in known[:MOST]:
        request = first or _example(found, one)
        first = first or request
        told = f": {may_call(request)}" if request is not None and one is known[0] else ""
        place = (one.place.policy, one.place.statement)
        text = f"{one.kind} {', '.join(one.patterns[:MOST])} in {statement_name(found, *place)}{told}"
        evidence.append(Evidence(_path(subject.resource, found, (place,)), text, f"no {_WILD}", _YES))
    return Answer(TRUE, tuple(evidence), None if first is None else witness(first))


def _is_tagged(found: Held, wildcard: Wildcard) -> bool:
    """Say whether conditions hold a wildcard of resources to those that carry tags, which names them."""
    if wildcard.kind == "action" or not wildcard.place.conditions:
        return False
    who, place = holder(found), (wildcard.place.policy, wildcard.place.statement)
    question = ("breadth", wildcard.bits, (), who.arn)
    answer: Breadth = remembered(question, layers(found), lambda: breadth(who, wildcard.bits))
    return not answer.why and not any(place in broad.statements for broad in answer.found)


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
        return undecided(found, (), _NEGATED[element])
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
        return _none(found, _WHOLE)
    asking = ("services", *names)
    named, complete = remembered(asking, found.policies, lambda: administered(found.policies, only=names))
    if found.boundary is not None and named:
        limit = found.boundary.policy
        within = remembered(asking, (limit,), lambda: administered([limit], only=names))
        named, complete = [s for s in named if s in within.services], complete and within.complete
    told = [name for name in named if not names or name in names]
    if told:
        text = ", ".join(told[:MOST]) + (f" and {len(told) - MOST} more" if len(told) > MOST else "")
        request = _example_of(found, told[0])
        shown = "" if request is None else f": {may_call(request)}"
        evidence = Evidence(found.where, text + shown, f"not {_WHOLE}", _YES)
        return Answer(TRUE, (evidence,), None if request is None else witness(request))
    if (found.doubts or not complete) and _may_be_whole(found, names):
        return undecided(found, () if found.doubts else ("too_large",), _WHOLE)
    return _none(found, _WHOLE)


def _may_be_whole(found: Held, names: Sequence[str]) -> bool:
    """Say whether all actions of a service may be allowed, if what is not known allows what it may."""
    known, may = catalogue(), masks(found.policies).may
    return any(not known.service_mask(name) & ~may for name in names or known.services)


def _statements(subject: Subject, found: Held, each: Sequence[Found], expected: str) -> Answer:
    known = [one for one in each if one.witness is not None and not _is_doubtful(found, one.place)]
    if not known:
        why = [text for one in each for text in one.why]
        return undecided(found, why, expected) if each else _none(found, expected)
    evidence = []
    for one in known[:MOST]:
        place = (one.place.policy, one.place.statement)
        services = f"{', '.join(one.services[:_NAMES])}{' …' if len(one.services) > _NAMES else ''} in "
        assert one.witness is not None
        text = f"{services if one.services else ''}{statement_name(found, *place)}: {may_call(in_person(found, one.witness))}"
        evidence.append(Evidence(_path(subject.resource, found, (place,)), text, f"not {expected}", _YES))
    first = known[0].witness
    return Answer(TRUE, tuple(evidence), None if first is None else witness(in_person(found, first)))


def attached(subject: Subject, *, policies: Sequence[str]) -> Answer:
    """TRUE when a policy that AWS manages is attached to the principal, by its path and name."""
    found, expected = held(subject), "none of the policies of AWS that are named"
    unknown = []
    for document in found.documents:
        if document.arn is not None and _OF_AWS_MANAGED in document.arn:
            name = document.arn.partition(_OF_AWS_MANAGED)[2]
            if name in policies and is_attached(document, subject.resource):
                return Answer(TRUE, (Evidence(document.path, document.arn, expected, "requirement_met"),))
        elif (
            document.opaque is not None
            and document.arn is None
            and document.path[:1] == ("ManagedPolicyArns",)
        ):
            unknown += [(p, value) for p, value in found.doubts if p == document.path]
    if unknown:
        evidence = [Evidence(path, value, expected, value.reason) for path, value in unknown]
        return Answer(UNKNOWN, tuple(evidence))
    return Answer(FALSE, (Evidence((), ABSENT, expected, "missing"),))


def statements_of(found: Held, request: Witness | None) -> str:
    """Return ``, by statement 1 `Sid` of name``: what allows a request; nothing where that is not plain."""
    if request is None:
        return ""
    asked = Request(request.principal, request.action, request.resource, request.context)
    limit = None if found.boundary is None else found.boundary.policy
    own = own_policy(request.action, account_of(request.principal))
    decision = authorize(asked.request(), Policies(identity=found.policies, boundary=limit, resource=own))
    by = [at for at in decision.deciding if at.layer == "identity"] if decision.outcome == "Allowed" else []
    names = [statement_name(found, at.policy, at.statement.index) for at in by[:2]]
    return f", by {' and '.join(names)}" if names else ""


def _none(found: Held, expected: str) -> Answer:
    return Answer(FALSE, (Evidence(found.where, ABSENT, expected, "no_such_request"),))


def statement_name(found: Held, document: int, statement: int) -> str:
    """Return how a reader finds a statement: its number from 1, its Sid, its document."""
    one = found.documents[document]
    sid = next((s.sid for s in one.policy.statements if s.index == statement and s.sid), None)
    return f"statement {statement + 1}" + (f" `{sid}`" if sid else "") + f" of {one.name}"


def _path(resource: Resource, found: Held, statements: Sequence[tuple[int, int]]) -> Path:
    """Return the path of a statement's document, where it stands in the resource itself."""
    document = found.documents[statements[0][0]] if statements else None
    own = document is not None and (document.type, document.id) == (resource.type, resource.id)
    return document.path if document is not None and own else found.where


def _is_doubtful(found: Held, place: Place) -> bool:
    statements = found.policies[place.policy].statements
    return any(s.opaque is not None for s in statements if s.index == place.statement)
