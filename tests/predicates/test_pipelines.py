"""Conformance data of the predicates about pipelines, and what data alone cannot say."""

from __future__ import annotations

import re
import time
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.model.values import OpenDict, Unresolved
from policyengine.rules.credentials import form_of, in_text, names_secret, written_out
from policyengine.rules.patterns import PatternError
from policyengine.rules.predicates.api import Predicate
from policyengine.rules.predicates.pipeline import codebuild, deployment, plain_secrets, stages, watched
from policyengine.rules.predicates.pipeline.event_pattern import matches
from policyengine.rules.searched import Texts, TooLarge, admitted

from .conformance import subject

PREDICATES: dict[str, Predicate] = {
    p.name: p for module in (codebuild, deployment, plain_secrets, stages, watched) for p in module.PREDICATES
}
IDS = Texts("0123456789", 20, "0")


SMALL = Texts("01a", 4)
PIECES = st.sampled_from(["0", "1", "a", ".", "^", "$", "[01]", "[^a]", r"\d", r"\D", "(?:01|1)", "(^0|a$)"])
PATTERNS = st.lists(
    st.tuples(PIECES, st.sampled_from(["", "", "", "*", "+", "?", "|"])), min_size=1, max_size=5
).map(lambda parts: "".join(p + ("" if q in "*+?" and p in "^$" else q) for p, q in parts))


@settings(max_examples=300, deadline=None)
@given(st.lists(PATTERNS, max_size=2), st.lists(PATTERNS, max_size=1))
def test_admitted_are_the_texts_in_which_re_finds_the_patterns(
    include: list[str], exclude: list[str]
) -> None:
    texts = ("".join(t) for length in range(1, 5) for t in product("01a", repeat=length))
    wanted = [
        text
        for text in texts
        if all(re.search(p, text, re.ASCII) for p in include)
        and not any(re.search(p, text, re.ASCII) for p in exclude)
    ]
    try:
        found = admitted(tuple(include), tuple(exclude), SMALL, 200)
    except PatternError:
        return
    assert found.count == len(wanted)
    assert set(found.samples) == set(wanted)


def test_ids_of_people_have_no_leading_zero_and_are_shown_shortest_first() -> None:
    found = admitted(("11",), (), IDS, 3)
    assert found.count == 4
    assert found.samples[0] == "11"
    assert not any(sample.startswith("0") for sample in found.samples)


def test_patterns_that_are_too_large_are_refused_in_bounded_time() -> None:
    begin = time.perf_counter()
    with pytest.raises(TooLarge):
        admitted(("1.{14}$",), (), IDS, 100)
    assert time.perf_counter() - begin < 5


@pytest.mark.parametrize("pattern", ["^(?=1)", "(1)\\1", "^*1", "(1"])
def test_patterns_outside_the_subset_are_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        admitted((pattern,), (), IDS, 1)


