"""Secrets that are taken out: no part of them stays, the verdicts about them do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.model.logic import UNKNOWN
from policyengine.model.redacted import found_in
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.rules.credentials import in_text as form_in
from policyengine.rules.predicates.api import Subject
from policyengine.rules.predicates.pipeline.plain_secrets import looked_at, none_written
from policyengine.sources.redaction import Redactor
from policyengine.sources.snapshot.canonical import to_line
from policyengine.sources.snapshot.lines import parse_line

KEY = b"0123456789abcdef0123456789abcdef"
ACCESS_KEY = "AKIA" + "Q3EGRZ7XK2M5N4PT"
SECRETS = (ACCESS_KEY, "hunter2-but-longer", "ghp_" + "a1B2" * 9)


def function(variables: Any) -> Resource:
    return Resource(
        "AWS::Lambda::Function", "f", "111122223333", "eu-west-1",
        {"Runtime": "python3.13", "Environment": {"Variables": variables}},
    )  # fmt: skip


def redactor(key: bytes = KEY) -> Redactor:
    return Redactor(key, looked_at)


def verdict(resource: Resource, *fields: str) -> Any:
    subject = Subject(resource, datetime(2026, 11, 21, tzinfo=UTC), lambda _: [], lambda _: [])
    answer = none_written(subject, fields=fields)
    return answer.truth, sorted((e.path, e.expected, e.reason) for e in answer.evidence)


def test_nothing_of_a_secret_is_written() -> None:
    resource = function({"DB_PASSWORD": SECRETS[1], "KEY": ACCESS_KEY, "LOG_LEVEL": "info"})
    resource.properties["Description"] = f"uses {SECRETS[2]}"
    resource.tags = {"note": f"key {ACCESS_KEY}"}
    resource.related = {
        "policies": [{"Sid": "AllowAll", "Comment": f"-----BEGIN PRIVATE KEY----- {SECRETS[1]}"}]
    }
    line = to_line(redactor()(resource)).decode()
    for secret in (*SECRETS, '"info"'):
        assert secret not in line
    assert "python3.13" in line
    assert "AllowAll" in line
    record = json.loads(line)
    assert {e["reason"] for e in record["unknown"]} == {"redacted"}


def test_a_key_that_says_secret_takes_its_value_out() -> None:
    """Tags, documents and command lines: nothing in the value itself shows that it is a credential."""
    secret = "Tr0ub4dor-Zebra-9913"
    machine = Resource(
        "AWS::StepFunctions::StateMachine", "m", "111122223333", "eu-west-1",
        {
            "Definition": {"States": {"A": {"Parameters": {"password": secret, "Timeout": "a text 60"}}}},
            "Tags": [{"Key": "DB_PASSWORD", "Value": secret}, {"Key": "Owner", "Value": "payments-team-1"}],
        },
    )  # fmt: skip
    machine.tags = {"DB_PASSWORD": secret, "Owner": "payments-team-1"}
    task = Resource(
        "AWS::ECS::TaskDefinition", "t", "111122223333", "eu-west-1",
        {"ContainerDefinitions": [{"Command": ["run", "--password", secret, "--user", "someone-1"]}]},
    )  # fmt: skip
    lines = [to_line(redactor()(each)).decode() for each in (machine, task)]
    assert secret not in "".join(lines)
    for kept in ("a text 60", "payments-team-1"):
        assert kept in lines[0]
    assert '["run","--password",null,"--user","someone-1"]' in lines[1]


def test_names_of_aws_are_not_taken_for_secrets() -> None:
    """What rules read stays: conditions of policies, dates and settings whose names have `token` in them."""
    statement = {
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringLike": {"token.actions.githubusercontent.com:token": "repo:org1/app2"},
                      "DateLessThan": {"aws:TokenIssueTime": "2026-11-21T09:00:00Z"}},
    }  # fmt: skip
    role = Resource(
        "AWS::IAM::Role",
        "r",
        "111122223333",
        "global",
        {"AssumeRolePolicyDocument": {"Statement": [statement]}},
    )
    user = Resource(
        "AWS::IAM::User", "u", "111122223333", "global", {"PasswordLastUsed": "2026-11-21T09:00:00Z"}
    )
    group = Resource(
        "AWS::RDS::DBParameterGroup", "g", "111122223333", "eu-west-1",
        {"Parameters": {"password_encryption": "scram-sha-256"}},
    )  # fmt: skip
    for resource in (role, user, group):
        assert '"redacted"' not in to_line(redactor()(resource)).decode()


def test_digests_are_stable_and_keyed() -> None:
    first, again, other, elsewhere = (
        redactor(key)(function({name: "value-of-a-variable"}))
        .properties["Environment"]["Variables"][name]
        .detail
        for key, name in ((KEY, "A"), (KEY, "A"), (b"x" * 16, "A"), (KEY, "B"))
    )
    assert first == again
    assert len({first, other, elsewhere}) == 3


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Redactor(b"short", looked_at)


TEXTS = st.one_of(
    st.sampled_from([*SECRETS, "info", "true", "", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x", "{{resolve:ssm:x}}",
                     json.dumps({"password": "S3cretValue"}), "https://user:pa55word@example.com", "export DB_PASSWORD=Abc123def"]),
    st.text(max_size=40),
)  # fmt: skip
NAMES = st.sampled_from(["DB_PASSWORD", "API_KEY", "LOG_LEVEL", "TABLE_NAME", "SECRET_ARN", "x"])


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(NAMES, TEXTS, max_size=4))
def test_variables_are_judged_as_if_they_were_there(variables: dict[str, str]) -> None:
    """The law of redaction: the same truth and the same evidence, also after writing and reading."""
    expected = verdict(function(variables), "Environment.Variables")
    hidden = redactor()(function(variables))
    assert verdict(hidden, "Environment.Variables") == expected
    assert verdict(parse_line(to_line(hidden)), "Environment.Variables") == expected


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(NAMES, TEXTS, st.sampled_from(["PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER"])),
        max_size=3,
    )
)
def test_lists_of_variables_are_judged_as_if_they_were_there(variables: list[tuple[str, str, str]]) -> None:
    def project() -> Resource:
        listed = [{"Name": n, "Value": v, "Type": t} for n, v, t in variables]
        return Resource(
            "AWS::CodeBuild::Project",
            "p",
            "111122223333",
            "eu-west-1",
            {"Environment": {"EnvironmentVariables": listed}},
        )

    expected = verdict(project(), "Environment.EnvironmentVariables")
    assert verdict(redactor()(project()), "Environment.EnvironmentVariables") == expected


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_texts_are_judged_as_if_they_were_there(text: str) -> None:
    def instance() -> Resource:
        return Resource("AWS::EC2::Instance", "i-1", "111122223333", "eu-west-1", {"UserData": text})

    assert verdict(redactor()(instance()), "UserData") == verdict(instance(), "UserData")


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, min_size=2, max_size=3), st.sampled_from(["Description", "Environment.Variables.KEY"]))
def test_texts_of_which_parts_are_known_are_judged_as_if_they_were_there(parts: list[str], at: str) -> None:
    """What ``Fn::Sub`` leaves where a parameter has no value: nothing of a credential stays, and the same verdict."""

    def made() -> Resource:
        gap = Unresolved("unresolved_reference", "parameter `P` has no default")
        text = Unresolved(
            "unresolved_reference", "${P}".join(parts), present=True, parts=tuple(parts), gaps=(gap,) * (len(parts) - 1)
        )  # fmt: skip
        resource = function({"KEY": text})
        resource.properties["Description"] = text
        return resource

    expected = verdict(made(), at)
    line = to_line(redactor()(made()))
    assert verdict(redactor()(made()), at) == expected
    assert verdict(parse_line(line), at) == expected
    for secret in (*SECRETS, "pa55word", "Abc123def"):
        kept = "".join(parts).count(secret) and form_in("$".join(parts))
        assert not kept or secret.encode() not in line


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_source_code_is_judged_as_if_it_were_there(text: str) -> None:
    """No detector knows every password in a program: the whole text goes, and what was found in it stays."""

    def made(code: str) -> Resource:
        resource = function({})
        resource.properties["Code"] = {"ZipFile": code}
        return resource

    code = f'connect("root", "Tr0ub4dor")\n{text}'
    hidden = redactor()(made(code))
    assert verdict(hidden, "Code.ZipFile") == verdict(made(code), "Code.ZipFile")
    assert b"Tr0ub4dor" not in to_line(hidden)


def test_the_words_for_what_is_not_known_have_no_credential() -> None:
    """Rules do not look for credentials there, so that the value stays as unknown as it was."""
    resource = function({})
    resource.properties["Description"] = Unresolved(
        "unsupported", f"Fn::Transform: {{password: {SECRETS[1]}}}"
    )
    expected = verdict(resource, "Description")
    hidden = redactor()(resource)
    assert (verdict(hidden, "Description"), hidden.properties["Description"].reason) == (
        expected,
        "unsupported",
    )
    assert SECRETS[1].encode() not in to_line(hidden)


def test_what_was_not_looked_at_stays_a_doubt() -> None:
    long = Resource("AWS::EC2::Instance", "i-1", "111122223333", "eu-west-1", {"UserData": "x " * 60_000})
    expected = verdict(long, "UserData")[0]
    assert verdict(redactor()(long), "UserData")[0] is expected is UNKNOWN
    assert found_in(Unresolved("redacted", "left out")) is None
    assert found_in(Unresolved("access_denied", "hmac-sha256:00000000:" + "0" * 32)) is None
