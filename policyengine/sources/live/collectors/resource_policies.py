"""Resource policies that are resources of their own and that no operation lists.

Each resource that can have one is asked for its policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

from policyengine.aws.failures import CallFailure
from policyengine.model.resource import Resource
from policyengine.sources.live.context import Context
from policyengine.sources.live.offered import is_not_offered
from policyengine.sources.live.spec import CodeCollector
from policyengine.sources.live.templates import all_at
from policyengine.sources.shaping import fit

Json = dict[str, Any]


class Held(NamedTuple):
    """Resources that can have a policy.

    ``arns`` yields their ARNs and may raise CallFailure; ``listings`` are the operations it makes. ``operation``
    of ``service`` is told an ARN as ``resourceArn`` and answers with the document at ``result``; ``none`` are
    error codes that say that there is none. ``type``: one of the registry's that a region has where the service is
    offered. AWS's endpoint data name no regions for some services: an endpoint that is not there says that the
    service is not, where the registry says so too.
    """

    arns: Callable[[Context], Iterable[str]]
    listings: tuple[str, ...]
    service: str
    operation: str
    result: str
    none: tuple[str, ...] = ("ResourceNotFoundException",)
    type: str = ""


def listed(service: str, operation: str, result: str) -> Callable[..., Iterator[Any]]:
    """Return what yields the results of a listing, all its pages."""

    def pages(context: Context, **arguments: Any) -> Iterator[Any]:
        for page in context.pages(service, operation, arguments):
            yield from all_at(page, result)

    return pages


def resource_policies(type: str, service: str, document: str, held: tuple[Held, ...]) -> CodeCollector:
    """Return the collector of a type of policies; ``document`` is the property of the document."""
    operations = [o for h in held for o in (*h.listings, f"{h.service}:{h.operation}")]
    operations += ["cloudcontrol:ListResources"] if any(h.type for h in held) else []
    return CodeCollector(
        (type,), service, partial(_policies, type, document, held), tuple(dict.fromkeys(operations))
    )


def _policies(type: str, document: str, held: tuple[Held, ...], context: Context) -> Iterator[Resource]:
    for each in held:
        try:
            arns = list(dict.fromkeys(each.arns(context)))
        except CallFailure as failure:
            if not is_not_offered(failure, each.type, context):
                context.not_whole(type, failure)
            continue
        found = context.map(partial(_policy, type, document, each, context), arns)
        yield from (resource for resource in found if resource is not None)


def _policy(type: str, document: str, held: Held, context: Context, arn: str) -> Resource | None:
    try:
        answer = context.call(held.service, held.operation, {"resourceArn": arn})
    except CallFailure as failure:
        if not failure.is_one_of(held.none):
            context.not_whole(type, failure)  # whether there is one is not known
        return None
    policy = answer.get(held.result)
    if not policy:
        return None
    return Resource(
        type=type,
        id=arn,
        account=context.account.id,
        region=context.place,
        properties=fit(type, {"ResourceArn": arn, document: policy}),
        collected_at=context.now,
    )
