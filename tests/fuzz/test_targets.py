"""A short run of every fuzz target, and that the fuzzer sees what is broken."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.rules.predicates.api import Answer, Predicate
from policyengine.rules.predicates.table import PREDICATES

from . import cases, judging
from .bounds import TookTooLong, timed
from .drive import Found, drive
from .targets import Target, targets, told

SECONDS = 1.0
_ANY_ROLE = "arn:aws:iam::111122223333:role/*"
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name)
def test_nothing_breaks_in_a_short_run(target: Target) -> None:
    assert drive(target, SECONDS, keep=False) > 0


def test_a_failure_is_found_and_made_small() -> None:
    def check(data: bytes) -> None:
        assert b"\xff" not in data

    with pytest.raises(Found) as caught:
        drive(Target("planted", st.binary(max_size=200), check), 5, keep=False)
    assert caught.value.value == b"\xff"
    assert "planted fails on\n    b'\\xff'" in str(caught.value)


def test_an_error_without_a_place_is_a_failure() -> None:
    from policyengine.model.errors import InputError

    with pytest.raises(AssertionError):
        told([InputError("no place")])


@pytest.mark.parametrize(
    "value",
    [
        # accounts that are no ids, and names that no principal has, became callers that IAM cannot read
        (("read-only-permission-sets-read-only", 2), None, [("place", 0, ("x", "y"))], "case"),
        (("iam-write-resources-named", 0), None, [("place", 0, ("eu-west-1", "1"))], "all"),
        (("pipeline-committers-cannot-change-roles", 173), None, [("arn", 3483, _ANY_ROLE), ("arn", 173, _ANY_ROLE)], "all"),
        (("iam-write-resources-named", 0), None, [("hole", 0, Unresolved("access_denied", "x")), ("place", 0, ("x", "y"))], "case"),
    ],
)  # fmt: skip
def test_what_crashed_once(value: Any) -> None:
    cases.check(value)


def _of(rule: str) -> list[Resource]:
    return cases.situations(rule)[0].resources


def test_a_crash_of_a_predicate_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> Answer:
        raise KeyError("planted")

    predicate = PREDICATES["iam.allows_public"]
    monkeypatch.setitem(PREDICATES, predicate.name, replace(predicate, check=crash, short=None))
    with pytest.raises(KeyError) as caught:
        judging.judge(
            judging.Loud(judging.bundled(), now=judging.NOW),
            [cases.Given(_of("sqs-queue-policy-not-public"), covered=True)],
        )
    assert caught.value.__notes__[0].startswith("in the rule ")


def test_what_does_not_end_is_ended() -> None:
    with pytest.raises(TookTooLong), timed(0.05):
        while True:
            pass


def test_every_predicate_is_asked_about_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """One rule for each predicate, its cases as they are: damage starts from what reaches the predicate."""
    asked: set[str] = set()

    def noting(predicate: Predicate) -> Predicate:
        def check(*given: Any, **arguments: Any) -> Answer:
            asked.add(predicate.name)
            return predicate.check(*given, **arguments)

        return replace(predicate, check=check, short=None)

    for name, predicate in PREDICATES.items():
        monkeypatch.setitem(PREDICATES, name, noting(predicate))
    wanted = {name: rule for rule, form in cases.rules().items() for name in _predicates(form["variants"])}
    for name, rule in wanted.items():
        for situation in cases.situations(rule):
            if name in asked:
                break
            found = cases.damaged(situation.resources, [])
            cases.judge_by_its_rule(situation, cases.Given(found, covered=True))
    assert len(wanted) > 100
    assert wanted.keys() <= asked, sorted(wanted.keys() - asked)


def _predicates(form: Any) -> set[str]:
    if isinstance(form, list):
        return set().union(*map(_predicates, form))
    if not isinstance(form, dict):
        return set()
    own = {form["name"]} if form.get("op") == "predicate" else set()
    return own.union(*map(_predicates, form.values()))


def test_the_command_runs_the_targets_it_is_given() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "1", "snapshot-line"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("ok   snapshot-line: ")
    assert "fuzz" in (ROOT / "Makefile").read_text()
