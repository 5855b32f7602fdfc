"""Which operations a plan may call: for the role a scan needs, without asking AWS anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policyengine.aws.models import output_shape
from policyengine.sources.live.given import given_by_step
from policyengine.sources.live.plan import Plan
from policyengine.sources.live.spec import AnyCollector, CodeCollector, Collector, RegistryCollector, Step
from policyengine.sources.live.table import collector_of
from policyengine.sources.live.wanted import wanted


def operations(plan: Plan) -> frozenset[str]:
    """Return every operation the plan's tasks may make, as ``client:Operation``; needs botocore's models."""
    return frozenset(name for collector in plan.collectors for name in _of(collector, plan))


def _of(collector: AnyCollector, plan: Plan) -> Iterator[str]:
    if isinstance(collector, CodeCollector):
        yield from collector.operations
        for part in collector.parts:
            yield from _of_declared(part, plan)
        return
    if isinstance(collector, RegistryCollector):
        yield from ("cloudcontrol:ListResources", "cloudcontrol:GetResource")
    else:
        yield from _of_declared(collector, plan)
    if collector.parent is not None:
        above = collector_of(collector.parent.type)
        if isinstance(above, Collector):
            yield from _named(above, above.list)


def _of_declared(collector: Collector, plan: Plan) -> Iterator[str]:
    for step in (collector.list, collector.describe):
        if step is not None:
            yield from _named(collector, step)
    for step in collector.details:
        names = given_by_step(collector, step, MODELS)
        if wanted(plan.needs, collector.type, names, named=step.only_named):
            yield from _named(collector, step)


def _named(collector: Collector, step: Step) -> Iterator[str]:
    if step.operation:
        yield f"{step.service or collector.service}:{step.operation}"
    yield from step.calls


class _Models:
    """Stands for a context where only botocore's models are asked."""

    region = "us-east-1"

    @property
    def account(self) -> _Models:
        return self

    def output_shape(self, service: str, operation: str, _region: str) -> Any:
        """Return the shape of an operation's answer."""
        return output_shape(service, operation)


MODELS: Any = _Models()
