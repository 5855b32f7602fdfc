"""What became of findings from one run to the next, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policyengine.history.compare import Rules, compare, in_order
from policyengine.history.looked import Looked
from policyengine.model.errors import InputError
from policyengine.store.rundir import read_run

RULE = {
    "id": "ebs-volume-encrypted",
    "variants": [{"types": ["AWS::EC2::Volume"]}],
    "message": "not encrypted",
}


def finding(
    verdict: str,
    observed: Any = False,
    *,
    id: str = "vol-1",
    reason: str = "value_mismatch",
    message: str = "m",
) -> dict[str, Any]:
    return {
        "rule": "ebs-volume-encrypted", "verdict": verdict, "reason": reason, "message": message, "severity": "high",
        "resource": {"type": "AWS::EC2::Volume", "id": id, "account": "111122223333", "region": "eu-west-1"},
        "location": None, "evidence": [{"path": "/Encrypted", "observed": observed, "expected": "true"}],
    }  # fmt: skip


def changes(before: list[dict[str, Any]], after: list[dict[str, Any]], *rules: Any) -> list[tuple[str, str]]:
    known = Rules(*(rules or ([RULE], [RULE])))
    return [(change.kind, change.why) for change in compare(before, after, known)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (finding("PASS", True), finding("FAIL", False), ("new", "the resource changed: /Encrypted was true, is false")),
        (finding("FAIL", False), finding("PASS", True), ("fixed", "the resource changed: /Encrypted was false, is true")),
        (finding("FAIL"), finding("FAIL"), ("open", "")),
        (
            finding("FAIL"),
            finding("UNKNOWN", None, reason="access_denied", message="not determined: `Encrypted` is not known"),
            ("not_determined", "the data is missing: `Encrypted` is not known"),
        ),
        (
            finding("UNKNOWN", None, reason="access_denied"),
            finding("FAIL"),
            ("new", "the data was missing before (access_denied)"),
        ),
        (finding("FAIL"), finding("NOT_APPLICABLE", reason="when_not_met"), ("not_applicable", _SAME := "the same values: what they are compared with changed (the clock, parameters, other resources)")),
        (finding("PASS"), finding("FAIL"), ("new", _SAME)),
    ],
)  # fmt: skip
def test_verdicts(before: dict[str, Any], after: dict[str, Any], expected: tuple[str, str]) -> None:
    assert changes([before], [after]) == [expected]


def test_a_rule_that_decides_otherwise_is_why() -> None:
    other = {**RULE, "variants": [{"types": ["AWS::EC2::Volume"], "require": {}}]}
    assert changes([finding("PASS", True)], [finding("FAIL", True)], [RULE], [other]) == [
        ("new", "the rule changed")
    ]
    assert changes([finding("PASS", True)], [finding("FAIL", True)], [], [RULE]) == [
        ("new", "the rule is new")
    ]


def test_another_wording_is_no_other_rule() -> None:
    worded = {**RULE, "message": "the volume is not encrypted"}
    assert changes([finding("PASS", True)], [finding("FAIL", False)], [RULE], [worded])[0][1].startswith(
        "the resource"
    )


def test_resources_of_one_run_only() -> None:
    assert changes([finding("FAIL", id="a")], [finding("FAIL", id="b")]) == [
        ("gone", "the resource is not in the later run"),
        ("new", "the resource is not in the earlier run"),
    ]


def test_a_rule_that_is_not_asked_and_an_account_that_was_not_read() -> None:
    assert changes([finding("FAIL")], [], [RULE], [])[0][0] == "not_asked"
    unread = Rules([RULE], [RULE], [("111122223333", "eu-west-1")])
    (change,) = compare([finding("FAIL")], [], unread)
    assert change.kind == "not_determined"
    other = Rules([RULE], [RULE], [("111122223333", "us-east-1")])
    assert [c.kind for c in compare([finding("FAIL")], [], other)] == ["gone"]


def noted(findings: list[Any]) -> Looked:
    looked = Looked({}, None)
    list(looked.noting(findings))
    return looked


def report_changes(before: list[Any], after: list[Any], rules: Rules | None = None) -> list[tuple[str, str]]:
    sides = (noted(before), noted(after))
    found = compare(before, after, rules or Rules(None, None), sides)
    return [(change.kind, change.why) for change in found]


def test_a_report_without_its_rules_proves_nothing_gone_that_may_not_have_been_asked() -> None:
    """A report names a digest of its rules only: which it asked shows in its verdicts."""
    failing, other = finding("FAIL"), finding("PASS", id="b")
    another = {**finding("PASS"), "rule": "zz-other"}
    kinds = [
        (report_changes([failing], [other]), "gone", "not in the later run"),
        (report_changes([failing], [another]), "not_asked", "no verdict of the rule on it"),
        (report_changes([failing], [{**other, "rule": "zz-other"}]), "not_determined", "does not say which rules"),
        (report_changes([failing], [other], Rules(None, [])), "not_asked", "the rule is not used any more"),
        (report_changes([other], [other, failing]), "new", "the resource is not in the earlier run"),
        (report_changes([another], [another, failing]), "new", "the earlier run has the resource, and no verdict"),
        (report_changes([{**other, "rule": "zz-other"}], [failing]), "new", "does not say which rules"),
    ]  # fmt: skip
    for changes, kind, why in kinds:
        (told,) = changes
        assert told[0] == kind and why in told[1], told


def test_a_type_that_was_not_listed_is_not_gone() -> None:
    """Buckets and roles are listed by one call, which fails in another region than the one they are in."""
    kind = finding("FAIL")["resource"]["type"]
    sent = [("111122223333", "us-east-1")]
    for account, expected in (("111122223333", "not_determined"), ("999988887777", "gone")):
        (change,) = compare([finding("FAIL")], [], Rules([RULE], [RULE], sent, [(account, kind)]))
        assert change.kind == expected


def test_what_passes_in_both_is_not_told() -> None:
    assert changes([finding("PASS", True)], [finding("PASS", True)]) == []


def test_order() -> None:
    assert in_order([finding("PASS", id="a"), finding("PASS", id="b")])
    assert not in_order([finding("PASS", id="b"), finding("PASS", id="a")])


def test_a_snapshot_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match="`policyengine snapshot diff` compares snapshots"):
        read_run(tmp_path)
