"""How a type is collected: declarations, one small one per type (docs/collectors.md).

A collector lists the resources of one type in one account and region and may make further calls for each.
Which of those are made depends on what the rules in use read, so each says what it gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from policyengine.sources.shaping import NO_RENAMES, Renames

if TYPE_CHECKING:
    from policyengine.model.resource import Resource
    from policyengine.sources.live.context import Context

Json = dict[str, Any]
Arguments = Mapping[str, Any]
"""Argument -> value. Text in braces is a dotted path into the item: ``{VolumeId}`` alone is that value,
``arn:{partition}:s3:::{Name}`` a text; ``{account}``, ``{region}``, ``{partition}`` are always there."""


_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


class Step(NamedTuple):
    """One operation of a collector.

    ``operation`` is AWS's name (``DescribeVolumes``), of ``service`` where that is not the collector's.
    ``result`` is the dotted path of what is wanted in the answer, lists stepped through
    (``Reservations.Instances``); the whole answer without it.

    For details: ``gives`` are the canonical top-level properties it fills (``related.NAME`` for satellites,
    ``tags``); ``into`` the dotted canonical path the result is put at, "" for the properties themselves.
    ``none`` are error codes which say that there is nothing (``NoSuchBucketPolicy``), ``gone`` those which say
    that the resource has gone since it was listed; ``Code: text`` where only AWS's message tells. ``batch`` > 0:
    up to so many items in one call, whose identifying values are the list argument ``arguments`` names, and whose
    answers are told apart by ``key`` (the dotted path in an answer that equals the argument's value). ``shape``
    turns one result into what is fitted (given the item too; None for nothing; satellites at ``related.NAME``).
    ``paged``: all pages are read and their results joined.
    ``only_named``: so dear that a rule must name what it gives.
    ``once``: a template over the item; the operation is called once for the place, all its pages, and a resource
    has those of its results whose ``key`` equals the template: ``shape`` is given their list, which may be empty;
    without ``shape`` the first is taken, and a resource without any has nothing of what the step gives.
    ``ask`` is code in place of the one call: given context and item it returns the answer, or raises CallFailure;
    ``calls`` are the operations (``service:Operation``) it makes besides ``operation``.
    """

    operation: str
    result: str = ""
    arguments: Arguments = _NONE
    gives: tuple[str, ...] = ()
    into: str = ""
    none: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    batch: int = 0
    key: str = ""
    rename: Renames = NO_RENAMES
    shape: Callable[[Any, Json], Any] | None = None
    service: str = ""
    paged: bool = False
    only_named: bool = False
    once: str = ""
    ask: Callable[[Context, Json], Any] | None = None
    calls: tuple[str, ...] = ()


def asked(step: Step, service: str) -> tuple[str, ...]:
    """Return what tells one listing of a place from another: those that are equal are made once."""
    return (f"{step.service or service}:{step.operation}", step.result, repr(sorted(step.arguments.items())))


class Parent(NamedTuple):
    """The listing is made once for each resource of ``type``; ``arguments`` come from that one's item."""

    type: str
    arguments: Arguments


class Collector(NamedTuple):
    """One type, collected by the operations of its service.

    ``list`` is the call that finds the resources (all pages), ``describe`` a further call for each that is
    always made because the list says too little, ``details`` calls that are made only where a rule reads what
    they give. ``id`` and ``arn`` are templates over the item (see ``Arguments``). ``rename`` fits the
    item's names; names that differ only by case need none. ``tags`` is where tags stand in the item; "" where
    a detail gives them (``gives=("tags",)``) or the type has none. ``shape`` turns an item into what is fitted;
    a list it puts at ``related.NAME`` is of satellites. ``expand`` makes the items of one that was listed, for a
    listing whose results hold many.
    ``keep`` is given an item and ``account``, ``region``,
    ``partition``, and leaves out items that are not the account's own or not of this region. ``gives`` names what ``shape`` adds.
    ``unknown`` are dotted canonical paths that no API returns: their values are not known. ``parents`` may be
    given where the listing needs an argument per resource of another type; ``also`` are satellite types that
    come in ``related`` or a property: type -> the name (``related.policies``) that holds them. A ``list`` without
    operation is one item with ``account``, ``region`` and ``partition``: for what an account or region has one of.
    ``skips`` are error codes of the listing which say that the service is not in use here: there is nothing.
    """

    type: str
    service: str
    list: Step
    id: str
    arn: str = ""
    describe: Step | None = None
    details: tuple[Step, ...] = ()
    rename: Renames = NO_RENAMES
    tags: str = "Tags"
    shape: Callable[[Json], Json] | None = None
    expand: Callable[[Json], Iterable[Json]] | None = None
    keep: Callable[[Json, Mapping[str, str]], bool] | None = None
    gives: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    parent: Parent | None = None
    also: Mapping[str, str] = _NONE
    skips: tuple[str, ...] = ()
    home: Mapping[str, str] = _NONE

    @property
    def types(self) -> tuple[str, ...]:
        """The types this collector yields."""
        return (self.type,)


class RegistryCollector(NamedTuple):
    """One type, read through the Cloud Control API, whose answers have the canonical shape already.

    One call a resource: for types nobody has thousands of. ``id`` is a template over the properties and
    ``{Identifier}``; without it the first naming property the catalog declares, else the identifier.
    https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-operations-list.html
    """

    type: str
    id: str = ""
    arn: str = ""
    parent: Parent | None = None
    model: Mapping[str, Any] = _NONE
    also: Mapping[str, str] = _NONE
    skips: tuple[str, ...] = ()

    @property
    def service(self) -> str:
        """The service whose client is used."""
        return "cloudcontrol"

    @property
    def types(self) -> tuple[str, ...]:
        """The types this collector yields."""
        return (self.type,)


class CodeCollector(NamedTuple):
    """Types that no declaration describes: ``run`` yields resources, and raises CallFailure for a type.

    ``operations`` is every operation it may make (``service:Operation``), for the permissions page. ``place``
    is ``global`` (once an account), ``region`` (once an account and region) or ``organization`` (once).
    ``parts`` are declarations it makes its resources with (``Run.of``); their ``list`` says what an item looks
    like. ``also`` as for :class:`Collector`.
    """

    types: tuple[str, ...]
    service: str
    run: Callable[[Context], Iterator[Resource]]
    operations: tuple[str, ...]
    place: str = "region"
    home: Mapping[str, str] = _NONE
    parts: tuple[Collector, ...] = ()
    also: Mapping[str, str] = _NONE


AnyCollector = Collector | RegistryCollector | CodeCollector
