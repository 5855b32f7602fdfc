"""``org.covers_by_class``: what an account's data class allows is all that SCPs leave open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from policyengine.iam.errors import PolicyError
from policyengine.iam.request_set import RequestSet, read_request_set
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.iam.organizations import Members, members_of
from policyengine.rules.iam.values import reference
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import unreadable
from policyengine.rules.predicates.org.asking import asked_of, unresolved
from policyengine.rules.predicates.org.covers import covered_for

_OTHERS: Final = "*"
"""The class of accounts that have none, or one that is not listed."""
_SETS: Final[dict[tuple[Any, ...], tuple[Any, RequestSet]]] = {}
"""INVARIANT: an entry holds the arguments whose identity is its key."""


class _Class(NamedTuple):
    """The class of an account, and the path of the tag that says so; None: no tag does."""

    value: str | Unresolved | None
    where: tuple[str, ...]


def covers_by_class(
    subject: Subject, *, requests: Any, of: str, allowed: Any, tag: str, exempt: Sequence[str]
) -> Answer:
    """TRUE when SCPs deny every request of the set but those the account's class allows.

    The class is the tag of the account, or of the nearest OU above it that has the tag. ``allowed``: class →
    values of ``of`` (``resource`` or a condition key).
    """
    expected = f"one of the classes {', '.join(map(str, allowed)) if isinstance(allowed, dict) else ''}"
    members = members_of(subject)
    if isinstance(members, Unresolved):
        return unresolved(members, expected)
    found = _class_of(subject.resource, members, tag)
    if isinstance(found.value, Unresolved):
        return Answer(
            unresolved(found.value, expected).truth,
            (Evidence(found.where, found.value, expected, found.value.reason),),
        )
    try:
        asked = _asked(requests, of, allowed, found.value, exempt)
    except PolicyError as error:
        return unreadable(error)
    if asked is None:
        observed = ABSENT if found.value is None else found.value
        code = "tag_missing" if found.value is None else "tag_value"
        return Answer(FALSE, (Evidence(found.where, observed, expected, code),))
    answer = covered_for(subject, asked)
    said = Evidence(found.where, found.value or "no class", expected, "requirement_met")
    if answer.truth is FALSE:
        said = said._replace(reason="request_not_denied")
        return answer._replace(evidence=(*answer.evidence, said))
    return answer


def _asked(
    requests: Any, of: str, allowed: Any, value: str | None, exempt: Sequence[str]
) -> RequestSet | None:
    """Return the set for a class; None where nothing is said of it. Raises PolicyError."""
    if not isinstance(allowed, Mapping) or not all(isinstance(v, list) for v in allowed.values()):
        raise PolicyError((), "no classes", str(allowed), "class → list of values")
    name = value if value is not None and value in allowed else _OTHERS
    if name not in allowed:
        return None
    key = (id(requests), of, id(allowed), name, id(exempt))
    known = _SETS.get(key)
    if known is None:
        if len(_SETS) >= 1024:
            _SETS.clear()
        found = _without(asked_of(requests, exempt), of, allowed[name])
        known = _SETS[key] = ((requests, allowed, exempt), found)
    return known[1]


def _without(asked: RequestSet, of: str, values: Sequence[str]) -> RequestSet:
    if of == "resource":
        left_out = read_request_set({"resource": {"not": list(values)}}).excluded
        return replace(asked, excluded=(*asked.excluded, *left_out))
    made = read_request_set({"context": {of: {"not": list(values)}}})
    context = {**asked.context, **made.context}
    return replace(asked, context=context, spelled={**asked.spelled, **made.spelled})


def _class_of(resource: Resource, members: Members | None, tag: str) -> _Class:
    """Return the class an account has by its own tag, else by that of the nearest OU."""
    found = _tagged(resource, tag)
    if found is not None:
        return _Class(found, ("tags", tag))
    for above in _above(resource, members):
        if isinstance(above, Unresolved):
            return _Class(above, ("ParentIds",))
        found = _tagged(above, tag)
        if found is not None:
            return _Class(found, ("with", above.id, "tags", tag))
    return _Class(None, ("tags", tag))


def _tagged(resource: Resource, tag: str) -> str | Unresolved | None:
    tags = resource.tags
    if isinstance(tags, Unresolved):
        return tags
    if tags is None:
        return None
    if tag in tags:
        value = tags[tag]
        return value if isinstance(value, Unresolved) else str(value)
    more = getattr(tags, "more", None)
    return more if isinstance(more, Unresolved) else None


def _above(resource: Resource, members: Members | None) -> Iterator[Resource | Unresolved]:
    """Yield the OUs above an account, the nearest first; Unresolved where one is not known."""
    units: dict[str, Resource] = {}
    for other in members.resources if members is not None else ():
        if other.type == "AWS::Organizations::OrganizationalUnit":
            own = other.properties.get("Id")
            units[own if isinstance(own, str) else other.id] = units[other.id] = other
    parents = resource.properties.get("ParentIds")
    parent = parents[0] if isinstance(parents, list) and parents else parents
    seen: set[str] = set()
    while parent is not None:
        name = reference(parent)
        if name is None or name.startswith("r-") or name in seen:
            if isinstance(parent, Unresolved) and name is None:
                yield parent
            return
        seen.add(name)
        unit = units.get(name)
        if unit is None:
            if not isinstance(parent, Unresolved):
                yield Unresolved("not_collected", f"the organisational unit `{name}`")
            return
        yield unit
        parent = unit.properties.get("ParentId")
