"""``privilege.reaches_administrator``: over the principals of an account, does a chain lead to the top?

An account is surveyed once for all its principals; ``MOST`` bounds what is looked at for each, so that an
account whose roles all trust each other ends as not known and not after minutes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from policyengine.iam.escalation import Reaches
from policyengine.iam.escalation_survey import Found, Survey
from policyengine.iam.reason import Unknown, Yes
from policyengine.iam.search import Witness as Request
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.iam.account_world import account_world, carried
from policyengine.rules.iam.everybody import EVERYBODY, NAMESAKES, OPEN, PRINCIPAL, TABLES
from policyengine.rules.iam.graph import world_of
from policyengine.rules.iam.held import Held, held
from policyengine.rules.iam.organizations import Members, members_of
from policyengine.rules.iam.principals import KINDS, PrincipalRecord, Principals, caller_arn
from policyengine.rules.iam.reader import Reader
from policyengine.rules.iam.references import References
from policyengine.rules.iam.running import RUNNING
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import undecided, unwanted, witness

if TYPE_CHECKING:
    from policyengine.iam.organization import Organization

_TYPES: Final = {kind: type_ for type_, kind in KINDS.items()}
MOST_OF_ALL: Final = 1_000_000
"""Requests and targets that are looked at for an account whose roles all trust each other; each of its principals has
its share of these, whatever the others take."""
LEAST: Final = 400
SHARE: Final = 5_000
"""What the share of one principal is at least, and at most."""
_ACCOUNTS: Final = 2
_MOST_CONSULTED: Final = 16
_TOP: Final = "a chain of requests to administrator"


@dataclass(frozen=True, slots=True)
class Surveyed:
    """INVARIANT: ``objects`` are those whose identities are the key. ``names``: ARNs by type and id."""

    objects: tuple[Any, ...]
    survey: Survey
    names: Mapping[tuple[str, str], str]
    plain: bool
    """Whether no resource has branches, so that what was consulted can be told by ARNs."""
    dropped: Unresolved | None = None


_KEPT: Final[OrderedDict[tuple[object, ...], Surveyed]] = OrderedDict()


def reaches(subject: Subject) -> Answer:
    """TRUE when known paths lead a user or role to administrator, over others of its account."""
    found = held(subject)
    surveyed: Surveyed = subject.look(ACCOUNT)
    _organization(subject)  # whoever reads of the account depends on all of the organisation
    arn = surveyed.names.get((subject.resource.type, subject.resource.id))
    if arn is None or arn not in surveyed.survey.world.principals:
        _read_all(subject)
        return undecided(found, ("the principals of the account are not known",), unwanted(_TOP))
    asked = surveyed.survey.of(arn, only_administrator=True)
    _depend(subject, surveyed, asked, arn)
    answer = asked.to_administrator
    if isinstance(answer, Reaches):
        request = answer.steps[0].requests[0] if answer.steps[0].requests else answer.witness
        evidence = Evidence(found.where, _chain(answer), unwanted(_TOP), "request_allowed")
        return Answer(TRUE, (evidence,), witness(request))
    if isinstance(answer, Unknown):
        return _not_known(found, answer)
    if isinstance(answer, Yes):  # pragma: no cover - a survey answers with Reaches
        return Answer(TRUE, (), witness(answer.witness))
    more = _others(subject) or surveyed.dropped  # OPEN says both
    if more is not None:
        return Answer(UNKNOWN, (Evidence(found.where, more, _TOP, more.reason),))
    return Answer(FALSE, (Evidence(found.where, ABSENT, _TOP, "no_such_request"),))


def _depend(subject: Subject, surveyed: Surveyed, asked: Found, own: str) -> None:
    """Look at what an answer rests on: of the principals that were consulted all, of others what they have in common.

    What decides for the subject itself ``held`` has read.
    """
    consulted = sorted(asked.consulted - {own})
    if not surveyed.plain or len(consulted) > _MOST_CONSULTED:
        _read_all(subject)
        return
    subject.look(NAMESAKES)
    for arn in consulted:
        subject.look(PRINCIPAL, arn)
    if asked.others:
        subject.look(EVERYBODY)
        subject.look(RUNNING)


def _read_all(subject: Subject) -> None:
    for type_ in TABLES:
        subject.tables(type_)
    subject.look(RUNNING)


def _others(subject: Subject) -> Unresolved | None:
    """Return why there may be principals that were not collected; code is judged by what it shows."""
    if subject.resource.file is not None:
        return None
    tables: Sequence[Any] = subject.look(OPEN)
    return next((more for more in tables[: len(KINDS)] if isinstance(more, Unresolved)), None)


def _not_known(found: Held, answer: Unknown) -> Answer:
    return undecided(found, answer.why[:3], unwanted(_TOP))


def _chain(answer: Reaches) -> str:
    parts = []
    for step in answer.steps:
        asked = " and ".join(_called(request) for request in step.requests) or step.path
        parts.append(f"{asked} gives {step.target}")
    return "; then ".join(parts)


def _called(request: Request) -> str:
    return f"{request.action} on {request.resource}"


def _find(subject: Subject, _argument: str | None) -> Surveyed:
    """Survey the account once for all its principals; of code those of its file."""
    tables = {type_: subject.tables(type_) for type_ in TABLES}
    running = subject.look(RUNNING)
    organization = _organization(subject)
    account = subject.resource.account or ""
    key = (account, id(organization), *map(id, tables.values()), *map(id, running.values()))
    known = _KEPT.get(key)
    if known is None:
        objects = (organization, tables, running)
        known = _KEPT[key] = _survey(account, objects)
        if len(_KEPT) > _ACCOUNTS:
            _KEPT.popitem(last=False)
    return known


ACCOUNT: Final = OPEN._replace(find=_find)
"""Finds the survey of an account. INVARIANT: whoever asks it looks at what the answer says was consulted."""


def _survey(account: str, objects: tuple[Any, ...]) -> Surveyed:
    organization, tables, running = objects
    resources = [r for type_ in TABLES for r in (tables[type_] if isinstance(tables[type_], list) else ())]
    dropped = None
    if plain := not any(r.file is not None or r.variants or r.branch is not None for r in resources):
        made = account_world(account, tables, running, organization)
        world, people, records, dropped = made.world, made.people, made.records, made.dropped
        names = {(p.type, p.id): caller_arn(r)[0] for p, r in zip(people, records, strict=True)}
    else:
        records = _of_code(resources)
        world = world_of(records, carried(running, records, account), organization)
        names = {(_TYPES[r.kind], r.id): caller_arn(r)[0] for r in records}
    size = 1 << (len(world.principals) - 1).bit_length() if world.principals else 1
    survey = Survey(world, each=max(LEAST, min(SHARE, MOST_OF_ALL // size)))
    return Surveyed(objects, survey, names, plain, dropped)


def _of_code(resources: Sequence[Resource]) -> list[PrincipalRecord]:
    references = References()
    for resource in resources:
        references.add(resource)
    gathered = Principals(Reader(references.filled))
    for resource in resources:
        gathered.add(resource)
    return list(gathered.records())


def _organization(subject: Subject) -> Organization | None:
    """Return the organisation the source shows; without one, SCPs are not reckoned with."""
    members = members_of(subject)
    return members.organization if isinstance(members, Members) else None
