"""Merging declarative policies: the operators, and that what is not known never becomes an answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.iam.declarative import Gap, Setting, merged, not_guarded, not_opted_out, read_document
from policyengine.iam.opaque import Opaque

NONE = {"@@operators_allowed_for_child_policies": ["@@none"]}


def value(levels: list[list[Any]], *keys: str) -> Any:
    found = merged(levels).at(*keys)
    return found.value if isinstance(found, Setting) else found


def test_operators() -> None:
    one = {"a": {"@@assign": ["x"]}}
    assert value([[one], [{"a": {"@@append": ["y", "x"]}}]], "a") == ["x", "y"]
    assert value([[one], [{"a": {"@@append": "z"}}]], "a") == ["x", "z"]
    assert value([[one], [{"a": {"@@remove": ["x"]}}]], "a") == []
    assert value([[one], [{"a": {"@@assign": ["z"]}}]], "a") == ["z"]
    assert value([[{"a": {"@@append": ["x"]}}]], "a") == ["x"]
    assert value([[one]], "b") is None


def test_a_control_holds_for_levels_below_and_not_for_its_own() -> None:
    locked = {"a": {**NONE, "@@assign": "x"}}
    assert value([[locked], [{"a": {"@@assign": "y"}}]], "a") == "x"
    assert value([[locked], [{"a": {"b": {"@@assign": "y"}}}]], "a", "b") is None
    assert isinstance(value([[locked, {"a": {"@@assign": "y"}}]], "a"), Opaque)
    append = {"a": {"@@operators_allowed_for_child_policies": ["@@append"], "@@assign": ["x"]}}
    assert value([[append], [{"a": {"@@assign": ["y"], "@@append": ["z"]}}]], "a") == ["x", "z"]
    assert (
        value(
            [[locked], [{"a": {"@@operators_allowed_for_child_policies": ["@@all"], "@@assign": "y"}}]], "a"
        )
        == "x"
    )


def test_what_cannot_be_read_opens_what_is_not_locked() -> None:
    unknown = Opaque("denied")
    assert value([[{"a": {"@@assign": "x"}}], [unknown]], "a") is unknown
    assert value([[{"a": {**NONE, "@@assign": "x"}}], [unknown]], "a") == "x"
    assert value([[{"a": {**NONE, "@@assign": "x"}}, unknown]], "a") is unknown
    assert value([[unknown, {"a": {"@@assign": "x"}}]], "a") is unknown
    assert isinstance(value([[unknown], [{"a": {"@@assign": "x"}}]], "a"), Opaque)  # it may be locked above
    assert value([[unknown]], "a", "b") is unknown
    assert isinstance(value([[{"a": 5}]], "a", "b"), Opaque)
    control = {"a": {"@@operators_allowed_for_child_policies": unknown, "@@assign": "x"}}
    assert isinstance(value([[control], [{"a": {"@@assign": "y"}}]], "a"), Opaque)


def test_two_policies_of_one_level() -> None:
    assert value([[{"a": {"@@assign": "x"}}, {"a": {"@@assign": "x"}}]], "a") == "x"
    many = [[{"a": {"@@assign": "x"}}, {"a": {"@@assign": "y"}}, {"a": {"@@assign": "z"}}]]
    assert isinstance(value(many, "a"), Opaque)
    assert value([*many, [{"a": {"@@assign": "w"}}]], "a") == "w"


def test_reading() -> None:
    assert read_document('{"a": {}}') == {"a": {}}
    for content in ("{", "[]", 5, None, "x" * 200_000, "[" * 50_000):
        assert isinstance(read_document(content), Opaque)


KEYS = st.sampled_from(["services", "default", "lex", "opt_out_policy", "@@assign", "@@append", "a"])
FORMS = st.recursive(
    st.sampled_from(["optOut", "optIn", ["@@none"], 5]),
    lambda inner: st.dictionaries(KEYS, inner, max_size=4),
)


@given(st.lists(st.lists(st.one_of(FORMS, st.just(Opaque("denied"))), max_size=3), max_size=4))
def test_nothing_raises(levels: list[list[Any]]) -> None:
    policy = merged(levels)
    for locked in (False, True):
        assert all(isinstance(part, Gap | Opaque) for part in not_opted_out(policy, locked=locked))
    not_guarded(policy, "eu-west-1")


@given(st.lists(st.lists(FORMS, max_size=2), min_size=1, max_size=3), st.integers(0, 2))
def test_a_policy_more_that_is_not_known_never_settles_a_value(levels: list[list[Any]], at: int) -> None:
    """Where all is known to be opted out beside an unknown policy, it is so without that policy too."""
    place = min(at, len(levels) - 1)
    doubtful = [[*level, *([Opaque("denied")] if i == place else [])] for i, level in enumerate(levels)]
    if not list(not_opted_out(merged(doubtful), locked=False)):
        assert not list(not_opted_out(merged(levels), locked=False))


@pytest.mark.parametrize(
    "identifier",
    ["g", "arn:aws:bedrock:eu-west-1:1:guardrail/g", "arn:aws:bedrock:eu-west-1:1:guardrail/g:x"],
)
def test_what_names_no_version_guards_nothing(identifier: str) -> None:
    policy = {
        "bedrock": {"guardrail_inference": {"eu-west-1": {"c": {"identifier": {"@@assign": identifier}}}}}
    }
    assert isinstance(not_guarded(merged([[policy]]), "eu-west-1"), Gap)
