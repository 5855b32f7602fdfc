"""``privilege.reaches_administrator``: over the principals of an account, does a chain lead to the top?

An account is surveyed once for all its principals; ``MOST`` bounds what is looked at for each, so that an
account whose roles all trust each other ends as not known and not after minutes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from policyengine.iam.escalation import Reaches
from policyengine.iam.escalation_survey import Survey
from policyengine.iam.reason import Unknown, Yes
from policyengine.iam.search import Witness as Request
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Coverage, Resource
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.iam import carriers
from policyengine.rules.iam.graph import world_of
from policyengine.rules.iam.held import Held, held
from policyengine.rules.iam.organizations import Members, members_of
from policyengine.rules.iam.principals import PrincipalRecord, Principals, caller_arn
from policyengine.rules.iam.reader import Reader
from policyengine.rules.iam.references import References
from policyengine.rules.iam.running import RUNNING
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import undecided, unwanted, witness

if TYPE_CHECKING:
    from policyengine.iam.organization import Organization

TABLES: Final = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::ManagedPolicy")
_PRINCIPALS: Final = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")
MOST: Final = 400
"""Requests and targets that are looked at for each principal of an account, those of the others left over."""
LEAST: Final = 20_000
_ACCOUNTS: Final = 2
_TOP: Final = "a chain of requests to administrator"


@dataclass(frozen=True, slots=True)
class _Surveyed:
    """INVARIANT: ``objects`` are those whose identities are the key."""

    objects: tuple[Any, ...]
    survey: Survey
    names: dict[str, str]


_KEPT: Final[OrderedDict[tuple[int, ...], _Surveyed]] = OrderedDict()


def reaches(subject: Subject) -> Answer:
    """TRUE when known paths lead a user or role to administrator, over others of its account."""
    found = held(subject)
    surveyed = _surveyed(subject)
    arn = surveyed.names.get(subject.resource.id)
    if arn is None or arn not in surveyed.survey.world.principals:
        return undecided(found, ("the principals of the account are not known",), unwanted(_TOP))
    answer = surveyed.survey.of(arn, only_administrator=True).to_administrator
    if isinstance(answer, Reaches):
        request = answer.steps[0].requests[0] if answer.steps[0].requests else answer.witness
        evidence = Evidence(found.where, _chain(answer), unwanted(_TOP), "request_allowed")
        return Answer(TRUE, (evidence,), witness(request))
    if isinstance(answer, Unknown):
        return _not_known(found, answer)
    if isinstance(answer, Yes):  # pragma: no cover - a survey answers with Reaches
        return Answer(TRUE, (), witness(answer.witness))
    more = _others(subject)
    if more is not None:
        return Answer(UNKNOWN, (Evidence(found.where, more, _TOP, more.reason),))
    return Answer(FALSE, (Evidence(found.where, ABSENT, _TOP, "no_such_request"),))


def _others(subject: Subject) -> Unresolved | None:
    """Return why there may be principals that were not collected; code is judged by what it shows."""
    if subject.resource.file is not None:
        return None
    for type_ in _PRINCIPALS:
        table = subject.tables(type_)
        if isinstance(table, Unresolved):
            return table
        if isinstance(table, OpenList):
            return table.more
    return None


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


def _surveyed(subject: Subject) -> _Surveyed:
    """Read all that a survey rests on even where it is known: every subject depends on what it reads."""
    tables = [subject.tables(type_) for type_ in TABLES]
    running = subject.look(RUNNING)
    organization = _organization(subject)
    key = (id(organization), *map(id, tables), *map(id, running.values()))
    known = _KEPT.get(key)
    if known is None:
        known = _KEPT[key] = _survey(subject.resource.account or "", tables, running, organization)
        if len(_KEPT) > _ACCOUNTS:
            _KEPT.popitem(last=False)
    return known


def _survey(
    account: str, tables: Sequence[Any], running: Mapping[str, Any], organization: Organization | None
) -> _Surveyed:
    references = References()
    for resource in _listed(tables):
        references.add(resource)
    gathered = Principals(Reader(references.filled))
    for resource in _listed(tables):
        gathered.add(resource)
    records = list(gathered.records())
    world = world_of(records, _carried(account, running, records), organization)
    checks = max(LEAST, MOST * len(world.principals))
    held_objects = (organization, tables, running)
    return _Surveyed(held_objects, Survey(world, checks), {r.id: caller_arn(r)[0] for r in records})


def _listed(tables: Sequence[Any]) -> Iterator[Resource]:
    for table in tables:
        yield from table if isinstance(table, list) else ()


def _carried(
    account: str, running: Mapping[str, Any], records: Sequence[PrincipalRecord]
) -> carriers.Carried:
    """Return what runs with the roles; a table that is complete covers its type in the whole account."""
    runs = carriers.Carriers()
    coverage = set[tuple[str, str, str]]()
    for type_, table in running.items():
        if isinstance(table, Unresolved):
            continue
        if not isinstance(table, OpenList):
            coverage.add((account, "every region", type_))
        for resource in table if type_ in carriers.TYPES else ():
            runs.add(resource)
    covered: Coverage = frozenset(coverage)
    return runs.carried(records, covered)


def _organization(subject: Subject) -> Organization | None:
    """Return the organisation the source shows; without one, SCPs are not reckoned with."""
    members = members_of(subject)
    return members.organization if isinstance(members, Members) else None
