"""Every declaration run on an answer that has every field of botocore's model: what comes of it fits the catalog.

A list where the catalog has one value, a word where it has true or false: a rule would read it wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from policyengine.catalog import registry
from policyengine.model.values import Unresolved
from policyengine.sources.live.given import result_shape
from policyengine.sources.live.spec import Collector, Step
from policyengine.sources.live.table import all_declared, collector_of
from policyengine.sources.live.templates import at_path
from policyengine.sources.shaping import fit, fit_value

botocore_session = pytest.importorskip("botocore.session")
from tests.live.test_declarations import CONTEXT, _model  # noqa: E402  # after importorskip

Json = dict[str, Any]
PLAIN = [c for _, c in sorted(all_declared().items()) if isinstance(c, Collector)]
ARN: Final = "arn:aws:service:us-east-1:123456789012:thing/name-of-forty-characters-or-more"
NUMBERS: Final = frozenset({"Priority", "ResponseCode"})
"""Texts that hold a number, which rules read as one."""
EITHER: Final = frozenset({("AWS::DynamoDB::Table", "KeySchema")})
"""Properties of which the registry allows two structures and the catalog keeps one."""


def full(shape: Any, seen: tuple[str, ...] = ()) -> Any:
    """An answer with every member of a shape, structures within themselves twice at most."""
    kind = shape.type_name
    if kind == "structure":
        if seen.count(shape.name) > 1:
            return {}
        members = {name: full(below, (*seen, shape.name)) for name, below in shape.members.items()}
        return {name: "1" if name in NUMBERS and each == ARN else each for name, each in members.items()}
    if kind == "list":
        return [full(shape.member, seen)]
    if kind == "map":
        return {"key": full(shape.value, seen)}
    plain = {"timestamp": datetime(2026, 1, 1, tzinfo=UTC), "boolean": True, "blob": b"x"}
    if kind in plain:
        return plain[kind]
    if kind in ("integer", "long", "float", "double"):
        return 1
    return (getattr(shape, "enum", None) or [ARN])[0]


def misfits(schema: Any, node: Any, value: Any, path: str) -> Iterator[str]:
    """Where a value has not the kind of its property."""
    node = schema.resolve(node)
    if value is None or isinstance(value, Unresolved) or node in ("j", {}):
        return
    if isinstance(node, list):
        if not isinstance(value, list):
            yield f"{path}: {type(value).__name__} for a list"
            return
        for each in value:
            yield from misfits(schema, node[0], each, path)
    elif isinstance(node, dict):
        if not isinstance(value, dict):
            yield f"{path}: {type(value).__name__} for an object"
            return
        for name, each in value.items():
            below = node.get(name, node.get("*"))
            if below is None:
                yield f"{path}.{name} is not in the catalog"
            else:
                yield from misfits(schema, below, each, f"{path}.{name}" if path else name)
    elif isinstance(value, dict | list):
        yield f"{path}: {type(value).__name__} for one value"
    elif (node == "b") != isinstance(value, bool):
        yield f"{path}: {value!r} for {'true or false' if node == 'b' else 'another value'}"
    elif node in ("i", "n") and not isinstance(value, int | float) and value != "1":
        yield f"{path}: {value!r} for a number"


def _answer(step: Step, collector: Collector) -> Any:
    shape = _model(step.service or collector.service).operation_model(step.operation).output_shape
    return {} if shape is None else full(shape)


def _item(collector: Collector) -> Json:
    item: Json = {}
    if collector.parent is not None:
        above = collector_of(collector.parent.type)
        item["parent"] = _item(above) if isinstance(above, Collector) else {"Identifier": ARN}
    for step in (collector.list, collector.describe):
        if step is None or not step.operation:
            continue
        shape = result_shape(step, step.service or collector.service, CONTEXT)
        found = full(shape) if shape is not None else {}
        if step.shape is not None and step is collector.describe and step.ask is None:
            found = step.shape(found, item)
        item.update(found if isinstance(found, dict) else {"value": found})
    return item


def _detail(collector: Collector, step: Step, item: Json, schema: Any) -> Iterator[str]:
    result = at_path(_answer(step, collector), step.result)
    if step.batch or (step.once and step.shape is None):
        result = result[0]
    if step.shape is not None:
        result = step.shape(result, item)
    if result is None:
        return
    node = schema.find(tuple(step.into.split("."))) if step.into else schema.find(())
    if step.into.startswith("related."):
        found = [
            fit(collector.type, r, step.rename, below=step.into)
            for r in (result if isinstance(result, list) else [result])
        ]
        yield from misfits(schema, node, found, step.into)
    elif step.into:
        yield from misfits(schema, node, fit_value(collector.type, step.into, result, step.rename), step.into)
    else:
        yield from misfits(schema, node, fit(collector.type, result, step.rename), "")


@pytest.mark.parametrize("collector", PLAIN, ids=[c.type for c in PLAIN])
def test_a_full_answer_fits_the_catalog(collector: Collector) -> None:
    schema = registry.schema(collector.type)
    assert schema is not None
    item = _item(collector)
    shaped = collector.shape(item) if collector.shape is not None else item
    renames = {
        **collector.list.rename,
        **(collector.describe.rename if collector.describe else {}),
        **collector.rename,
    }
    found = list(misfits(schema, schema.find(()), fit(collector.type, shaped, renames), ""))
    for step in collector.details:
        # code in place of the call answers in a structure of its own
        if step.operation and step.gives != ("tags",) and step.ask is None:
            found += [f"{step.operation}: {misfit}" for misfit in _detail(collector, step, item, schema)]
    wrong = [f for f in found if (collector.type, f.partition(":")[0]) not in EITHER]
    assert not wrong, wrong
