"""One statement more in a policy's text, and nothing else changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.iam.appending import free_sid, with_statement
from policyengine.iam.errors import PolicyError

ADDED = {"Sid": "Added", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
COMPACT = json.dumps(ADDED, separators=(",", ":"))

_texts = st.text(st.sampled_from('ab{}[]",:\\ Statementé \n'), max_size=8)
_statement = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]), "Action": st.lists(_texts, max_size=3)},
    optional={"Sid": _texts, "Condition": st.dictionaries(_texts, _texts, max_size=2)},
)
_documents = st.fixed_dictionaries(
    {"Statement": st.one_of(_statement, st.lists(_statement, max_size=4))},
    optional={"Version": st.just("2012-10-17"), "Id": _texts},
)


@given(
    document=_documents,
    indent=st.sampled_from([None, 0, 2]),
    separators=st.sampled_from([(",", ":"), (" , ", " : "), (",\t", ": ")]),
    ascii_=st.booleans(),
    backwards=st.booleans(),
)
def test_taking_the_statement_out_gives_the_text_back(
    document: dict[str, Any], indent: int | None, separators: tuple[str, str], ascii_: bool, backwards: bool
) -> None:
    items = list(document.items())
    text = json.dumps(
        dict(reversed(items) if backwards else items),
        indent=indent,
        separators=separators,
        ensure_ascii=ascii_,
    )
    found = with_statement(text, ADDED)
    before = document["Statement"]
    assert json.loads(found) == {
        **document,
        "Statement": [*(before if isinstance(before, list) else [before]), ADDED],
    }
    at = found.rindex(COMPACT)
    head, tail = found[:at], found[at + len(COMPACT) :]
    if isinstance(before, dict):
        head, tail = head.removesuffix(","), tail.removeprefix("]")
        opened = [i for i, character in enumerate(head) if character == "["]
        assert any(head[:i] + head[i + 1 :] + tail == text for i in opened)
    else:
        assert (head.removesuffix(",") if before else head) + tail == text


def test_no_policy_yet() -> None:
    assert json.loads(with_statement(None, ADDED)) == {"Version": "2012-10-17", "Statement": [ADDED]}


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "{}", '{"Statement": 1}', '{"Statement": [1]}', '{"Statement": [], "statement": []}',
        '{"Statement": [], "Statement": []}', '{"Statement": []', "[" * 100_000, '{"Statement": ' + "[" * 1000,
    ],
)  # fmt: skip
def test_what_is_no_policy_is_not_touched(text: str) -> None:
    with pytest.raises(PolicyError):
        with_statement(text, ADDED)


def test_a_sid_is_not_used_twice() -> None:
    text = json.dumps({"Statement": [{"Sid": "Tls"}, {"sid": "Tls2"}, {}]})
    assert free_sid(text, "Tls") == "Tls3"
    assert free_sid(text, "Other") == "Other"
    assert free_sid(None, "Tls") == "Tls"
    assert free_sid('{"Statement": {"Sid": "Tls"}}', "Tls") == "Tls2"