EVENT = {"source": "aws.codebuild", "detail": {"state": "FAILED", "tags": ["a", "b"], "size": 5}}
DOUBT = Unresolved("unresolved_reference", "`Ref: X`")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["aws.codebuild"]}, True),
        ({"source": ["aws.codebuild"], "account": ["1"]}, False),
        ({"detail": {"state": ["STOPPED", {"prefix": "FAIL"}]}}, True),
        ({"detail": {"state": [{"suffix": "ED"}]}}, True),
        ({"detail": {"state": [{"equals-ignore-case": "failed"}]}}, True),
        ({"detail": {"state": [{"prefix": {"equals-ignore-case": "fa"}}]}}, True),
        ({"detail": {"state": [{"wildcard": "F*D"}]}}, True),
        ({"detail": {"state": [{"anything-but": "FAILED"}]}}, False),
        ({"detail": {"state": [{"anything-but": ["STOPPED", "x"]}]}}, True),
        ({"detail": {"state": [{"anything-but": {"prefix": "FAIL"}}]}}, False),
        ({"detail": {"state": [{"anything-but": {"suffix": ["x", "ED"]}}]}}, False),
        ({"detail": {"state": [{"anything-but": {"wildcard": "S*"}}]}}, True),
        ({"detail": {"state": [{"anything-but": {"equals-ignore-case": "failed"}}]}}, False),
        ({"detail": {"state": [{"exists": True}]}}, True),
        ({"detail": {"nothing": [{"exists": False}]}}, True),
        ({"detail": {"nothing": [{"anything-but": "x"}]}}, False),
        ({"detail": {"size": [{"numeric": [">", 4, "<=", 5]}]}}, True),
        ({"detail": {"size": [{"numeric": ["=", 4]}]}}, False),
        ({"detail": {"state": [{"numeric": ["=", 4]}]}}, False),
        ({"detail": {"size": ["5"]}}, False),
        ({"detail": {"tags": ["b"]}}, True),
        ({"detail": {"tags": ["c"]}}, False),
        ({"$or": [{"source": ["x"]}, {"detail": {"state": ["FAILED"]}}]}, True),
        ({"$or": [{"source": ["x"]}, {"source": ["y"]}]}, False),
        ({"source": {"deeper": ["x"]}}, False),
        ({"source": [DOUBT]}, None),
        ({"source": [DOUBT, "aws.codebuild"]}, True),
        ({"source": DOUBT}, None),
        ({"source": ["x"], "detail": {"state": [DOUBT]}}, False),
        ({"detail": {"state": [{"anything-but": [DOUBT]}]}}, None),
        ({"detail": {"state": [{"cidr": "10.0.0.0/8"}]}}, None),
        ({"detail": {"state": [{"prefix": "F", "suffix": "D"}]}}, None),
        ({"detail": {"size": [{"numeric": ["~", 4]}]}}, None),
        ({"detail": {"size": [{"numeric": 4}]}}, None),
        ({"detail": {"state": [{"exists": "true"}]}}, None),
        (OpenDict({"source": ["aws.codebuild"]}, DOUBT), None),
        (OpenDict({"source": ["x"]}, DOUBT), False),
        ("text", None),
    ],
)
def test_event_patterns_are_read_as_eventbridge_reads_them(pattern: Any, expected: bool | None) -> None:
    assert matches(pattern, EVENT) is expected


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASSWORD",
        "dbPassword",
        "API_KEY",
        "apiKey",
        "TOKEN",
        "githubToken",
        "AWS_SECRET_ACCESS_KEY",
        "client-secret",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASSWORD_ARN",
        "SECRET_NAME",
        "TOKEN_TTL",
        "TOKEN_URL",
        "KEY",
        "KMS_KEY_ID",
        "MONKEY",
        "BYPASS",
        "TABLE",
        "",
    ],
)
def test_names_that_are_about_secrets_or_nothing(name: str) -> None:
    assert not names_secret(name)


@pytest.mark.parametrize(
    "value", ["", "x", "true", "arn:aws:x", "{{resolve:ssm:x}}", "$X", "/prod/db", "****", "https://x"]
)
def test_values_that_say_where_a_secret_is_kept(value: str) -> None:
    assert not written_out(value)


@pytest.mark.parametrize(
    "text",
    [
        "ghp_" + "a1" * 18, "glpat-" + "a1" * 10, "xoxb-1234567890-abc", "sk_live_" + "a1" * 8, "AIza" + "a1b2c" * 7,
        "-----BEGIN OPENSSH PRIVATE KEY-----", "ASIAABCDEFGHIJKLMNOP", "https://u:p@h", "AccountKey=" + "a" * 86 + "==",
        "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.abcdefghijk", "npm_" + "a1" * 18, "SG." + "a" * 22 + "." + "b" * 43,
    ],
)  # fmt: skip
def test_forms_of_credentials(text: str) -> None:
    assert form_of(f"x {text} y") is not None


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "https://h:8443/x",
        "https://${U}:${P}@h",
        "git@github.com:a/b",
        "sha256:abc",
        "AKIA",
    ],
)
def test_what_only_looks_like_a_credential(text: str) -> None:
    assert form_of(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "TOKEN=$(curl http://169.254.169.254/latest/api/token)",
        "the token is required for access",
        "--secret-id prod/db",
        "password: ${PASSWORD}",
        "X-aws-ec2-metadata-token-ttl-seconds: 21600",
        "secretsmanager get-secret-value",
    ],
)
def test_scripts_without_a_secret(text: str) -> None:
    assert list(in_text(text)) == []


