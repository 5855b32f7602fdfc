"""Predicates for requirements that an organisation has to ask for, and for where a resource comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject

_STACK: Final = "aws:cloudformation:stack-id"
"""CloudFormation puts it on the resources of a stack
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html)."""


def given(subject: Subject, *, value: Any) -> Answer:
    """TRUE when the parameter is set: not empty, not false, not zero. Never UNKNOWN."""
    expected = "an organisation that has set the rule's parameter"
    if value:
        return Answer(TRUE, (Evidence(("parameters",), value, expected, "requirement_met"),))
    return Answer(FALSE, (Evidence(("parameters",), ABSENT, expected, "missing"),))


def managed(subject: Subject, *, tags: Sequence[str]) -> Answer:
    """TRUE when the resource is in code, or has one of the tags that say so."""
    expected = "a resource of a stack, or one of the tags " + ", ".join(f"`{tag}`" for tag in tags)
    if subject.resource.file is not None:
        return Answer(TRUE, (Evidence((), subject.resource.file, expected, "requirement_met"),))
    found = subject.resource.tags
    if isinstance(found, Unresolved):
        return Answer(UNKNOWN, (Evidence(("tags",), found, expected, found.reason),))
    if found is None:
        observed = f"{subject.resource.type} cannot be tagged"
        return Answer(UNKNOWN, (Evidence(("tags",), observed, expected, "wrong_type"),))
    doubt: Unresolved | None = None
    for tag in tags:
        value = found.get(tag)
        if isinstance(value, Unresolved) and not value.present:
            doubt = value
        elif tag in found:
            return Answer(TRUE, (Evidence(("tags", tag), value, expected, "requirement_met"),))
    more = getattr(found, "more", doubt)
    if more is not None:
        return Answer(UNKNOWN, (Evidence(("tags",), more, expected, more.reason),))
    return Answer(FALSE, (Evidence(("tags",), ABSENT, expected, "tag_missing"),))


PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "parameter.given",
        given,
        "A parameter is set: it is not empty, not false and not zero.",
        {"value": Arg("json", help="the parameter, as `$name`")},
    ),
    Predicate(
        "code.managed",
        managed,
        "The resource is part of a stack or another code base.",
        {"tags": Arg("list:string", False, (_STACK,), "tags that only what is managed as code has")},
    ),
)
