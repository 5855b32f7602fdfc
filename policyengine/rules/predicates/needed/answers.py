"""``needed.undenied``: a Deny that takes away what its role cannot do without, by the name of the action."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Policy
from policyengine.iam.errors import PolicyError
from policyengine.iam.reason import Answer as Reasoned
from policyengine.iam.reason import No, Unknown, denies, grants
from policyengine.iam.request_set import RequestSet, read_request_set
from policyengine.iam.ways import action_bits
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path
from policyengine.model.values import Unresolved
from policyengine.rules.iam.held import Held, held, remembered
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import callers_of, undecided, unreadable

_EXPECTED: Final = "needed actions that no Deny stops"


def undenied(
    subject: Subject, *, actions: Sequence[str], role: str | None, where_allowed: Sequence[str]
) -> Answer:
    """TRUE when no Deny of the policies stops any of the actions altogether; FALSE names those it stops.

    ``role``: an alias; all the roles behind it. FALSE as well where a role is named that is known not to
    exist: nobody can assume it. ``where_allowed``: TRUE as well where the policies grant none of these.
    """
    subjects = _subjects(subject, role)
    if isinstance(subjects, Answer):
        return subjects
    try:
        sets = [(action, read_request_set({"action": [action]})) for action in actions]
        asked = read_request_set({"action": list(where_allowed)}) if where_allowed else None
    except PolicyError as error:
        return unreadable(error)
    doubt: Answer | None = None
    for one in subjects:
        found = _of(held(one), sets, asked, role)
        if found.truth is FALSE:
            return found
        doubt = doubt or (found if found.truth is UNKNOWN else None)
    return doubt or Answer(TRUE, (Evidence((), "no Deny of them", _EXPECTED, "requirement_met"),))


def _subjects(subject: Subject, role: str | None) -> list[Subject] | Answer:
    if role is None:
        return [subject]
    related = subject.related(role)
    more = related if isinstance(related, Unresolved) else getattr(related, "more", None)
    if isinstance(related, Unresolved) or (isinstance(more, Unresolved) and not related):
        unknown = more or Unresolved("not_collected", "the role")
        return Answer(UNKNOWN, (Evidence(("with", role), unknown, _EXPECTED, unknown.reason),))
    if not related:
        observed = "no such role exists in the account"
        return Answer(FALSE, (Evidence(_named_at(subject, role), observed, _EXPECTED, "missing"),))
    return [subject.about(other) for other in related]


def _named_at(subject: Subject, role: str) -> Path:
    """Return where a resource names its role."""
    via = subject.relations.get(role, {}).get("via")
    return ("with", role) if via is None else tuple(via.split("."))


def _of(
    found: Held, sets: Sequence[tuple[str, RequestSet]], asked: RequestSet | None, role: str | None
) -> Answer:
    policies = (*found.policies, *([found.boundary.policy] if found.boundary else []))
    named = [(action, one) for action, one in sets if _may_deny(policies, one)]
    if not named:
        return Answer(TRUE)
    if asked is not None:
        granted = remembered(("granted", asked.actions), found.policies, lambda: _granted(found, asked))
        if isinstance(granted, No):
            return Answer(TRUE)
        if isinstance(granted, Unknown):
            return undecided(found, granted.why, _EXPECTED)
    where = ("with", role) if role is not None else found.where
    evidence: list[Evidence] = []
    why: Unknown | None = None
    for action, one in named:
        answer = remembered(("denied", action), policies, partial(_denied, found, policies, one))
        if isinstance(answer, No):
            text = f"{action} is denied by {', '.join(_denying(found, one)) or 'its boundary'}"
            evidence.append(Evidence(where, text, _EXPECTED, "request_denied"))
        elif isinstance(answer, Unknown):
            why = answer
    if evidence:
        return Answer(FALSE, tuple(evidence))
    return Answer(TRUE) if why is None else undecided(found, why.why, _EXPECTED)


def _granted(found: Held, asked: RequestSet) -> Reasoned:
    """Say whether the documents allow one of the actions, whatever they deny: what they are meant for."""
    allowing = [_only(policy, allow=True) for policy in found.policies]
    return grants(allowing, asked, callers_of(found))


def _denied(found: Held, policies: Sequence[Policy], one: RequestSet) -> Reasoned:
    return denies(policies, one, callers_of(found))


def _only(policy: Policy, *, allow: bool) -> Policy:
    return replace(policy, statements=tuple(s for s in policy.statements if s.allow is allow))


def _may_deny(policies: Sequence[Policy], one: RequestSet) -> bool:
    """Say whether any Deny names the action at all: the cheap look, which settles nearly all roles."""
    denying = [s for policy in policies for s in policy.statements if not s.allow]
    if not denying:
        return False
    known = catalogue().covering(one.actions)
    wanted = known.matching_any(one.actions)
    return any(s.opaque is not None or action_bits(s, known) & wanted for s in denying)


def _denying(found: Held, one: RequestSet) -> Iterator[str]:
    """Yield the Deny statements that stop the action, by number, Sid and document."""
    for document in found.documents:
        for statement in document.policy.statements:
            if not statement.allow and isinstance(
                denies([replace(document.policy, statements=(statement,))], one, callers_of(found)), No
            ):
                sid = f" `{statement.sid}`" if statement.sid else ""
                how = " (NotAction leaves it out)" if statement.not_action else ""
                yield f"statement {statement.index + 1}{sid} of {document.name}{how}"
