"""What a collector's calls can say at all: the canonical properties that AWS's answers have room for.

A property that no call gives is not known; one that a call could have given and did not is absent. Read
from botocore's service models, so that a new field of an API is seen with the next botocore.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from policyengine.catalog import registry
from policyengine.model.values import Unresolved
from policyengine.sources.live.spec import Collector, Step
from policyengine.sources.shaping import Renames, properties_by_case

if TYPE_CHECKING:
    from policyengine.sources.live.context import Context


def given_by_item(collector: Collector, context: Context) -> frozenset[str]:
    """Return the top-level properties that listing (and describing) one resource gives."""
    arn = frozenset(("Arn",)) if collector.arn else frozenset()
    return _given_by_item(collector, context) | frozenset(collector.gives) | arn


def given_by_step(collector: Collector, step: Step, context: Context) -> frozenset[str]:
    """Return what a detail gives: what it declares, else what its answer has room for."""
    if step.gives:
        return frozenset(step.gives)
    if step.into:
        return frozenset((step.into.split(".")[0],))
    shape = result_shape(step, step.service or collector.service, context)
    return frozenset(_names(shape, collector.type, step.rename))


class Unasked(NamedTuple):
    """A detail no rule needs: what it would give, what of that no call that is made gives, and what is said of it."""

    names: frozenset[str]
    missed: frozenset[str]
    value: Unresolved


class Details(NamedTuple):
    """The details of a collector that are asked for and those that are not; ``never``: what none of its calls gives."""

    asked: tuple[Step, ...]
    unasked: tuple[Unasked, ...]
    never: frozenset[str]


def sort_details(collector: Collector, context: Context) -> Details:
    """Tell the details that the rules in use need from the others."""
    given = set(given_by_item(collector, context))
    asked, others = [], []
    for step in collector.details:
        names = given_by_step(collector, step, context)
        if context.wants(collector.type, names, named=step.only_named):
            asked.append(step)
            given |= names
        else:
            others.append((step, names))
    unasked = []
    for step, names in others:
        call = f"{step.service or collector.service}:{step.operation}"
        value = Unresolved("not_collected", f"{call} was not asked for")
        unasked.append(Unasked(names, names - given, value))
        given |= names
    tags = registry.tag_property(collector.type)  # told as `tags`, in one form
    told = given | {"Tags", tags.name.split(".")[0] if tags is not None else "Tags"}
    return Details(tuple(asked), tuple(unasked), frozenset(registry.top_level(collector.type)) - told)


_GIVEN: dict[str, frozenset[str]] = {}


def _given_by_item(collector: Collector, context: Context) -> frozenset[str]:
    type = collector.type
    found = _GIVEN.get(type)
    if found is None:
        steps = [collector.list, *([collector.describe] if collector.describe else [])]
        names: set[str] = set()
        for step in steps:
            shape = result_shape(step, step.service or collector.service, context)
            names.update(_names(shape, type, {**collector.rename, **step.rename}))
            names.update(step.gives)
        found = _GIVEN[type] = frozenset(names)
    return found


def result_shape(step: Step, service: str, context: Context) -> Any:
    """Return botocore's shape of what a step's ``result`` path leads to; None where it leads nowhere."""
    if not step.operation:
        return None
    shape = context.account.output_shape(service, step.operation, context.region)
    for name in step.result.split(".") if step.result else ():
        while shape is not None and shape.type_name == "list":
            shape = shape.member
        if shape is not None and shape.type_name == "map":
            shape = shape.value
        else:
            shape = getattr(shape, "members", {}).get(name)
    while shape is not None and shape.type_name == "list":
        shape = shape.member
    return shape


def _names(shape: Any, type: str, renames: Renames) -> Iterator[str]:
    own = properties_by_case(type)
    for member in getattr(shape, "members", ()):
        target = renames.get(member)
        if target is None:
            name = own.get(member.casefold())
            if name is not None:
                yield name
        elif target:
            yield target.split(".")[0]
