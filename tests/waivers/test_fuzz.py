"""Hostile files: a reader of waivers and of baselines tells a mistake, and nothing else happens."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.config.baseline import read_baseline
from policyengine.config.waivers_reader import KEYS, About, read_waivers
from policyengine.config.waivers_text import with_entry, with_key
from policyengine.model.errors import ConfigError
from tests.waivers.test_reader import RULES, text_of

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(("2026-01-01", "W-1", "s3-versioning")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=200)
@given(st.lists(st.dictionaries(st.sampled_from(KEYS), ANY, min_size=1), max_size=3))
def test_any_values_are_read_or_told(entries: list[dict[str, Any]]) -> None:
    with contextlib.suppress(ConfigError):
        read_waivers(json.dumps({"waivers": entries}).encode(), "w.yaml", About(RULES))


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_told(data: bytes) -> None:
    for text in (data, b"waivers:\n" + data, text_of({"id": "W-1"}) + data):
        for read in (
            lambda text: read_waivers(text, "w.yaml", About(RULES)),
            lambda text: with_entry(text, "w.yaml", {"id": "W-9"}),
            lambda text: with_key(text, "w.yaml", "W-1", "pin", {"a": {"b": "c"}}),
            lambda text: read_baseline(text, "b.json"),
        ):
            with contextlib.suppress(ConfigError):
                read(text)


@given(ANY)
def test_any_document_is_a_baseline_or_told(value: Any) -> None:
    with contextlib.suppress(ConfigError):
        read_baseline(
            json.dumps(
                {"schema": "policyengine/baseline/v1", "written": "2026-01-01T00:00:00Z", "findings": value}
            ).encode(),
            "b",
        )
