"""What `explain RULE` shows of a rule's cases, and its checks in words."""

from __future__ import annotations

from typing import Any

from policyengine.cli.examples import examples_of
from policyengine.cli.pages import rule_page
from policyengine.rules.data import data_root
from policyengine.rules.packs import load_packs

TRUST = {
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
}


def role(name: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "AWS::IAM::Role",
        "id": name,
        "properties": {"AssumeRolePolicyDocument": TRUST, **properties},
    }


def policy(**statement: Any) -> list[Any]:
    return [
        {
            "PolicyName": "p",
            "PolicyDocument": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", **statement}},
        }
    ]


def shown(*cases: dict[str, Any]) -> dict[str, list[str]]:
    return {case["expect"]: text.split("\n") for case, text in examples_of(list(cases))}


def test_cases_show_what_tells_them_apart_and_policies_as_sentences() -> None:
    found = shown(
        {"case": "a", "expect": "PASS", "resources": [role("app")]},
        {
            "case": "b",
            "expect": "FAIL",
            "resources": [role("app", Policies=policy(Action=["s3:*", "ec2:*"], Resource="*"))],
        },
    )
    assert found == {
        "PASS": ["IAM::Role app has no Policies"],
        "FAIL": ["IAM::Role app Policies: Allow s3:*, ec2:* on *"],
    }


def test_a_resource_that_only_one_case_has_is_one_line() -> None:
    found = shown(
        {"case": "a", "expect": "PASS", "resources": [role("app")]},
        {"case": "b", "expect": "FAIL", "resources": [role("app"), role("other")]},
    )
    assert found["PASS"] == ["without IAM::Role other"]
    assert found["FAIL"] == ["with IAM::Role other: Allow sts:AssumeRole to ec2.amazonaws.com"]


def test_all_elements_of_a_statement_are_told() -> None:
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    statement = policy(
        NotAction="iam:*", NotResource=["a", "b"], NotPrincipal={"AWS": "*"}, Condition=condition
    )
    found = shown(
        {"case": "a", "expect": "PASS", "resource": {"Policies": statement}},
        {"case": "b", "expect": "FAIL", "resource": {}, "parameters": {"n": 1}},
    )
    assert found["PASS"] == [
        "Policies: Allow all but iam:* to all but * on all but a, b if Bool: {aws:SecureTransport: false}",
        "no parameters",
    ]
    assert found["FAIL"] == ["parameters: {n: 1}", "no Policies"]


def test_at_most_three_cases_of_four_lines() -> None:
    verdicts = ("PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE")
    cases = [{"case": v, "expect": v, "resource": {f"{v}{n}": "x" * 500 for n in range(9)}} for v in verdicts]
    found = shown(*cases)
    assert list(found) == ["PASS", "FAIL", "UNKNOWN"]
    assert all(len(lines) == 5 and lines[-1] == "and 14 more" for lines in found.values())
    assert max(len(line) for lines in found.values() for line in lines) < 200


def test_hostile_cases_end() -> None:
    deep: Any = "x"
    for _ in range(400):
        deep = {"Statement": [{"Action": {"a": deep}, "Principal": deep, "Resource": [deep]}]}
    assert "…" in shown({"case": "a", "expect": "PASS", "resource": {"P": deep}})["PASS"][0]
    assert examples_of("no list") == []
    assert examples_of([1, {"case": 2}, {"case": "a", "expect": "MAYBE"}]) == []


def test_a_predicate_is_told_in_words() -> None:
    page = " ".join(rule_page("bedrock-services-denied-outside-approved-regions", ()).split())
    assert "SCPs deny every request of the set" in page
    assert "requests: action $actions; context aws:RequestedRegion not $approved_regions" in page


def test_every_rule_has_a_short_page() -> None:
    """Lines a person reads; the longest pages are those of rules with long lists of parameters."""
    assert data_root().rules.is_dir()
    for form in load_packs(()).rules[::40]:
        page = rule_page(form["id"], ())
        assert len(page.splitlines()) < 110, form["id"]
        assert max(map(len, page.splitlines())) <= 160, form["id"]
