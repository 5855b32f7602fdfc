"""What holds whatever the waivers say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policyengine.config.compiled import read_settings, write_settings
from policyengine.config.settings import Settings
from policyengine.config.waivers import Baseline, BaselineEntry, Compensating, Waiver
from policyengine.engine.pinning import digest_of_pin
from policyengine.model.finding import Finding
from tests.waivers.making import (
    ACCOUNT,
    CLOSED,
    RULES,
    account,
    bucket,
    judged,
    pins_of,
    waiver,
    waiving,
    write,
)

OTHER = "222233334444"
NAMES = ("a", "b", "c", "d")
OUS = {OTHER: ("ou-1", "r-1")}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Buckets of two accounts that pass, fail and are not known, in all ways two properties can be."""
    dark = bucket("d", OTHER)
    dark["unknown"] = [{"path": "/VersioningConfiguration", "reason": "access_denied", "detail": "denied"}]
    lines = [
        bucket("a", tags={"Stage": "dev"}), bucket("b", PublicAccessBlockConfiguration=CLOSED),
        bucket("c", OTHER, VersioningConfiguration={"Status": "Enabled"}, tags={"Stage": "prod"}), dark,
        bucket("e", OTHER, VersioningConfiguration={"Status": "Suspended"}), account(True), account(False, OTHER),
    ]  # fmt: skip
    return write(tmp_path_factory.mktemp("laws"), lines)


@pytest.fixture(scope="module")
def plain(target: Path) -> list[Finding]:
    return judged(target, replace(Settings(), ous=OUS))


def some(*values: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)


@st.composite
def waivers(draw: st.DrawFn) -> Waiver:
    rules = draw(st.lists(st.sampled_from(RULES), min_size=1, max_size=3, unique=True))
    others = [rule for rule in RULES if rule not in rules]
    named = st.none() | st.builds(Compensating, st.sampled_from(others), st.none() | st.sampled_from(NAMES))
    return waiver(
        id=f"W-{draw(st.integers(0, 3))}", rules=tuple(rules), resources=draw(some(*NAMES)),
        accounts=draw(some(ACCOUNT, OTHER)), ous=draw(some("ou-1", "ou-2")),
        tags=draw(st.dictionaries(st.just("Stage"), st.sampled_from(("dev", "prod")), max_size=1)),
        granted=draw(st.sampled_from(("2026-01-01", "2026-07-01"))), expires=draw(st.sampled_from(("2026-05-01", "2026-12-31"))),
        refused=draw(st.sampled_from(("", "", "unsigned"))), compensating=draw(named),
    )  # fmt: skip


def bare(finding: Finding) -> tuple[Any, ...]:
    """A finding without what waivers add to it."""
    return finding._replace(waiver=None, message=finding.message.partition(" (waiver")[0])


CASES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@CASES
@given(st.lists(waivers(), max_size=4))
def test_a_waiver_changes_no_verdict_and_nothing_else(
    target: Path, plain: list[Finding], found: list[Waiver]
) -> None:
    with_them = judged(target, replace(waiving(*found), ous=OUS))
    assert [bare(each) for each in with_them] == [bare(each) for each in plain]
    for before, after in zip(plain, with_them, strict=True):
        if after.verdict != "FAIL":
            assert after == before
        if after.waiver is not None:
            (used,) = {w.id for w in found if w.id == after.waiver["id"]}
            assert any(w.id == used and after.rule in w.rules and not w.refused for w in found)
            assert after.message == before.message


@CASES
@given(waivers())
def test_one_that_ended_is_as_none_but_for_the_note(target: Path, plain: list[Finding], one: Waiver) -> None:
    ended = replace(one, expires="2026-05-01", granted="2026-01-01")
    after = judged(target, replace(waiving(ended), ous=OUS))
    assert all(each.waiver is None for each in after)
    noted = {each.id for each in after if "expired on 2026-05-01" in each.message}
    assert [bare(each) for each in after] == [bare(each) for each in plain]
    held = judged(
        target, replace(waiving(replace(ended, expires="2026-12-31", refused="", compensating=None)), ous=OUS)
    )
    assert noted == {each.id for each in held if each.waiver is not None}


@CASES
@given(st.lists(waivers(), max_size=3), waivers())
def test_another_waiver_takes_none_away(target: Path, found: list[Waiver], one: Waiver) -> None:
    before = judged(target, replace(waiving(*found), ous=OUS))
    after = judged(target, replace(waiving(*found, one), ous=OUS))
    for old, new in zip(before, after, strict=True):
        assert old.waiver is None or new.waiver == old.waiver
        if one.rules and new.rule not in one.rules:
            assert new == old


@CASES
@given(st.lists(waivers(), max_size=4), st.booleans())
def test_settings_are_the_same_once_compiled(found: list[Waiver], based: bool) -> None:
    import json

    entries = [
        BaselineEntry("0" * 32, "s3-versioning", (ACCOUNT, "eu-west-1", "AWS::S3::Bucket", "a"), "sha256:1")
    ]
    given_ones = waiving(
        *found, baseline=Baseline("b.json", "2026-01-01T00:00:00Z", entries) if based else None
    )
    read = read_settings(json.loads(json.dumps(write_settings(given_ones))))
    assert list(read.waiving.waivers) == list(given_ones.waiving.waivers)
    assert read.waiving.baseline == given_ones.waiving.baseline
    assert json.dumps(read.waiving.rules) == json.dumps(given_ones.waiving.rules)


def test_a_baseline_of_everything_accepts_everything_and_names_it_debt(
    target: Path, plain: list[Finding]
) -> None:
    pins = {id_: pin for rule in RULES for id_, pin in pins_of(target, rule).items()}
    entries = [
        BaselineEntry(each.id, each.rule, each.identity, digest_of_pin(pins[each.id]))
        for each in plain
        if each.verdict == "FAIL"
    ]
    after = judged(target, waiving(baseline=Baseline("b.json", "2026-01-01T00:00:00Z", entries)))
    assert [each._replace(waiver=None) for each in after] == plain
    failed = [each for each in after if each.verdict == "FAIL"]
    assert failed and all(
        each.waiver == {"id": "b.json", "granted": "2026-01-01", "kind": "baseline"} for each in failed
    )