def test_long_texts_are_read_in_linear_time() -> None:
    begin = time.perf_counter()
    for text in (
        "password" * 12_000,
        "a" * 200_000,
        "https://" * 20_000,
        "token=" * 30_000,
        "eyJ" + "a" * 200_000,
    ):
        list(in_text(text))
    assert time.perf_counter() - begin < 10


def test_no_evidence_has_a_secret_in_it() -> None:
    variables = [{"Name": "DB_PASSWORD", "Value": "hunter22"}, {"Name": "X", "Value": "AKIAABCDEFGHIJKLMNOP"}]
    about = subject({"case": "secret", "properties": {"E": variables, "U": "export PASSWORD=hunter22"}})
    answer = plain_secrets.none_written(about, fields=["E", "U"])
    shown = repr(answer)
    assert len(answer.evidence) == 3
    assert "hunter22" not in shown
    assert "AKIA" not in shown


def test_a_text_with_unknown_parts_is_read_around_them() -> None:
    def asked(*parts: str, detail: str = "") -> str:
        value = Unresolved("unresolved_reference", detail, present=True, parts=parts)
        return plain_secrets.none_written(
            subject({"case": "u", "properties": {"U": value}}), fields=["U"]
        ).truth.name

    assert asked("export PASSWORD=hunter22\nstack ", "\n") == "FALSE"
    assert asked("{{resolve:secretsmanager:", ":SecretString:token}}") == "FALSE"
    assert asked("{{resolve:secretsmanager:", ":SecretString:username}}") == "UNKNOWN"
    assert asked("postgres://app:", "@db") == "UNKNOWN"
    assert asked("cfn-signal --stack ", "", detail="cfn-signal --stack ${AWS::StackName}") == "TRUE"
    assert asked("a ", " b ", "", detail="a ${AWS::StackName} b ${Other}") == "UNKNOWN"
    assert asked("a ", " b ", "", detail="a ${AWS::StackName} b…") == "UNKNOWN"


def test_a_text_around_names_of_resources_has_no_secret_in_it() -> None:
    def asked(*gaps: Unresolved) -> str:
        parts = ("signal ",) * len(gaps) + ("",)
        value = Unresolved("unresolved_reference", "signal…", present=True, parts=parts, gaps=gaps)
        about = subject({"case": "u", "properties": {"U": value}})
        return plain_secrets.none_written(about, fields=["U"]).truth.name

    def of(detail: str, target: tuple[str, str] | None = None) -> Unresolved:
        return Unresolved("unresolved_reference", detail, present=True, target=target)

    stack, group = of("Ref: AWS::StackName"), of("Ref: Group", ("Group", "Ref"))
    assert asked(stack, group) == "TRUE"
    assert asked(group, of("GetAtt: Db.Endpoint.Address", ("Db", "Endpoint.Address"))) == "TRUE"
    assert asked(group, of("GetAtt: Key.SecretAccessKey", ("Key", "SecretAccessKey"))) == "UNKNOWN"
    assert asked(stack, of("parameter `Password` has no default")) == "UNKNOWN"


def test_wrong_arguments_are_named() -> None:
    approved, events = PREDICATES["stages.approved"], PREDICATES["events.watched"]
    assert approved.problem is not None
    assert events.problem is not None
    assert "look-ahead" in (approved.problem({"production": ["(?=x)"]}) or "")
    assert approved.problem({"production": [".*prod.*"]}) is None
    assert "`events`" in (events.problem({"events": []}) or "")
    assert events.problem({"events": [{"source": "aws.s3"}]}) is None
