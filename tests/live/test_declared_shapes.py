"""Every declaration held against botocore's models once more: codes, last pages, structures that do not meet.

A field of an API that has the name of a canonical property but another structure would arrive as wrong data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from policyengine.aws.account import TOKENS
from policyengine.catalog import registry
from policyengine.sources.live.given import result_shape
from policyengine.sources.live.spec import Collector, Step
from policyengine.sources.live.table import all_declared

botocore_session = pytest.importorskip("botocore.session")
from tests.live.test_declarations import CONTEXT, _model  # noqa: E402  # after importorskip

PLAIN = [c for _, c in sorted(all_declared().items()) if isinstance(c, Collector)]
IDS = [c.type for c in PLAIN]
NO_MODEL = frozenset({"s3", "s3control", "ec2", "iam", "autoscaling", "sts"})
"""Services whose models name few of the errors that their documentation does."""
GOES_ON = frozenset({"nexttoken", "marker", "nextmarker", "continuationtoken", "nextpagetoken", "nextcursor"})


def _steps(collector: Collector) -> list[Step]:
    found = [collector.list, *([collector.describe] if collector.describe else []), *collector.details]
    return [step for step in found if step.operation]


@pytest.mark.parametrize("collector", PLAIN, ids=IDS)
def test_error_codes_are_those_of_the_operation(collector: Collector) -> None:
    for step in _steps(collector):
        service = step.service or collector.service
        shapes = _model(service).operation_model(step.operation).error_shapes
        codes = {(e.metadata.get("error") or {}).get("code") or e.name for e in shapes}
        if service in NO_MODEL or not codes:
            continue
        skips = collector.skips if step is collector.list else ()
        for said in (step.none, step.gone, skips):  # an older spelling may stand beside the model's
            told = {code.partition(": ")[0] for code in said}
            assert not told or told & codes, f"{step.operation} has {sorted(codes)}, not {sorted(told)}"


@cache
def _paginators(service: str) -> frozenset[str]:
    from botocore.exceptions import UnknownServiceError

    try:
        return frozenset(botocore_session.Session().get_paginator_model(service)._paginator_config)
    except (UnknownServiceError, ValueError):
        return frozenset()


@pytest.mark.parametrize("collector", PLAIN, ids=IDS)
def test_listings_go_to_the_last_page(collector: Collector) -> None:
    read_whole = [s for s in _steps(collector) if s is collector.list or s.paged or s.once]
    for step in read_whole:
        service = step.service or collector.service
        operation = _model(service).operation_model(step.operation)
        if step.operation in _paginators(service) or operation.output_shape is None:
            continue
        takes = set(operation.input_shape.members) if operation.input_shape is not None else set()
        tokens = {name for name in operation.output_shape.members if name.casefold() in GOES_ON}
        assert tokens <= set(TOKENS) & takes, f"{service}:{step.operation} has more pages: {sorted(tokens)}"


@pytest.mark.parametrize("collector", PLAIN, ids=IDS)
def test_details_that_have_pages_are_read_whole(collector: Collector) -> None:
    """A detail without ``paged`` takes what the first page has."""
    for step in collector.details:
        service = step.service or collector.service
        if step.paged or step.once or step.ask is not None or not step.operation:
            continue
        shape = _model(service).operation_model(step.operation).output_shape
        tokens = {n for n in (shape.members if shape is not None else ()) if n.casefold() in GOES_ON}
        top = step.result.split(".")[0]
        lists = top in getattr(shape, "members", {}) and shape.members[top].type_name in ("list", "map")
        assert not (tokens and lists), f"{service}:{step.operation} has more pages: say `paged`"


KINDS = {"structure": "object", "list": "list", "map": "object"}


def _kind(node: Any) -> str:
    if isinstance(node, list):
        return "list"
    return "object" if isinstance(node, dict) else "scalar"


def _clashes(
    schema: Any, node: Any, shape: Any, renames: Mapping[str, str], path: str, depth: int
) -> Iterator[str]:
    """Paths where API and canonical shape share a name and have different structures."""
    node = schema.resolve(node)
    if node == "j" or depth > 12:
        return
    ours, theirs = _kind(node), KINDS.get(shape.type_name, "scalar")
    if theirs == "scalar" and not path:
        return  # a listing of names
    if ours != theirs and not (ours == "object" and not node):
        pairs = ours == "object" and "*" in node and theirs == "list"
        listed = ours == "list" and shape.type_name == "structure" and "Items" in shape.members
        one = ours == "list" and theirs != "list"  # a value becomes the one element
        if not (pairs or listed or one):
            yield f"{path}: {theirs} of the API, {ours} of the catalog"
        return
    if ours == "list":
        yield from _clashes(schema, node[0], shape.member, renames, path, depth + 1)
    elif ours == "object" and shape.type_name == "structure" and "*" not in node:
        names = {name.casefold(): name for name in node}
        for member, below in shape.members.items():
            at = f"{path}.{member}" if path else member
            target = renames.get(at)
            own = member if member in node else names.get(member.casefold())
            if target is None and own is not None:
                yield from _clashes(schema, node[own], below, renames, at, depth + 1)


@pytest.mark.parametrize("collector", PLAIN, ids=IDS)
def test_what_has_the_same_name_has_the_same_structure(collector: Collector) -> None:
    """Where ``shape`` does not build it: an API's list of objects is no list of names."""
    schema = registry.schema(collector.type)
    assert schema is not None
    found: list[str] = []
    for step in _steps(collector):
        item = step is collector.list or step is collector.describe
        if step.shape is not None or (item and collector.shape is not None) or step.gives == ("tags",):
            continue
        shape = result_shape(step, step.service or collector.service, CONTEXT)
        node = schema.find(tuple(step.into.split("."))) if step.into else schema.find(())
        while isinstance(node, list) and step.into:
            node = schema.resolve(node[0])
        renames = {**collector.rename, **step.rename}
        if shape is not None and not (
            step.into and _kind(schema.resolve(node)) == "object" and "*" in schema.resolve(node)
        ):
            found += [f"{step.operation}: {c}" for c in _clashes(schema, node, shape, renames, "", 0)]
    assert not found, found
