"""``pipeline.role_of``, ``read_only``, ``guarded_roles``, ``environments_apart``: roles around a delivery."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from policyengine.iam.account_ids import account_of
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Policy
from policyengine.iam.domains import one_caller
from policyengine.iam.escalation_world import allows_service
from policyengine.iam.glob import compile_glob
from policyengine.iam.holding import masks
from policyengine.iam.reason import Answer as Reasoned
from policyengine.iam.reason import No, Unknown, Yes, grants
from policyengine.iam.request_set import RequestSet, Values
from policyengine.iam.sentences import may_call
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.iam.held import Held, held, remembered
from policyengine.rules.iam.standins import ACCOUNT, own_arn
from policyengine.rules.iam.values import account_id
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import allowed, undecided, witness
from policyengine.rules.predicates.iam.requests import granted

_TRUST: Final[Path] = ("AssumeRolePolicyDocument",)
_CHUNK: Final = 200
_SHOWN: Final = 8
_WRITES: Final = ("Write", "Tagging", "Permissions management")
_UNGUARDED: Final = {
    "aws:multifactorauthpresent": Values(("false",), False, True),
    "aws:multifactorauthage": Values((), False, True),
    "aws:sourceip": Values(("203.0.113.77",)),
    **{
        f"aws:{key}": Values((), False, True)
        for key in ("sourcevpc", "sourcevpce", "sourcevpcarn", "vpcsourceip", "sourcearn", "sourceaccount")
    },
}
"""A call without MFA from an address nobody names, through no endpoint and by no service."""


def role_of(subject: Subject, *, services: Sequence[str]) -> Answer:
    """TRUE when one of the services may assume the role."""
    found = held(subject, _TRUST)
    expected = f"a role that {' or '.join(services)} may assume"
    doubt: Unknown | None = None
    for service in services:
        if not any(_may_name(policy, service) for policy in found.policies):
            continue
        answer = _assumed_by(found.policies, service)
        if isinstance(answer, Yes):
            return allowed(found, answer, expected)
        doubt = answer if isinstance(answer, Unknown) else doubt
    return allowed(found, No(), expected) if doubt is None else undecided(found, doubt.why, expected)


def _may_name(policy: Policy, service: str) -> bool:
    """Say whether a trust policy may name a service; one under `AWS` that is not known is none."""
    return any(
        allows_service(statement, service)
        for statement in policy.statements
        if statement.principals is None or statement.not_principal or statement.principals.keys() != {"AWS"}
    )


def _assumed_by(policies: Sequence[Policy], service: str) -> Reasoned:
    requests = RequestSet(("sts:AssumeRole",))
    return remembered(
        ("assumed by", service), policies, lambda: grants(policies, requests, one_caller(service))
    )


# -- read-only ----------------------------------------------------------------------------------------------


def read_only(subject: Subject, *, allowed: Sequence[str], forbidden: Sequence[str]) -> Answer:
    """TRUE when the policies allow no action that changes something; else with one they do."""
    found = held(subject)
    expected = "no permission that changes anything"
    limit = () if found.boundary is None else (found.boundary.policy,)
    question = ("read only", found.arn, tuple(allowed), tuple(forbidden))  # the request names who asks
    answer = remembered(question, (*found.policies, *limit), lambda: _changing(found, allowed, forbidden))
    if isinstance(answer, Yes):
        evidence = Evidence(found.where, may_call(answer.witness), expected, "request_allowed")
        return Answer(FALSE, (evidence,), witness(answer.witness))
    if isinstance(answer, Unknown):
        return undecided(found, answer.why, expected)
    return Answer(TRUE, (Evidence(found.where, ABSENT, expected, "no_such_request"),))


def _changing(found: Held, harmless: Sequence[str], forbidden: Sequence[str]) -> Reasoned:
    known = catalogue()
    writes = 0
    for level in _WRITES:
        writes |= known.access_level_mask(level)
    wanted = writes & ~known.matching_any(harmless) | known.matching_any(forbidden)
    may = masks(found.policies).may & wanted
    if found.boundary is not None:
        may &= masks((found.boundary.policy,)).may
    why: dict[str, None] = {}
    names = _names(may)
    while chunk := tuple(name for name, _ in zip(names, range(_CHUNK), strict=False)):
        answer = granted(found, RequestSet(chunk))
        if isinstance(answer, Yes):
            return answer
        why.update(dict.fromkeys(answer.why if isinstance(answer, Unknown) else ()))
    return Unknown(tuple(why)) if why else No()


def _names(mask: int) -> Iterator[str]:
    while mask:
        bit = mask & -mask
        mask ^= bit
        yield catalogue().at(bit.bit_length() - 1).name


# -- across accounts ----------------------------------------------------------------------------------------


def guarded_roles(subject: Subject, *, roles: str) -> Answer:
    """TRUE when roles of other accounts admit nobody but the pipeline without MFA or a source condition."""
    expected = "roles of other accounts that admit only the pipeline, or ask for MFA or a source"
    related = subject.related(roles)
    path: Path = ("with", roles)
    if isinstance(related, Unresolved):
        return Answer(UNKNOWN, (Evidence(path, related, expected, related.reason),))
    unknown: list[Evidence] = []
    for role in related:
        if role.file is None and role.account == subject.resource.account:
            continue
        answer = _unguarded(subject, role)
        if isinstance(answer, Yes):
            evidence = Evidence(path, may_call(answer.witness), expected, "request_allowed")
            return Answer(FALSE, (evidence,), witness(answer.witness))
        if isinstance(answer, Unknown):
            value = Unresolved("not_collected", f"{role.id}: {'; '.join(answer.why)}")
            unknown.append(Evidence(path, value, expected, value.reason))
    if isinstance(related, OpenList):
        unknown.append(Evidence(path, related.more, expected, related.more.reason))
    if unknown:
        return Answer(UNKNOWN, tuple(unknown[:_SHOWN]))
    return Answer(TRUE, (Evidence(path, ABSENT, expected, "no_such_request"),))


def _unguarded(subject: Subject, role: Resource) -> Reasoned:
    """Say whether somebody else of the pipeline's account may assume a role without more ado."""
    account = account_id(subject.resource) or ACCOUNT
    other = subject.about(role)
    policies = held(other, _TRUST).policies
    arn = own_arn(role)
    partition = "aws" if arn is None else arn.split(":")[1]
    requests = RequestSet(("sts:AssumeRole",), (arn or "*",), ("*",), _UNGUARDED)
    why: dict[str, None] = {}
    for kind in ("role", "user"):
        caller = one_caller(f"arn:{partition}:iam::{account}:{kind}/somebody-else")
        answer = grants(policies, requests, caller)
        if isinstance(answer, Yes):
            return answer
        why.update(dict.fromkeys(answer.why if isinstance(answer, Unknown) else ()))
    return Unknown(tuple(why)) if why else No()


