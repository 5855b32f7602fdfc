"""Every declaration held against botocore's models, the catalog and the rules that read the type.

A misspelt operation, argument, result path or property would otherwise show only as data that is missing.
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from policyengine.catalog import registry
from policyengine.engine.needs import ANY, needs_of
from policyengine.rules.packs import load_packs
from policyengine.sources.live.given import given_by_item, given_by_step, result_shape
from policyengine.sources.live.spec import CodeCollector, Collector, RegistryCollector, Step
from policyengine.sources.live.table import all_declared, collector_of
from policyengine.sources.live.templates import names_in

botocore_session = pytest.importorskip("botocore.session")
DECLARED = sorted(all_declared().items())
PLAIN = [c for _, c in DECLARED if isinstance(c, Collector)]
PLAIN += {p.type: p for _, c in DECLARED if isinstance(c, CodeCollector) for p in c.parts}.values()


@cache
def _session() -> Any:
    return botocore_session.Session()


@cache
def _model(service: str) -> Any:
    return _session().get_service_model(service)


def _shape(service: str, operation: str, _region: str) -> Any:
    return _model(service).operation_model(operation).output_shape


CONTEXT: Any = SimpleNamespace(account=SimpleNamespace(output_shape=_shape), region="us-east-1")


@cache
def _needs() -> dict[str, frozenset[str]]:
    return needs_of(load_packs().rules)


def _steps(collector: Collector) -> list[Step]:
    found = [collector.list, *([collector.describe] if collector.describe else []), *collector.details]
    return [step for step in found if step.operation]


def _ids(collectors: list[Any]) -> list[str]:
    return [collector.types[0] for collector in collectors]


@pytest.mark.parametrize("collector", [c for _, c in DECLARED], ids=[t for t, _ in DECLARED])
def test_types_are_in_the_catalog(collector: Any) -> None:
    for type in collector.types:
        assert registry.spec(type) is not None, f"the catalog has no `{type}`"
    if isinstance(collector, RegistryCollector):
        handlers = registry.handlers(collector.type)
        assert handlers.list is not None and handlers.read is not None, (
            "Cloud Control cannot list and read it"
        )
        given = set(collector.model) | set(collector.parent.arguments if collector.parent else ())
        assert set(handlers.needs) <= given, f"a listing must be told {handlers.needs}"
    for satellite in getattr(collector, "also", {}):
        assert satellite in {s.type for t in collector.types for s in registry.spec(t).satellites}  # type: ignore[union-attr]  # asserted above


@pytest.mark.parametrize("collector", PLAIN, ids=_ids(PLAIN))
def test_operations_take_the_arguments(collector: Collector) -> None:
    for step in _steps(collector):
        operation = _model(step.service or collector.service).operation_model(step.operation)
        inputs = operation.input_shape
        members = inputs.members if inputs is not None else {}
        given = set(step.arguments)
        if step is collector.list and collector.parent is not None:
            given |= set(collector.parent.arguments)
        assert given <= set(members), (
            f"{step.operation} takes {sorted(members)}, not {sorted(given - set(members))}"
        )
        required = set(inputs.required_members) if inputs is not None else set()
        assert required <= given or step.ask is not None, f"{step.operation} needs {sorted(required - given)}"
        if step.batch:
            first = next(iter(step.arguments))
            assert members[first].type_name == "list", f"{step.operation}.{first} takes one value, not many"
        if step.batch or step.once:
            assert step.key, f"{step.operation} answers for many: `key` tells them apart"


@pytest.mark.parametrize("collector", PLAIN, ids=_ids(PLAIN))
def test_results_stand_where_they_are_looked_for(collector: Collector) -> None:
    for step in _steps(collector):
        shape = result_shape(step, step.service or collector.service, CONTEXT)
        assert shape is not None, f"{step.operation} has no `{step.result}` in its answer"
        for name in step.rename:
            at = shape
            for piece in name.split("."):
                while at.type_name == "list":
                    at = at.member
                assert piece in at.members or step.shape is not None, (
                    f"{step.operation}: `{name}` is not in the answer"
                )
                if piece not in at.members:
                    break
                at = at.members[piece]


def _item_members(collector: Collector) -> set[str]:
    found: set[str] = set()
    for step in _steps(collector)[: 2 if collector.describe else 1]:
        shape = result_shape(step, step.service or collector.service, CONTEXT)
        found |= set(getattr(shape, "members", {"value": None}))
    return found


@pytest.mark.parametrize("collector", PLAIN, ids=_ids(PLAIN))
def test_templates_name_what_an_item_has(collector: Collector) -> None:
    if not collector.list.operation or collector.expand is not None:  # code names the items' fields
        return
    members = _item_members(collector) | {"value", "parent"}
    later = {argument: name for step in collector.details for argument, name in step.arguments.items()}
    named = [*names_in(later), *names_in(collector.id), *names_in(collector.arn)]
    if collector.tags:
        named.append(collector.tags)
    own = set(collector.gives)
    for name in named:
        assert name.split(".")[0] in members | own, f"an item has no `{name}`: {sorted(members)}"


@pytest.mark.parametrize("collector", PLAIN, ids=_ids(PLAIN))
def test_a_detail_does_not_name_the_resource_again(collector: Collector) -> None:
    """A call that fails leaves what it gives unknown: never the name that the listing has told."""
    names = set(registry.names(collector.type)) & given_by_item(collector, CONTEXT)
    for step in collector.details:
        again = names & given_by_step(collector, step, CONTEXT)
        assert not again, f"{step.operation}: rename {sorted(again)} to nothing"


@pytest.mark.parametrize("collector", PLAIN, ids=_ids(PLAIN))
def test_what_is_given_is_in_the_catalog(collector: Collector) -> None:
    schema = registry.schema(collector.type)
    assert schema is not None
    names = set(collector.gives)
    for step in collector.details:
        names |= given_by_step(collector, step, CONTEXT)
        if step.into:
            assert schema.find(tuple(step.into.split("."))) is not None, f"no property `{step.into}`"
    for name in names - {"tags"}:
        assert schema.find(tuple(name.split("."))) is not None, f"`{collector.type}` has no `{name}`"
    for path in collector.unknown:
        assert schema.find(tuple(path.split("."))) is not None, f"`{collector.type}` has no `{path}`"


@pytest.mark.parametrize("collector", PLAIN, ids=_ids(PLAIN))
def test_what_rules_read_is_given_or_said_to_be_unknown(collector: Collector) -> None:
    """A path that a bundled rule reads must come from some call; ``unknown`` says that none gives it."""
    given = set(given_by_item(collector, CONTEXT)) | {"tags", "Tags"}
    for step in collector.details:
        given |= given_by_step(collector, step, CONTEXT)
    excused = {path.split(".")[0] for path in collector.unknown} | set(collector.also.values())
    missing = []
    for path in _needs().get(collector.type, frozenset()) - {ANY}:
        steps = path.split(".")
        top = ".".join(steps[:2]) if steps[0] == "related" else steps[0]
        derived = top not in registry.top_level(collector.type) and not top.startswith("related.")
        if top not in given | excused and not derived:
            missing.append(path)
    assert not missing, f"no call gives {sorted(missing)}"


def test_every_type_that_rules_read_has_a_collector() -> None:
    """Types that nothing can collect are named here with the reason; the list only ever gets shorter."""
    from policyengine.sources.live.plan import make_plan

    plan = make_plan(_needs())
    assert set(plan.impossible) <= NOT_COLLECTED.keys(), sorted(set(plan.impossible) - NOT_COLLECTED.keys())
    assert NOT_COLLECTED.keys() <= set(plan.impossible), sorted(NOT_COLLECTED.keys() - set(plan.impossible))
    for collector in plan.collectors:
        assert isinstance(collector, Collector | RegistryCollector | CodeCollector)
        assert collector_of(collector.types[0]) is collector


NOT_COLLECTED: dict[str, str] = {
    "AWS::MediaStore::Container": (
        "AWS ended the service on 2025-11-13, and nobody reaches its resources since: "
        "https://docs.aws.amazon.com/mediastore/latest/ug/what-is-regions.html"
    ),
}
