"""``privilege.in_question``, ``administers``, ``escalates``, ``attached``: what all policies of a principal amount to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from policyengine.iam.administration import PLAUSIBLE
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Policy
from policyengine.iam.holding import GLOBAL_REGION, masks
from policyengine.iam.made_up import made_up
from policyengine.iam.questions import Escalates, administered, administrator, escalates
from policyengine.iam.reason import Answer as Reasoned
from policyengine.iam.reason import No, Unknown, Yes
from policyengine.iam.search import Witness as Request
from policyengine.iam.sentences import may_call
from policyengine.iam.sentences import who as who_is
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.iam.held import Held, held, remembered
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam import questions as iam_questions
from policyengine.rules.predicates.iam.asking import allowed, cause_of, undecided, unwanted, witness
from policyengine.rules.predicates.privilege.given import given, in_person, in_person_only, is_attached
from policyengine.rules.predicates.privilege.grants import deciding, statements_of, whole

_YES: Final = "request_allowed"
_OF_AWS: Final = ("/aws-service-role/", "/aws-reserved/")
"""Paths of roles of AWS services and of Identity Center, which an account can not change:
https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html"""
_ROLE: Final = "AWS::IAM::Role"
_OF_AWS_MANAGED: Final = ":iam::aws:policy/"
_USER: Final = "arn:aws:iam::123456789012:user/example"
_ADMIN: Final = "permissions of an administrator"
_MORE: Final = "a way to more permissions than these"
_LAST: Final[list[tuple[Held, Answer]]] = []
"""What was answered last: many rules ask about one resource after the other."""


def in_question(subject: Subject, *, documents: str) -> Answer:
    """TRUE unless AWS manages the principal or it is surely administrator: those are other findings."""
    theirs = _of_aws(subject.resource)
    if theirs is not None:
        return theirs
    if not given(subject, documents=documents).documents:
        return Answer(TRUE)  # nothing that could be said of it too
    found = held(subject)
    if not _LAST or _LAST[0][0] is not found:
        _LAST[:] = [(found, _in_question(found))]
    return _LAST[0][1]


def _of_aws(resource: Resource) -> Answer | None:
    path, expected = resource.properties.get("Path"), "not a role that AWS manages"
    if isinstance(path, str) and path.startswith(_OF_AWS):
        return Answer(FALSE, (Evidence(("Path",), path, expected, "value_mismatch"),))
    if isinstance(path, Unresolved) and resource.file is None and resource.type == _ROLE:
        return Answer(UNKNOWN, (Evidence(("Path",), path, expected, path.reason),))
    return None


def _in_question(found: Held) -> Answer:
    answer = _administrator(found.policies) if found.documents else No()
    if not isinstance(answer, No) and found.boundary is not None:
        within = _administrator((found.boundary.policy,))
        answer = answer if isinstance(within, Yes) else within
    if isinstance(answer, Unknown):
        return undecided(found, answer.why, unwanted(_ADMIN))
    if not isinstance(answer, Yes):
        return Answer(TRUE)
    request = in_person(found, answer.witness)
    evidence = Evidence(found.where, may_call(request), unwanted(_ADMIN), _YES)
    return Answer(FALSE, (evidence,), witness(request))


def administers(subject: Subject) -> Answer:
    """TRUE when the policies amount to administrator, of everything or of IAM."""
    everything = iam_questions.admin(subject, services=False, policy=None)
    found, who = held(subject), in_person_only(held(subject))
    if everything.truth is TRUE and who is not None:
        named = remembered(("admin", who), found.policies, lambda: administrator(found.policies, who))
        everything = everything if isinstance(named, Yes) else allowed(found, named, _ADMIN)
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
    note = made_up(r.resource for r in requests)
    text = f"{answer.escalation.path.id}: {who_is(shown.principal)} may call {' and '.join(steps)}{note}"
    cause = cause_of(found, sorted({at for r in requests for at in deciding(found, witness(r))}))
    return Answer(TRUE, (Evidence(found.where, text, unwanted(_MORE), _YES),), shown, cause)


def _administrator(policies: Sequence[Policy]) -> Reasoned:
    """Say whether documents amount to administrator: of everything, or of IAM, which gives the rest."""
    answer = remembered(("admin",), policies, lambda: administrator(policies))
    iam = catalogue().service_mask("iam")
    if isinstance(answer, Yes) or iam & ~masks(policies).may:
        return answer
    named = remembered(("services", "iam"), policies, lambda: administered(policies, only=("iam",)))
    if "iam" in named.services:
        return Yes(Request(PLAUSIBLE, "iam:CreateUser", _USER, {"aws:RequestedRegion": GLOBAL_REGION}))
    return answer if named.complete or isinstance(answer, Unknown) else Unknown(("too_large",))


def attached(subject: Subject, *, policies: Sequence[str]) -> Answer:
    """TRUE when a policy that AWS manages is attached to the principal, by its path and name.

    Roles that AWS manages have what AWS attaches to them.
    """
    theirs = _of_aws(subject.resource)
    if theirs is not None:
        return theirs
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
