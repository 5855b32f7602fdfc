"""How plans, refusals and the journal are told: nothing that differs looks the same, nothing is told twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.cli.pages import repair_in_words, rule_page
from policyengine.cli.remediate.show import terms
from policyengine.cli.remediate.status import sentence
from policyengine.cli.remediate.told import NEXT, Turned, advice, same_changes, show_turned
from policyengine.cli.remediate.values import difference, lines
from policyengine.cli.remediate.words import short
from policyengine.remediate.api import REFUSALS, Refused
from policyengine.remediate.ports import Subject
from policyengine.remediate.registry import load_remediations
from policyengine.store.actions import Action, Entry

_NAMES = st.one_of(st.text(max_size=4), st.sampled_from(["a", "a: 1", "- a", '"a"', "{", "$answer", "aws:x"]))
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 9),
    st.text(max_size=5),
    st.sampled_from(['{"a": 1}', "[1]", "[]"]),
)
_IMAGES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(_NAMES.filter(lambda n: n != "$answer"), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(_IMAGES, _IMAGES)
@settings(max_examples=400, deadline=None)
def test_what_differs_is_told_apart(one: Any, other: Any) -> None:
    """A person signs what is shown: a difference that cannot be seen would be signed too."""
    alike = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (lines(one) == lines(other)) is alike


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), _IMAGES, max_size=5))
@settings(max_examples=100, deadline=None)
def test_a_difference_shows_every_changed_line(image: dict[str, Any]) -> None:
    after = {**image, "new": 1}
    shown = list(difference(image, after))
    assert "+ new: 1" in shown
    assert not [text for text in shown if text.startswith("- ") and image]
    assert list(difference(image, dict(image))) == []


POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Readers",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["s3:GetObject"],
            "Resource": "*",
        }
    ],
}
DENY = {"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}


def test_a_policy_kept_as_text_is_compared_as_what_it_says() -> None:
    after = {**POLICY, "Statement": [*POLICY["Statement"], DENY]}
    shown = list(difference({"Policy": json.dumps(POLICY)}, {"Policy": json.dumps(after)}))
    added = '+     - {Action: "s3:*", Effect: "Deny", Principal: "*", Resource: "*", Sid: "Tls"}'
    assert added in shown
    assert not [text for text in shown if text.startswith("-") and "sha256" not in text], "nothing else goes"
    assert "    Statement:" in shown, "under what it stands"


def test_a_text_that_is_spelled_otherwise_is_no_other_policy_but_seen() -> None:
    one, other = json.dumps(POLICY), json.dumps(POLICY, indent=1)
    shown = [text for text in difference({"Policy": one}, {"Policy": other}) if text[0] in "+-"]
    assert len(shown) == 2 and all("JSON text sha256:" in text for text in shown)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "{", "[" * 3000, '{"a"', "plain", "12"])
def test_what_is_no_plain_json_stays_text(text: str) -> None:
    assert lines({"x": text}) == [f"x: {json.dumps(text)}"]


def subject(id: str, type: str = "AWS::S3::Bucket") -> Subject:
    return Subject("s3-tls-only", type, id, "123456789012", "eu-west-1")


def test_one_reason_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    young = [Turned(subject(f"b{n}"), Refused("too_young", f"it was created {n} s ago")) for n in range(8)]
    other = Turned(subject("c"), Refused("excluded", "it carries the tag `policyengine:no-remediation`"))
    show_turned([*young, other])
    told = capsys.readouterr().err
    assert told.count("refused (too_young)") == 1 and "and 3 more" in told and "remediation.settling" in told
    assert "no-remediation" in told and "AWS::S3::Bucket c (s3-tls-only)" in told


def test_every_code_that_has_advice_is_a_code() -> None:
    assert set(NEXT) <= set(REFUSALS)


def action(id: str, rule: str, *operations: str) -> Action:
    steps = [
        {"name": o, "call": {"service": "iam", "operation": o, "arguments": {}, "region": ""}}
        for o in operations
    ]
    at = "2026-11-21T09:00:00+00:00"
    return Action(
        id, id, "planned", "1/r/t/i", "1", "r", "t", rule, "h", {"steps": steps}, "", "a", at, at, at
    )


def test_the_same_calls_are_planned_once() -> None:
    one, same, other = action("1", "x", "A"), action("2", "y", "A"), action("3", "z", "B")
    advice = [action("4", "x"), action("5", "y")]
    kept, others = same_changes([one, same, other, *advice])
    assert kept == [one, other, *advice] and others == {"1": [same]}, "advice makes no call: each is told"


def test_terms_say_what_is_lost_and_who_agrees() -> None:
    plan = {
        "reversible": "partial",
        "lost": "The address.",
        "destructive": True,
        "plan_only": False,
        "approvals": 2,
    }
    assert terms(plan) == (
        "can be taken back in part (The address); destructive; 2 people have to approve, not who asked for it"
    )


def test_a_line_of_the_journal_begins_with_what_it_is_about() -> None:
    body = {"why": "two words", "call": "s3:PutBucketPolicy", "as": "arn:x", "undo": True}
    entry = Entry(7, "2026-11-21T09:00:00+00:00", "act-1", "call", body, "p", "h")
    assert sentence(entry) == 'call            call=s3:PutBucketPolicy  as=arn:x  undo=true  why="two words"'


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-21T09:00:00.123+00:00", "2026-11-21T09:00:00Z"),
        ("2026-11-21T09:00:00+00:00", "2026-11-21T09:00:00Z"),
        ("2026-11-21T09:00:00.5+01:00", "2026-11-21T09:00:00+01:00"),
    ],
)
def test_times_are_short_and_stay_times(at: str, expected: str) -> None:
    assert short(at) == expected


def test_a_rule_explains_its_repair_with_undo_and_dangers() -> None:
    page = " ".join(rule_page("log-group-retention-set", ()).split())
    assert "at least 2 people" in page and "may lose data or history" in page and "taken back in part" in page
    assert 'Dangers: From "for ever"' in page


def test_every_remediation_says_who_agrees_and_what_can_be_taken_back() -> None:
    for each in load_remediations():
        said = repair_in_words(each)[0]
        assert ("approval" in said or "proposes" in said) and "taken back" in said, each.id
        assert ("Only proposes" in said) is (each.mode == "plan"), each.id


def test_members_in_another_order_are_no_difference() -> None:
    assert list(difference({"x": {"a": 1, "b": 2}}, {"x": {"b": 2, "a": 1}})) == []


def test_what_has_ended_is_not_to_be_tried_again() -> None:
    ended = Action.from_json({**action("1", "x").to_json(), "state": "verified"})
    busy = Refused("busy", "the action is verified")
    assert "plan it again" in advice(busy, ended) and "few minutes" in advice(busy, action("1", "x"))
    assert "mended" in advice(Refused("breaker_open", "a change of the wave before did not hold (act-2)"))
    assert advice(Refused("unsafe", "the bucket serves a website")) == "", "its text says all there is"


@pytest.mark.parametrize(
    ("environ", "colour"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_is_for_terminals_that_want_it(environ: dict[str, str], colour: bool) -> None:
    """https://no-color.org"""
    reading, writing = os.openpty()
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    asked = [sys.executable, "-m", "policyengine", "remediate", "handlers", "kms_rotation"]
    subprocess.run(
        asked,
        stdout=writing,
        env={**kept, "TERM": "xterm", "COLUMNS": "60", **environ},
        check=True,
        timeout=60,
    )
    os.close(writing)
    shown = os.read(reading, 65536).decode()
    os.close(reading)
    assert ("\x1b[1mkms_rotation" in shown) is colour
    assert shown.count("\x1b[") == (2 if colour else 0), "only the title"
    dangers = shown[shown.index("dangers") : shown.index("  see")].splitlines()
    assert len(dangers) > 1 and all(len(text) <= 60 for text in dangers), "as wide as the terminal"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("policyengine remediate handlers kms", {"plain,kms_rotation"}),
        ("policyengine remediate plan --rule kms-key-rot", {"plain,kms-key-rotation"}),
    ],
)
def test_a_shell_completes_what_can_be_repaired(typed: str, expected: set[str]) -> None:
    environ = {
        **os.environ, "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" ")), "_POLICYENGINE_COMPLETE": "bash_complete"
    }  # fmt: skip
    asked = [sys.executable, "-m", "policyengine"]
    done = subprocess.run(asked, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert set(done.stdout.split()) == expected, done.stderr
