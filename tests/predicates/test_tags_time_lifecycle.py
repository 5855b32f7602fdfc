"""Conformance data of the tags, time and lifecycle predicates, and the laws behind them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.model.values import OpenDict, Unresolved
from policyengine.rules.predicates import lifecycle, time
from policyengine.rules.predicates.api import Predicate
from policyengine.rules.predicates.tags import table as tags
from policyengine.rules.predicates.tags.names import (
    is_aws_key,
    matches_wildcard,
    normal_key,
    one_edit,
    variant_of,
)

from .conformance import cases, check, subject

PREDICATES: dict[str, Predicate] = {
    p.name: p for module in (tags, time, lifecycle) for p in module.PREDICATES
}
CASES = [(name, case) for name in PREDICATES for case in cases(name)]
ROOT = Path(__file__).resolve().parents[2]
keys = st.text("abcABC -_:./", min_size=1, max_size=12)


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{n}: {c['case']}" for n, c in CASES])
def test_conformance(name: str, case: dict[str, Any]) -> None:
    check(PREDICATES[name], case)


@pytest.mark.parametrize("name", PREDICATES)
def test_every_predicate_is_documented_and_shown_in_all_three_truths(name: str) -> None:
    page = (ROOT / "docs" / "predicates" / f"{name.partition('.')[0]}.md").read_text(encoding="utf-8")
    assert f"## `{name}`" in page
    assert PREDICATES[name].summary in page
    assert all(f"`{argument}`" in page for argument in PREDICATES[name].args)
    assert {case["expect"] for n, case in CASES if n == name} == {"TRUE", "FALSE", "UNKNOWN"}


@given(keys)
def test_normalising_twice_changes_nothing(key: str) -> None:
    assert normal_key(normal_key(key)) == normal_key(key)


@given(keys, st.sampled_from("-_ :./"), st.integers(0, 12))
def test_case_and_separators_make_no_difference(key: str, separator: str, position: int) -> None:
    changed = (key[:position] + separator + key[position:]).swapcase()
    assert normal_key(changed) == normal_key(key)


@given(st.text("abcd", max_size=6), st.text("abcd", max_size=6))
def test_one_edit_is_symmetric_and_what_the_definition_says(one: str, other: str) -> None:
    letters = "abcd"
    splits = [(one[:i], one[i:]) for i in range(len(one) + 1)]
    edits = {a + b[1:] for a, b in splits if b}
    edits |= {a + c + b for a, b in splits for c in letters}
    edits |= {a + c + b[1:] for a, b in splits if b for c in letters}
    edits |= {a + b[1] + b[0] + b[2:] for a, b in splits if len(b) > 1}
    assert one_edit(one, other) is (other in edits - {one})
    assert one_edit(one, other) is one_edit(other, one)


@given(keys, st.lists(keys, max_size=5))
def test_a_variant_is_one_of_the_other_keys(wanted: str, others: list[str]) -> None:
    found = variant_of(wanted, others)
    assert found is None or (found in others and found != wanted and not is_aws_key(found))
    assert found == variant_of(wanted, reversed(others))


@given(st.text("ab*", max_size=6), st.text("ab", max_size=8))
def test_a_wildcard_matches_as_trying_every_split_does(pattern: str, value: str) -> None:
    def slow(p: str, v: str) -> bool:
        if not p:
            return not v
        if p[0] == "*":
            return any(slow(p[1:], v[i:]) for i in range(len(v) + 1))
        return bool(v) and v[0] == p[0] and slow(p[1:], v[1:])

    assert matches_wildcard(pattern, value) is slow(pattern, value)


@given(st.dictionaries(keys, st.text(max_size=4), max_size=4), st.lists(keys, max_size=3))
def test_more_tags_than_seen_only_ever_weaken_an_answer_to_unknown(
    seen: dict[str, str], wanted: list[str]
) -> None:
    closed, opened = subject({}), subject({})
    closed.resource.tags, opened.resource.tags = seen, OpenDict(seen, Unresolved("throttled"))
    sure = tags.required(closed, keys=wanted).truth.name
    assert tags.required(opened, keys=wanted).truth.name in {sure, "UNKNOWN"}


moments = st.datetimes(datetime(1973, 4, 1), datetime(5000, 1, 1))
zones = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@given(moments, zones)
def test_a_moment_is_read_as_it_is_written(moment: datetime, zone: timezone) -> None:
    written = moment.replace(tzinfo=UTC)
    assert time.parse_time(written.astimezone(zone).isoformat()) == written
    assert time.parse_time(written.isoformat().replace("+00:00", "Z")) == written
    assert time.parse_time(moment.isoformat()) == written
    whole = written.replace(microsecond=0)
    assert time.parse_time(int(whole.timestamp())) == whole
    assert time.parse_time(str(int(whole.timestamp()))) == whole


@given(
    st.one_of(st.text(max_size=30), st.integers(), st.floats(), st.none(), st.booleans(), st.just(10**400))
)
def test_nothing_makes_a_date_crash(value: Any) -> None:
    found = time.parse_time(value)
    assert found is None or found.tzinfo is not None


@given(moments, st.integers(0, 5000))
def test_near_and_far_are_monotonic_in_days(moment: datetime, days: int) -> None:
    about = subject({"properties": {"At": moment.isoformat()}})
    if time.not_within(about, field=("At",), days=days + 1).truth.name == "TRUE":
        assert time.not_within(about, field=("At",), days=days).truth.name == "TRUE"
    if time.not_older_than(about, field=("At",), days=days).truth.name == "TRUE":
        assert time.not_older_than(about, field=("At",), days=days + 1).truth.name == "TRUE"


def test_every_table_names_its_page_and_its_day() -> None:
    for engines in lifecycle.tables().values():
        for table in engines.values():
            assert table.page.startswith("https://docs.aws.amazon.com/")
            assert table.as_of.isoformat() <= "2026-11-21"
            assert table.versions
            for support in table.versions.values():
                assert support.extended is None or (
                    support.end is not None and support.end < support.extended
                )


def test_past_lambda_deprecations_agree_with_cfn_lint() -> None:
    found = find_spec("cfnlint")
    if found is None or found.origin is None:
        pytest.skip("cfn-lint, the second opinion on runtimes, is not installed")
    file = Path(found.origin).parent / "data" / "AdditionalSpecs" / "LmbdRuntimeLifecycle.json"
    theirs = {name: v["deprecated"] for name, v in json.loads(file.read_bytes()).items()}
    ours = lifecycle.tables()["lambda-runtimes"][""]
    past = {n: s.end.isoformat() for n, s in ours.versions.items() if s.end and s.end <= ours.as_of}
    assert len(past) > 20
    assert past == {name: theirs.get(name) for name in past}
