"""Whatever stands in a plan, reading it ends with resources and errors, never with a crash."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.catalog import terraform as tables
from policyengine.model.errors import InputError
from policyengine.model.finding import plain
from policyengine.sources.terraform.addresses import module_path, steps
from policyengine.sources.terraform.hcl import parse as parse_hcl

from .plans import make_plan, source

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 70_000), st.text(max_size=6),
    st.sampled_from(["", "{", "{}", "[]", "tcp", "-1", "0.0.0.0/0", "egress", "ingress", "*/*", "ENABLED"]),
)  # fmt: skip
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "type", "id", "a", "rule"]), inner, max_size=3)
    ),
    max_leaves=6,
)
marks = st.recursive(
    st.booleans(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "type", "id", "rule", "policy"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


def attributes(terraform_type: str) -> list[str]:
    mapped = tables.mapping(terraform_type)
    fields = mapped.fields if mapped else tuple(f for m in tables.merges(terraform_type) for f in m.fields)
    extra = [
        "ingress",
        "egress",
        "type",
        "tags",
        "policy",
        "root_block_device",
        "container_definitions",
        "route",
    ]
    return sorted({f.source[0] for f in fields} | set(extra))


@st.composite
def described(draw: st.DrawFn) -> dict[str, Any]:
    found = {}
    for number in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(tables.terraform_types()))
        names = st.sampled_from(attributes(kind))
        found[f"{kind}.r{number}"] = {
            "after": draw(st.dictionaries(names, anything, max_size=5)),
            "unknown": draw(st.dictionaries(names, marks, max_size=3)),
            "sensitive": draw(st.dictionaries(names, marks, max_size=2)),
            "refs": draw(st.dictionaries(names, st.just([f"{kind}.r0.id", f"{kind}.r0"]), max_size=2)),
        }
    return found


@settings(max_examples=250, deadline=None)
@given(plan=described())
def test_wrong_types_everywhere_never_crash(tmp_path_factory: Any, plan: dict[str, Any]) -> None:
    opened = source(make_plan(plan), tmp_path_factory.mktemp("plan"))
    for resource in opened.resources():
        json.dumps(plain(resource.properties))
        json.dumps(plain(resource.tags))
        json.dumps(plain(resource.related))
        assert resource.locate(()) is not None
        for name in resource.properties:
            assert resource.locate((name, 0, "x")) is not None
    assert [str(e) for e in opened.errors] == []


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_plan_gives_errors_with_places_or_is_refused(
    tmp_path_factory: Any, data: st.DataObject
) -> None:
    plan: Any = make_plan(data.draw(described()))
    for _ in range(data.draw(st.integers(1, 3))):
        where: Any = plan
        while data.draw(st.booleans()):
            keys = list(where) if isinstance(where, dict) else list(range(len(where)))
            below = [k for k in keys if isinstance(where[k], dict | list) and where[k]]
            if not below:
                break
            where = where[data.draw(st.sampled_from(below))]
        keys = list(where) if isinstance(where, dict) else list(range(len(where)))
        if keys:
            where[data.draw(st.sampled_from(keys))] = data.draw(anything)
    try:
        opened = source(plan, tmp_path_factory.mktemp("plan"))
    except InputError as error:
        assert error.location is not None
        return
    for resource in opened.resources():
        plain(resource.properties)
    assert all(isinstance(e, InputError) and e.location is not None for e in opened.errors)


@given(st.text(alphabet='ab.[]"0\\m{}', max_size=30))
def test_addresses_of_any_shape_are_split(text: str) -> None:
    assert isinstance(steps(text), tuple)
    assert isinstance(module_path(text), tuple)


@given(st.text(alphabet='ab ={}[]"#/*<-EOF\n$%\\', max_size=80))
def test_any_text_is_scanned_for_blocks(text: str) -> None:
    assert isinstance(parse_hcl(text), list)
