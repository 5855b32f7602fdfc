"""Every case of the YAML files: operators, elements, documents, layers. Each names the AWS page it rests on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policyengine.iam.comparisons import OPERATORS
from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.errors import PolicyError
from policyengine.iam.reasons import BLOCKS, REASONS
from policyengine.iam.request import Request
from policyengine.iam.statements import compiled
from tests.iam.scenario import CALLERS, answer, applies, load, scenario

ABSENT = object()
Operators = load("operators.yaml")
Elements = load("elements.yaml")
Documents = load("documents.yaml")
Layers = load("layers.yaml")


def operator_requests() -> list[Any]:
    found = []
    for case in Operators["cases"]:
        requests = [(ABSENT if k == "absent" else k, v) for k, v in case.get("requests", {}).items()]
        requests += [(ABSENT if k is None else k, v) for k, v in case.get("values", [])]
        assert requests, f"a case without an expectation: {case}"
        for value, expected in requests:
            shown = "absent" if value is ABSENT else value
            found.append(
                pytest.param(
                    case, value, expected, id=f"{case['op']}-{case['policy']}-{shown}".replace(" ", "")
                )
            )
    return found


@pytest.mark.parametrize(("case", "value", "expected"), operator_requests())
def test_operator(case: dict[str, Any], value: Any, expected: bool | str) -> None:
    statement = {
        "Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {case["op"]: {"aws:TheKey": case["policy"]}},
    }  # fmt: skip
    result = answer(
        {
            "id": 1,
            "request": {
                "principal": CALLERS["alice"],
                "action": "s3:GetObject",
                "resource": "arn:aws:s3:::b/k",
                "resource_account": "123456789012",
                "context": {} if value is ABSENT else {"aws:thekey": value},
            },
            "identity_policies": [{"Version": "2012-10-17", "Statement": [statement]}],
        }
    )
    assert applies(result) == expected


def test_every_operator_has_a_case() -> None:
    tested = {case["op"].lower() for case in Operators["cases"]}
    assert {name.lower() for name in OPERATORS} <= tested


def element_requests() -> list[Any]:
    return [
        pytest.param(group, case, value, expected, id=f"{case['element']}-{case['policy']}-{value}")
        for group, block in Elements.items()
        for case in block["cases"]
        for value, expected in case["requests"].items()
    ]


@pytest.mark.parametrize(("group", "case", "value", "expected"), element_requests())
def test_element(group: str, case: dict[str, Any], value: str, expected: bool | str) -> None:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    statement.pop(case["element"].removeprefix("Not"), None)
    statement[case["element"]] = case["policy"]
    document: dict[str, Any] = {"Statement": [statement]}
    version = case.get("version", "2012-10-17")
    if version is not None:
        document["Version"] = version
    request = Request(
        value if group == "principal" else CALLERS["alice"],
        value if group == "action" else "sqs:SendMessage",
        value if group in ("resource", "variables") else "arn:aws:s3:::b/k",
        {"aws:PrincipalTag/team": "llm", "aws:PrincipalTag/odd": "a*"},
    )
    policy = read_policy(document, "resource" if group == "principal" else "identity")
    verdict = compiled(policy.statements[0]).verdict(request)
    assert {True: True, False: False}.get(verdict is None) == (expected is True)
    assert (verdict is not None and not isinstance(verdict, str)) == (expected == "unknown")


@pytest.mark.parametrize("case", Documents["refused"], ids=lambda c: c["error"][:70])
def test_refused_document(case: dict[str, Any]) -> None:
    with pytest.raises(PolicyError) as caught:
        read_policy(case["document"], case["kind"])
    assert case["error"] in str(caught.value)


@pytest.mark.parametrize("case", Documents["taken"], ids=lambda c: f"{c['kind']}-{str(c['document'])[:50]}")
def test_taken_document(case: dict[str, Any]) -> None:
    policy = read_policy(case["document"], case["kind"])
    assert len(policy.statements) == 1
    if case["kind"] == "identity":
        statement = policy.statements[0]
        assert (statement.allow, statement.actions, statement.resources) == (True, ("s3:GetObject",), ("*",))


def test_positions_are_kept() -> None:
    lines = {("Statement", 0): 3, ("Statement", 1): 9, ("Statement", 1, "Effect"): 10}
    good = {"Effect": "Allow", "Action": "*", "Resource": "*", "Sid": "First"}
    policy: Policy = read_policy({"Statement": [good, {**good, "Sid": "Other"}]}, "identity", lines.get)
    assert [(s.index, s.sid, s.line) for s in policy.statements] == [(0, "First", 3), (1, "Other", 9)]
    with pytest.raises(PolicyError) as caught:
        read_policy({"Statement": [good, {**good, "Effect": "x"}]}, "identity", lines.get)
    assert (caught.value.path, caught.value.line) == (("Statement", 1, "Effect"), 10)


def layer_cases() -> list[Any]:
    return [
        pytest.param({"page": g["page"], **case}, id=case["case"])
        for g in Layers["groups"]
        for case in g["cases"]
    ]


@pytest.mark.parametrize("case", layer_cases())
def test_layers(case: dict[str, Any]) -> None:
    assert case["page"].startswith("https://docs.aws.amazon.com/")
    result = answer(scenario(case))
    assert result["decision"] == case["expect"], result
    assert ("unknown" in result) == case.get("unknown", False), result
    if "blocked" in case:
        blocked = [f"{r['layer']} {r['code']}" for r in result["reasons"] if r["code"] in BLOCKS]
        assert blocked == case["blocked"]
    if "code" in case:
        assert case["code"] in {r["code"] for r in result["reasons"]}
    if result["decision"] == "Allowed":
        assert not any(r["code"] in BLOCKS for r in result["reasons"])
    if result["decision"] == "ExplicitlyDenied":
        assert result["deciding"]


def test_every_reason_code_is_reached() -> None:
    texts = json.dumps([answer(scenario(c)) for g in Layers["groups"] for c in g["cases"]])
    assert [code for code in (*REASONS, *BLOCKS) if f'"{code}"' not in texts] == []
