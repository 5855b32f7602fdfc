"""Predicates about when something was last used: passwords, access keys, roles, services a principal may call.

IAM reports a use by its date and says nothing of what was never used: ``LastUsedDate`` is missing "if the role has
not been used within the IAM tracking period", the last 400 days
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleLastUsed.html). So a missing date means "never" only
where the report itself is there, and only for what is old enough to have been used.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN, Truth
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.paths import Mistyped, read
from policyengine.rules.predicates.time import parse_time

Steps: TypeAlias = tuple[str, ...]
_MAX_DAYS: Final = 4_000_000
_SHOWN: Final = 8
_SERVICES: Final[Steps] = ("ServiceLastAccessedDetails", "ServicesLastAccessed")
_CREATED: Final[Steps] = ("CreateDate",)


class _Moment(NamedTuple):
    """A date as it was found: ``at`` is None where there is none; ``doubt`` says why it is not known."""

    at: datetime | None
    observed: Any
    doubt: str | None


def within(
    subject: Subject, *, field: Steps, reported: Steps, days: int, created: Steps | None = None
) -> Answer:
    """TRUE when the last use is at most ``days`` days back, or ``created`` is.

    Without a date, nothing was used if there is a value at ``reported``; otherwise nobody looked: UNKNOWN.
    """
    expected = f"a use in the last {days} days"
    since = _since(subject, days)
    used = _moment(subject, field)
    if used.at is not None and used.at >= since:
        return Answer(TRUE, (Evidence(field, used.observed, expected, "requirement_met"),))
    made = _moment(subject, created) if created is not None else None
    if created is not None and made is not None and made.at is not None and made.at >= since:
        return Answer(TRUE, (Evidence(created, made.observed, expected, "requirement_met"),))
    if used.doubt is not None:
        return Answer(UNKNOWN, (Evidence(field, used.observed, expected, used.doubt),))
    if created is not None and made is not None and made.doubt is not None:
        return Answer(UNKNOWN, (Evidence(created, made.observed, expected, made.doubt),))
    if used.at is not None:
        return Answer(FALSE, (Evidence(field, used.observed, expected, "too_old"),))
    return _never(subject, field, reported, created, made, expected)


def _never(
    subject: Subject,
    field: Steps,
    reported: Steps,
    created: Steps | None,
    made: _Moment | None,
    expected: str,
) -> Answer:
    """Answer for what has no date of use and is not known to be young."""
    report = read(subject, reported)
    if report is ABSENT or isinstance(report, Mistyped):
        report = Unresolved("not_collected", "when it was last used")
    if isinstance(report, Unresolved) and not report.present:
        return Answer(UNKNOWN, (Evidence(reported, report, expected, report.reason),))
    if created is not None and made is not None and made.at is None:
        missing = Unresolved("not_collected", "when it was made")
        return Answer(UNKNOWN, (Evidence(created, missing, expected, missing.reason),))
    return Answer(FALSE, (Evidence(field, ABSENT, expected, "missing"),))


def services(subject: Subject, *, days: int, only: Sequence[str]) -> Answer:
    """TRUE when each service that the role or user may call was called in the last ``days`` days.

    ``only`` are the namespaces asked about; none is all. A principal made within these days is TRUE,
    and so is one whose policies surely allow none of ``only``, whatever was true when the report was made.
    """
    asked = "each service" if not only else "each of " + ", ".join(only)
    expected = f"{asked} it may call called in the last {days} days"
    since = _since(subject, days)
    made = _moment(subject, _CREATED)
    if made.at is not None and made.at >= since:
        return Answer(TRUE, (Evidence(_CREATED, made.observed, expected, "requirement_met"),))
    # before the report is looked at: one that is older than the policies says nothing against them
    may_call = _may_call(subject, tuple(only)) if only else TRUE
    if may_call is FALSE:
        observed = f"its policies allow no action of {', '.join(only)}"
        return Answer(TRUE, (Evidence((), observed, expected, "requirement_met"),))
    found = read(subject, _SERVICES)
    if found is ABSENT:
        found = Unresolved("not_collected", "GetServiceLastAccessedDetails")
    if isinstance(found, Unresolved):
        return Answer(UNKNOWN, (Evidence(_SERVICES, found, expected, found.reason),))
    if not isinstance(found, list):
        observed = found.value if isinstance(found, Mistyped) else found
        return Answer(UNKNOWN, (Evidence(_SERVICES, observed, expected, "wrong_type"),))
    unused, doubts = _unused(found, frozenset(only), since)
    if unused and may_call is UNKNOWN:
        doubt = Unresolved("not_collected", f"whether its policies still allow {', '.join(only)}")
        return Answer(UNKNOWN, (Evidence(_SERVICES, doubt, expected, doubt.reason),))
    if unused and made.at is not None:
        return Answer(FALSE, (Evidence(_SERVICES, _listed(unused), expected, "too_old"),))
    if unused:
        unknown = made.observed if made.doubt else Unresolved("not_collected", "when it was made")
        return Answer(UNKNOWN, (Evidence(_CREATED, unknown, expected, made.doubt or "not_collected"),))
    if doubts:
        return Answer(UNKNOWN, (doubts[0]._replace(expected=expected),))
    return Answer(TRUE, (Evidence(_SERVICES, f"{len(found)} services", expected, "requirement_met"),))


def _may_call(subject: Subject, only: tuple[str, ...]) -> Truth:
    """Say whether the policies of a principal allow any action of some services."""
    from policyengine.iam.catalogue import catalogue
    from policyengine.iam.errors import PolicyError
    from policyengine.iam.reason import No, Yes
    from policyengine.iam.request_set import read_request_set
    from policyengine.rules.iam.held import held, remembered
    from policyengine.rules.predicates.iam.requests import granted

    if not all(catalogue().service_mask(name.lower()) for name in only):
        return TRUE  # of a service that nobody knows it is not known what allows it: the report decides
    try:
        asked = read_request_set({"action": [f"{name}:*" for name in only]})
    except PolicyError:
        return TRUE
    found = held(subject)
    limit = () if found.boundary is None else (found.boundary.policy,)
    question = ("calls any of", only, found.account)
    answer = remembered(question, (*found.policies, *limit), lambda: granted(found, asked))
    return FALSE if isinstance(answer, No) else TRUE if isinstance(answer, Yes) else UNKNOWN


def _unused(found: list[Any], only: frozenset[str], since: datetime) -> tuple[list[str], list[Evidence]]:
    """Return the services that were not called since then, and evidence of those that are not known."""
    unused: list[str] = []
    doubts: list[Evidence] = []
    for index, service in enumerate(found):
        path: tuple[str | int, ...] = (*_SERVICES, index)
        if not isinstance(service, dict):
            reason = service.reason if isinstance(service, Unresolved) else "wrong_type"
            doubts.append(Evidence(path, service, "", reason))
            continue
        name = service.get("ServiceNamespace", ABSENT)
        if only and isinstance(name, str) and name not in only:
            continue
        last = _parsed(service.get("LastAuthenticated", ABSENT))
        if last.doubt is not None:
            doubts.append(Evidence((*path, "LastAuthenticated"), last.observed, "", last.doubt))
        elif last.at is not None and last.at >= since:
            continue
        elif not isinstance(name, str):
            reason = name.reason if isinstance(name, Unresolved) else "wrong_type"
            doubts.append(Evidence((*path, "ServiceNamespace"), name, "", reason))
        else:
            unused.append(f"{name} ({'never' if last.at is None else last.at.date().isoformat()})")
    if isinstance(found, OpenList):
        doubts.append(Evidence(_SERVICES, found.more, "", found.more.reason))
    return unused, doubts


def _listed(unused: Sequence[str]) -> str:
    more = len(unused) - _SHOWN
    return ", ".join(unused[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _moment(subject: Subject, path: Steps) -> _Moment:
    return _parsed(read(subject, path))


def _parsed(value: Any) -> _Moment:
    if value is ABSENT:
        return _Moment(None, ABSENT, None)
    if isinstance(value, Unresolved):
        return _Moment(None, value, value.reason)
    moment = parse_time(value)
    if moment is None:
        return _Moment(None, value.value if isinstance(value, Mistyped) else value, "wrong_type")
    return _Moment(moment, value, None)


def _since(subject: Subject, days: int) -> datetime:
    """Return the moment so many days back; the first moment there is where that is before all time."""
    try:
        return subject.now - timedelta(days=min(days, _MAX_DAYS))
    except OverflowError:
        return datetime.min.replace(tzinfo=subject.now.tzinfo)


_DAYS: Final = Arg("integer", help="how many days back a use may be")
PREDICATES: Final[tuple[Predicate, ...]] = (
    Predicate(
        "usage.within",
        within,
        "Something was used, or made, in the last days.",
        {
            "field": Arg("path", help="the date of the last use"),
            "reported": Arg("path", help="what is there when uses were looked up"),
            "days": _DAYS,
            "created": Arg("path", False, None, "the date from which it could be used"),
        },
    ),
    Predicate(
        "usage.services",
        services,
        "Each service that a role or user may call was called in the last days.",
        {
            "days": _DAYS,
            "only": Arg("list:string", False, (), "namespaces that are asked about; all without it"),
        },
        ("AWS::IAM::Role", "AWS::IAM::User"),
        ("AWS::IAM::ManagedPolicy", "AWS::IAM::Group"),
        reads=(
            "*",
            "ServiceLastAccessedDetails",
        ),  # whatever allows something, and a report that must be asked for
    ),
)
