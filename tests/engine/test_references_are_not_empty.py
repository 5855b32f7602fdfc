"""What refers to a resource of the same source is an id, a name or an ARN: never the empty text."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.rules.schema import Case
from policyengine.testing.cases import run_case

FORM: dict[str, Any] = {
    "id": "r", "title": "t", "family": "network", "pillar": "security", "severity": "low", "why": "", "fix": "",
    "applies_to": ["AWS::CloudFront::Distribution"], "message": "m", "parameters": {}, "frameworks": {},
    "remediation": None, "references": [],
}  # fmt: skip


def verdict(operator: str, value: Any) -> str:
    node = {
        "op": "field", "root": "properties", "steps": ["DistributionConfig", "WebACLId"], "in_resource": True,
        "test": operator, "value": "", "kind": "string", "absent": operator == "equals", "defaults": [],
        "secret": False,
    }  # fmt: skip
    variant = {"types": FORM["applies_to"], "with": {}, "when": None, "require": node}
    given = [
        {"type": "AWS::CloudFront::Distribution", "properties": {"DistributionConfig": {"WebACLId": value}}},
        {"type": "AWS::WAFv2::WebACL", "id": "Acl"},
    ]
    case = Case.model_validate({"case": "one", "resources": given, "expect": "PASS"})
    finding = run_case({**FORM, "variants": [variant]}, case).finding
    assert finding is not None
    return finding.verdict


@pytest.mark.parametrize(
    ("value", "not_empty"),
    [
        ({"Fn::GetAtt": ["Acl", "Arn"]}, "PASS"),
        ({"Ref": "Acl"}, "PASS"),
        ({"Ref": "Parameter"}, "UNKNOWN"),
        ("arn:aws:wafv2:us-east-1:111122223333:global/webacl/a/1", "PASS"),
        ("", "FAIL"),
    ],
)
def test_not_empty(value: Any, not_empty: str) -> None:
    opposite = {"PASS": "FAIL", "FAIL": "PASS", "UNKNOWN": "UNKNOWN"}
    assert verdict("not_equals", value) == not_empty
    assert verdict("equals", value) == opposite[not_empty]