# -- environments -------------------------------------------------------------------------------------------


def environments_apart(subject: Subject, *, environments: Mapping[str, Sequence[str]]) -> Answer:
    """TRUE when the deploy actions of stages of different environments have roles of different accounts."""
    expected = "an account for each environment"
    places: dict[str | None, dict[str, str]] = {}
    unknown: list[Evidence] = []
    for path, found in _deploys(subject.resource.properties.get("Stages"), environments):
        if isinstance(found, Unresolved):
            unknown.append(Evidence(path, found, expected, found.reason))
            continue
        account = account_of(found.role) if isinstance(found.role, str) else None
        own = account in (None, "", subject.resource.account)
        places.setdefault(None if own else account, {}).setdefault(found.environment, found.stage)
    for account, stages in places.items():
        if len(stages) > 1:
            named = " and ".join(f"{environment} (stage {stage})" for environment, stage in stages.items())
            where = "the pipeline's own account" if account is None else f"account {account}"
            evidence = Evidence(("Stages",), f"{named} in {where}", expected, "value_mismatch")
            return Answer(FALSE, (evidence,))
    if unknown:
        return Answer(UNKNOWN, tuple(unknown[:_SHOWN]))
    return Answer(TRUE, (Evidence(("Stages",), len(places), expected, "requirement_met"),))


class _Deploy(NamedTuple):
    environment: str
    stage: str
    role: Any


def _deploys(
    stages: Any, environments: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Path, _Deploy | Unresolved]]:
    """Yield each deploy action with the place of its role; with its own place what is not known and may be one."""
    for at, stage in _elements(stages, ("Stages",)):
        if isinstance(stage, Unresolved):
            yield at, stage
            continue
        name = stage.get("Name")
        environment = _environment(name, environments)
        for inner, action in _elements(stage.get("Actions"), (*at, "Actions")):
            if environment is None and not isinstance(name, Unresolved):
                continue
            category, role = _category(action), action.get("RoleArn") if isinstance(action, dict) else None
            if isinstance(category, Unresolved):
                yield inner, category
            elif category == "Deploy" and isinstance(name, Unresolved):
                yield (*at, "Name"), name
            elif category == "Deploy" and environment is not None:
                found = role if isinstance(role, Unresolved) else _Deploy(environment, str(name), role)
                yield (*inner, "RoleArn"), found


def _category(action: Any) -> Any:
    kind = action.get("ActionTypeId") if isinstance(action, dict) else action
    return kind.get("Category") if isinstance(kind, dict) else kind


def _elements(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield the objects of a list with their places, an Unresolved for what is not known."""
    if isinstance(value, Unresolved):
        yield path, value
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, dict | Unresolved):
            yield (*path, index), item
    if isinstance(value, OpenList):
        yield path, value.more


def _environment(name: Any, environments: Mapping[str, Sequence[str]]) -> str | None:
    if not isinstance(name, str):
        return None
    for environment, patterns in environments.items():
        if any(compile_glob(p.lower())(name.lower()) for p in patterns):
            return environment
    return None
