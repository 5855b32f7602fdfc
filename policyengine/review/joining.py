"""Which running resource is the one a template or plan declares.

In this order: the tags CloudFormation gives (stack and logical id), then the properties that name a resource. What
fits more than one is ambiguous, and said so; a guess would compare the wrong two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple

from policyengine.catalog import registry
from policyengine.model.resource import Coverage, Resource, is_covered
from policyengine.model.suppression import SUPPRESSION

STACK: Final = "aws:cloudformation:stack-name"
LOGICAL_ID: Final = "aws:cloudformation:logical-id"
"""Tags of resources a stack has made
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html)."""

Identity = tuple[str, str, str, str]
How = Literal["stack and logical id", "name"]


class Live(NamedTuple):
    """What joining needs of a running resource; thousands are held."""

    identity: Identity
    type: str
    names: frozenset[str]
    stack: str | None
    logical_id: str | None
    collected_at: str | None


class Joined(NamedTuple):
    """A declared resource and the one that runs."""

    declared: Identity
    live: Identity
    how: How


class Lost(NamedTuple):
    """A declared resource without a running one: ``missing`` (its type was collected whole there),
    ``not_collected``, or ``ambiguous`` (several fit; ``candidates``)."""

    declared: Identity
    why: Literal["missing", "not_collected", "ambiguous"]
    candidates: tuple[Identity, ...] = ()


class Join(NamedTuple):
    """``strangers`` are running resources that belong to no stack and that nothing declares."""

    joined: tuple[Joined, ...]
    lost: tuple[Lost, ...]
    strangers: tuple[Identity, ...]


def live_of(resource: Resource) -> Live:
    """Return what joining needs of a running resource."""
    tags = resource.tags if isinstance(resource.tags, dict) else {}
    stack, logical = tags.get(STACK), tags.get(LOGICAL_ID)
    return Live(
        resource.identity,
        resource.type,
        frozenset(_names(resource)) | {resource.id},
        stack if isinstance(stack, str) else None,
        logical if isinstance(logical, str) else None,
        resource.collected_at,
    )


def join(
    declared: Iterable[Resource], running: Iterable[Live], coverage: Coverage, *, stack: str | None = None
) -> Join:
    """Join declared resources with running ones; ``stack`` is the name the template is deployed under.

    A declared resource bound to an account or region is only joined there.
    """
    lives = list(running)
    index = _Index(lives)
    joined: list[Joined] = []
    lost: list[Lost] = []
    taken: set[Identity] = set()
    for resource in declared:
        if resource.type == SUPPRESSION:
            continue  # a comment runs nowhere
        found, how = index.find(resource, stack)
        here = [live for live in found if _fits(resource, live)]
        if len(here) == 1:
            joined.append(Joined(resource.identity, here[0].identity, how))
            taken.add(here[0].identity)
        elif here:
            lost.append(Lost(resource.identity, "ambiguous", tuple(live.identity for live in here)))
            taken.update(live.identity for live in here)
        else:
            lost.append(
                Lost(resource.identity, "missing" if _covered(resource, coverage) else "not_collected")
            )
    strangers = tuple(live.identity for live in lives if live.stack is None and live.identity not in taken)
    return Join(tuple(joined), tuple(lost), strangers)


class _Index:
    def __init__(self, lives: Iterable[Live]) -> None:
        self._by_logical: defaultdict[tuple[str, str], list[Live]] = defaultdict(list)
        self._by_name: defaultdict[tuple[str, str], list[Live]] = defaultdict(list)
        for live in lives:
            if live.logical_id is not None:
                self._by_logical[live.type, live.logical_id].append(live)
            for name in live.names:
                self._by_name[live.type, name].append(live)

    def find(self, resource: Resource, stack: str | None) -> tuple[list[Live], How]:
        """Names decide where the stack is not known and the logical id stands in several."""
        tagged = [
            live
            for live in self._by_logical.get((resource.type, resource.id), ())
            if stack in (None, live.stack)
        ]
        named = [live for name in _names(resource) for live in self._by_name.get((resource.type, name), ())]
        distinct = list({live.identity: live for live in named}.values())
        if len(tagged) == 1 or (tagged and not distinct):
            return tagged, "stack and logical id"
        return distinct, "name"


def _names(resource: Resource) -> Iterator[str]:
    values = (resource.properties.get(name) for name in registry.names(resource.type))
    yield from (value for value in values if isinstance(value, str) and value)


def _fits(resource: Resource, live: Live) -> bool:
    account, region, _, _ = live.identity
    return (resource.account in (None, account)) and (resource.region in (None, region) or region == "global")


def _covered(resource: Resource, coverage: Coverage) -> bool:
    """Whether the type was collected whole wherever the resource may be."""
    places = {(account, region) for account, region, _ in coverage}
    spec = registry.spec(resource.type)
    is_global = spec is not None and spec.is_global
    mine = [
        (account, region)
        for account, region in places
        if resource.account in (None, account)
        and (region == "global" if is_global else region != "global" and resource.region in (None, region))
    ]
    return bool(mine) and all(is_covered(coverage, *place, resource.type) for place in mine)
