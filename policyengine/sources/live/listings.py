"""The listings that collectors begin with; what several ask for alike is asked once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from policyengine.aws.failures import CallFailure
from policyengine.sources.live.context import Context
from policyengine.sources.live.offered import is_not_offered
from policyengine.sources.live.one import PAGING, One, one_of
from policyengine.sources.live.spec import Collector, Step, asked
from policyengine.sources.live.templates import all_at, fill

Json = dict[str, Any]


def listing(collector: Collector, context: Context) -> Iterable[Json]:
    """Return the items of a collector's listing, which several types may begin with. Raises CallFailure.

    Where one resource is asked about whose id is known, those that AWS gives for this id.
    """
    only = context.only
    one = one_of(collector) if only is not None and only.found and only.type == collector.type else None
    if one is not None and only is not None and only.narrow:
        return _by_id(collector, one, str(only.found), context)
    return context.shared.listing((collector.type,), lambda: _list(collector, context))


def listed(collector: Collector, context: Context) -> Iterator[Json]:
    """Yield the items of a collector's listing; a failure ends it and is told to the context."""
    try:
        yield from listing(collector, context)
    except CallFailure as failure:
        if not failure.is_one_of(collector.skips) and not is_not_offered(failure, collector.type, context):
            context.not_whole(collector.type, failure)


def _by_id(collector: Collector, one: One, id: str, context: Context) -> list[Json]:
    step = collector.list
    own = {name: value for name, value in step.arguments.items() if name not in PAGING}
    arguments = fill({**own, **one.arguments}, {"id": id}, context.names)
    try:
        return list(results(step, step.service or collector.service, context, arguments, alike=False))
    except CallFailure as failure:
        if failure.is_one_of(one.none):
            return []
        raise


def _list(collector: Collector, context: Context) -> Iterator[Json]:
    for item in _found(collector, context):
        if collector.expand is None:
            yield item
        else:
            yield from collector.expand(item)


def _found(collector: Collector, context: Context) -> Iterator[Json]:
    if collector.parent is None:
        yield from _pages(collector, context, {})
        return
    from policyengine.sources.live.table import collector_of

    above = collector_of(collector.parent.type)
    assert isinstance(above, Collector), f"{collector.parent.type} has no declared collector"
    # the parent's own failure is this type's too: what it did not list has no children we know of
    for parent in listing(above, context):
        if above.keep is not None and not above.keep(parent, context.names):
            continue
        given = fill(collector.parent.arguments, parent, context.names)
        try:
            for item in _pages(collector, context, given):
                yield {**item, "parent": parent}
        except CallFailure as failure:
            if not failure.is_one_of(collector.list.gone):
                raise


def _pages(collector: Collector, context: Context, more: Json) -> Iterator[Json]:
    step = collector.list
    service = step.service or collector.service
    arguments = {**fill(step.arguments, {}, context.names), **more}
    if not step.operation:
        yield dict(context.names)
        return
    for item in results(step, service, context, arguments, alike=not more):
        yield item if isinstance(item, dict) else {"value": item}


def results(
    step: Step, service: str, context: Context, arguments: Json, *, alike: bool = True
) -> Iterable[Any]:
    """Return what stands at the result of all pages. Raises CallFailure.

    Asked once where several collectors ask ``alike``, without arguments that are the parent's.
    """

    def ask() -> Iterator[Any]:
        for page in context.pages(service, step.operation, arguments):
            yield from all_at(page, step.result)

    return context.shared.listing(asked(step, service), ask) if alike else ask()
