"""One task done: a collector run in its place, its resources as lines, and what is whole afterwards."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from policyengine.aws.failures import CallFailure
from policyengine.catalog import registry
from policyengine.model.resource import Resource
from policyengine.sources.live.context import Context
from policyengine.sources.live.declared import Run
from policyengine.sources.live.registered import RegistryRun
from policyengine.sources.live.spec import AnyCollector, CodeCollector, Collector
from policyengine.sources.snapshot.canonical import to_lines


@dataclass(slots=True)
class Outcome:
    """What a task came to. ``whole`` are the types of which every resource here was listed; ``not_offered`` is the
    service that AWS does not offer here, so that there is none."""

    resources: int = 0
    whole: tuple[str, ...] = ()
    incomplete: dict[str, CallFailure] = field(default_factory=dict)
    failures: list[CallFailure] = field(default_factory=list)
    not_offered: str = ""


def do(
    collector: AnyCollector,
    context: Context,
    write: Callable[[bytes], Any],
    *,
    redact: Callable[[Resource], Resource] | None = None,
) -> Outcome:
    """Run a collector and hand each canonical line to ``write``; failures are in the outcome.

    ``redact`` takes out what no snapshot may hold.

    A mistake in a collector is a failure of its types, not of the run; a resource that cannot be written keeps
    none of the others from being so.
    """
    outcome = Outcome()
    try:
        if not context.account.offers(collector.service, context.region):
            return Outcome(whole=tuple(_whole(collector, context)), not_offered=collector.service)
        for resource in _resources(collector, context):
            try:
                lines = list(to_lines(resource if redact is None else redact(resource)))
            except Exception as problem:  # noqa: BLE001  # whoever can make one odd resource must not blind us to all
                _lost(collector, context, problem)
                continue
            for line in lines:
                write(line)
            outcome.resources += 1
    except CallFailure as failure:
        for type in collector.types:
            context.not_whole(type, failure)
    except OSError:
        raise  # the disk, not AWS
    except Exception as problem:  # noqa: BLE001  # whatever it is, only these types are lost
        _lost(collector, context, problem)
    outcome.failures = context.failures
    outcome.incomplete = context.incomplete
    outcome.whole = tuple(_whole(collector, context))
    return outcome


def _lost(collector: AnyCollector, context: Context, problem: Exception) -> None:
    """No type of the collector is whole. The words of the exception are left out: they may quote a secret."""
    frames = traceback.extract_tb(problem.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    mistake = CallFailure(
        f"{collector.service}:*", "read_error", "InternalError",
        f"{problem.__class__.__name__}{place} in the collector of {collector.types[0]}",
        context.account.id, context.region,
    )  # fmt: skip
    for type in collector.types:
        context.not_whole(type, mistake)


def _resources(collector: AnyCollector, context: Context) -> Iterator[Resource]:
    if isinstance(collector, CodeCollector):
        return collector.run(context)
    if isinstance(collector, Collector):
        return Run(collector, context).resources()
    return RegistryRun(collector, context).resources()


def _whole(collector: AnyCollector, context: Context) -> Iterator[str]:
    """Satellites are whole where the resources that hold them are, and no call that gives them failed."""
    for type in collector.types:
        if type not in context.incomplete and _asked(collector, type, context):
            yield type
    for satellite, name in collector.also.items():
        parents = [type for type in collector.types if _holds(type, satellite)]
        if all(
            _asked(collector, type, context)
            and type not in context.incomplete
            and (type, name) not in context.not_known
            for type in parents
        ):
            yield satellite


def _asked(collector: AnyCollector, type: str, context: Context) -> bool:
    """Code leaves out the types that nobody needs."""
    return not isinstance(collector, CodeCollector) or type in context.needs


def _holds(type: str, satellite: str) -> bool:
    return any(parent == type for parent, _ in registry.satellites().get(satellite, ()))
