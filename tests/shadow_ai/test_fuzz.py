"""No bytes end a run: whatever a file holds, each reader counts or complains, and the document stays what its schema says."""

from __future__ import annotations

import io
import json
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.shadow_ai.calls import Calls
from policyengine.shadow_ai.document import Given, document
from policyengine.shadow_ai.flows import Flows
from tests.shadow_ai.helpers import lines, record, tally_of
from tests.shadow_ai.test_calls import event
from tests.shadow_ai.test_document import SCHEMA
from tests.shadow_ai.test_flows import HEADER, OUT

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
VALID = jsonschema.Draft202012Validator(SCHEMA)


def changed(base: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A record of which some fields are anything."""
    return st.dictionaries(st.sampled_from(sorted(base)), JSON, max_size=3).map(lambda d: {**base, **d})


def bent(data: bytes) -> st.SearchStrategy[bytes]:
    """A file with a piece of it replaced."""
    size = len(data)
    return st.tuples(st.integers(0, size), st.integers(0, 20), st.binary(max_size=20)).map(
        lambda cut: data[: cut[0]] + cut[2] + data[cut[0] + cut[1] :]
    )


def check(queries: bytes, flow: bytes, trail: bytes) -> None:
    tally = tally_of(queries, want_answers=True)
    assert tally.answers is not None
    flows, calls = Flows(tally.answers, tally.window), Calls()
    flows.read(io.BytesIO(flow), "flow")
    calls.read(io.BytesIO(trail), "trail")
    found = document(tally, Given([], flows, calls))
    VALID.validate(json.loads(json.dumps(found, ensure_ascii=False).encode()))
    for part in (tally, flows, calls):
        part.close()


@settings(max_examples=150)
@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes(queries: bytes, flow: bytes, trail: bytes) -> None:
    check(queries, flow, trail)


@settings(max_examples=150)
@given(
    bent(lines([record(), record()])),
    bent(f"{HEADER}\n{OUT}\n{OUT}\n".encode()),
    bent(json.dumps({"Records": [event()]}).encode()),
)
def test_bent_files(queries: bytes, flow: bytes, trail: bytes) -> None:
    check(queries, flow, trail)


@settings(max_examples=150)
@given(st.lists(changed(record()), max_size=3), st.lists(changed(event()), max_size=3))
def test_fields_that_are_anything(queries: list[Any], trail: list[Any]) -> None:
    check(lines(queries), b"", json.dumps({"Records": trail}).encode())
