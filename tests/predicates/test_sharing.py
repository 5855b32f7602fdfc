"""Conformance data of the predicates about sharing, and what code refers to in conditions on a source."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.model.values import Unresolved
from policyengine.rules.iam.json_texts import parsed
from policyengine.rules.iam.source_standins import sources_filled

from .conformance import resource

TOPIC = resource({"type": "AWS::SNS::Topic", "resource": {"id": "T", "file": "t.yaml"}}, {})


def _unknown(text: str, *parts: str, target: tuple[str, str] | None = None) -> Unresolved:
    return Unresolved("unresolved_reference", text, present=True, parts=parts or None, target=target)


@pytest.mark.parametrize(
    ("value", "account"),
    [
        (_unknown("GetAtt: Rule.Arn", target=("Rule", "Arn")), "111122223333"),
        (_unknown("${Api.Arn}/*", "", "/*", target=("Api", "Arn")), "111122223333"),
        (
            _unknown("arn:aws:x:${AWS::Region}:444455556666:${X}", "arn:aws:x:", ":444455556666:", ""),
            "444455556666",
        ),
        (_unknown("arn:aws:x:r:${AWS::AccountId}:${X}", "arn:aws:x:r:", ":", ""), "111122223333"),
        (_unknown("…", "arn:aws:x:r:444455556666:", "/x"), "444455556666"),
    ],
    ids=repr,
)
def test_a_source_whose_account_is_known_gets_a_stand_in(value: Unresolved, account: str) -> None:
    statement = {"Effect": "Allow", "Condition": {"ArnLike": {"aws:SourceArn": [value]}}}
    for document in ({"Statement": statement}, {"Statement": [statement]}):
        found = sources_filled(document, TOPIC)["Statement"]
        one = found[0] if isinstance(found, list) else found
        (text,) = one["Condition"]["ArnLike"]["aws:SourceArn"]
        assert text.split(":")[4] == account


@pytest.mark.parametrize(
    "value",
    [
        _unknown("Ref: Source"),
        _unknown("arn:aws:sns:r:${Account}:t", "arn:aws:sns:r:", ":t"),
        _unknown("${Prefix}:t", "", ":t"),
    ],
    ids=repr,
)
def test_a_source_whose_account_is_not_known_stays_unknown(value: Unresolved) -> None:
    statement = {"Effect": "Allow", "Condition": {"ArnLike": {"AWS:SourceArn": value}}}
    found = sources_filled({"Statement": [statement]}, TOPIC)
    assert found["Statement"][0]["Condition"]["ArnLike"]["AWS:SourceArn"] is value


def test_other_keys_are_left_as_they_are() -> None:
    value = _unknown("GetAtt: Role.Arn", target=("Role", "Arn"))
    statement = {"Effect": "Allow", "Condition": {"ArnLike": {"aws:PrincipalArn": value}}}
    assert sources_filled({"Statement": [statement]}, TOPIC)["Statement"] == [statement]
    assert sources_filled(value, TOPIC) is value


def test_a_json_text_with_variables_is_known_but_for_them() -> None:
    text = '{"Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": ["${Group.Arn}:*", "a-${AWS::Region}"]}]}'
    parts = tuple(text.replace("${Group.Arn}", "\0").replace("${AWS::Region}", "\0").split("\0"))
    (statement,) = parsed(_unknown(text, *parts))["Statement"]
    first, second = statement.pop("Resource")
    assert statement == {"Effect": "Allow", "Action": "logs:*"}
    assert (first.parts, first.target, first.detail) == (("", ":*"), ("Group", "Arn"), "${Group.Arn}:*")
    assert (second.parts, second.target, second.detail) == (("a-", ""), None, "a-${AWS::Region}")


@pytest.mark.parametrize(
    "value",
    [
        _unknown("{${Key}: 1}", "{", ": 1}"),
        _unknown('{"${Key}": 1}', '{"', '": 1}'),
        _unknown("${Document}", "", ""),
        _unknown("Ref: Document"),
        {"Statement": []},
    ],
    ids=repr,
)
def test_what_is_no_such_text_stays_as_it_is(value: Any) -> None:
    assert parsed(value) is value
