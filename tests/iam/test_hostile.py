"""Hostile documents: bounded time, an answer or an error that says what is too large."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from policyengine.iam.documents import MAX_CHARACTERS, read_policy
from policyengine.iam.errors import PolicyError
from policyengine.iam.glob import compile_glob
from policyengine.iam.grammar import MAX_STATEMENTS, MAX_VALUES
from policyengine.iam.scenarios import Decider
from tests.iam.scenario import CALLERS


@contextmanager
def within(seconds: float) -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < seconds


def decide(
    statements: list[Any], context: dict[str, Any] | None = None, resource: str = "arn:aws:s3:::b/k"
) -> str:
    line = json.dumps(
        {
            "id": 1,
            "request": {
                "principal": CALLERS["alice"], "action": "s3:GetObject", "resource": resource,
                "context": context or {},
            },
            "identity_policies": [{"Version": "2012-10-17", "Statement": statements}],
        }
    )  # fmt: skip
    decision: str = json.loads(Decider().answer(line))["decision"]
    return decision


def test_a_thousand_statements() -> None:
    denies = [{"Effect": "Deny", "Action": f"s3:Get?{i}*", "Resource": "*"} for i in range(1000)]
    with within(2):
        assert decide([*denies, {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]) == "Allowed"


@pytest.mark.parametrize("unit", ["*a", "*?", "?*", "*aa?", "a*a"])
def test_patterns_of_a_thousand_stars(unit: str) -> None:
    pattern = "arn:" + unit * 1000 + "b"
    with within(2):
        allow = {"Effect": "Allow", "Action": "s3:*", "Resource": [pattern, pattern + "*"]}
        assert decide([allow], resource="arn:" + "a" * 5000) == "ImplicitlyDenied"
        assert decide([allow], resource="arn:" + "a" * 5000 + "b") == "Allowed"


def test_stars_that_almost_match_everywhere() -> None:
    with within(2):
        for _ in range(100):
            assert not compile_glob("*" + "a?" * 500 + "b*")("a" * 8_000)
        matches = compile_glob("*" + "a?a*" * 300 + "z")
        assert not matches("a" * 8_000)
        assert not compile_glob("*" + "a" * 1000 + "?b*")("a" * 20_000 + "c")


def test_ten_thousand_values_on_both_sides() -> None:
    values = [f"value-{i}" for i in range(10_000)]
    with within(5):
        for operator in (
            "ForAllValues:StringEquals",
            "ForAnyValue:StringNotEquals",
            "ForAllValues:StringEqualsIgnoreCase",
        ):
            allow = {
                "Effect": "Allow",
                "Action": "*",
                "Resource": "*",
                "Condition": {operator: {"aws:TagKeys": values}},
            }
            expected = "ImplicitlyDenied" if "Not" in operator else "Allowed"
            assert decide([allow], {"aws:TagKeys": values}) == expected


def test_ten_thousand_patterns() -> None:
    values = [f"*{i}*x" for i in range(10_000)]
    with within(5):
        for operator in ("StringLike", "ArnLike", "StringNotLike"):
            allow = {
                "Effect": "Allow",
                "Action": "*",
                "Resource": "*",
                "Condition": {operator: {"aws:k": values}},
            }
            decide([allow], {"aws:k": "arn:aws:iam::123456789012:role/y"})


def test_ten_thousand_patterns_against_ten_thousand_values() -> None:
    values = [f"*{i}*x" for i in range(10_000)]
    deny = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"ForAnyValue:StringLike": {"aws:TagKeys": values}},
    }
    with within(5):
        line = {"id": 1, "request": {"principal": CALLERS["alice"], "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k",
                "context": {"aws:TagKeys": [f"y{i}" for i in range(10_000)]}},
                "identity_policies": [{"Statement": [deny, {"Effect": "Allow", "Action": "*", "Resource": "*"}]}]}  # fmt: skip
        found = json.loads(Decider().answer(json.dumps(line)))
    assert (found["decision"], found["unknown"]) == (
        "ExplicitlyDenied",
        ["too_large: 10000 values against 10000"],
    )


def test_requests_that_are_too_large() -> None:
    with pytest.raises(PolicyError, match=r"\$\.request: too large; expected texts of at most 8192"):
        decide([], resource="arn:aws:s3:::" + "a" * 9000)
    with pytest.raises(PolicyError, match=r"\$\.request\.context\.aws:k: too large"):
        decide([], {"aws:k": "a" * 9000})


def test_numbers_and_dates_without_end() -> None:
    for operator, value in [
        ("NumericEquals", "9" * 5000),
        ("DateEquals", "9" * 5000),
        ("NumericEquals", "1e999999"),
    ]:
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {"aws:k": value}}}
        with within(1):
            assert decide([allow], {"aws:k": value}) == "ImplicitlyDenied"


def test_policy_variables_without_end() -> None:
    for text in ("${" * 20_000, "${a,'" * 20_000, "${aws:username}" * 5_000, "${" + "a" * 100_000):
        with within(2):
            decide([{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::" + text}])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 100_000, "nested deeper than 64 levels"),
        ('{"Statement":' * 50_000, "nested deeper than 64 levels"),
        ("{" + " " * MAX_CHARACTERS + "}", "characters"),
        ('{"Version": ' + "9" * 10_000 + "}", "a number with too many digits"),
    ],
)
def test_texts_that_break_parsers(text: str, problem: str) -> None:
    with within(2), pytest.raises(PolicyError, match=problem):
        read_policy(text, "identity")


def test_what_is_too_large_is_said() -> None:
    one = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    with pytest.raises(PolicyError, match=f"too large: {MAX_STATEMENTS + 1} statements"):
        read_policy({"Statement": [one] * (MAX_STATEMENTS + 1)}, "identity")
    with pytest.raises(PolicyError, match=f"too large: {MAX_VALUES + 1} values"):
        read_policy({"Statement": {**one, "Resource": ["*"] * (MAX_VALUES + 1)}}, "identity")


@pytest.mark.parametrize("inner", [None, 1, "x", [], ["a"], {"aws:x": None}, {"aws:x": {}}, {"aws:x": [[]]}])
def test_conditions_nested_wrongly(inner: Any) -> None:
    with pytest.raises(PolicyError, match=r"\$\.Statement\.Condition"):
        read_policy(
            {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": inner}}},
            "identity",
        )
