"""Scenarios of the tests, from the short forms of the YAML files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from policyengine.iam.scenarios import Decider

HERE = Path(__file__).parent
ACCOUNT = "123456789012"
CALLERS = {
    "alice": f"arn:aws:iam::{ACCOUNT}:user/alice",
    "bob": f"arn:aws:iam::{ACCOUNT}:user/bob",
    "app": f"arn:aws:iam::{ACCOUNT}:role/app",
    "session": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s1",
    "fed": f"arn:aws:sts::{ACCOUNT}:federated-user/alice",
    "root": f"arn:aws:iam::{ACCOUNT}:root",
    "root2": "arn:aws:iam::210987654321:root",
    "stranger": "arn:aws:iam::210987654321:user/eve",
    "slr": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
    "service": "cloudtrail.amazonaws.com",
    "saml": f"arn:aws:iam::{ACCOUNT}:saml-provider/p",
    "saml2": f"arn:aws:iam::{ACCOUNT}:saml-provider/q",
    "anyone": "*",
}
TARGETS = {
    "key": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234",
    "role": f"arn:aws:iam::{ACCOUNT}:role/target",
}


def load(name: str) -> Any:
    return yaml.safe_load((HERE / name).read_text(encoding="utf-8"))


def statement(short: str | dict[str, Any]) -> dict[str, Any]:
    """`Effect Action Resource [for PRINCIPAL… | but PRINCIPAL…]`; a `-` for no Resource."""
    if isinstance(short, dict):
        return short
    effect, action, resource, *rest = short.split()
    found: dict[str, Any] = {"Effect": effect, "Action": action}
    if resource != "-":
        found["Resource"] = resource
    if rest:
        found["Principal" if rest[0] == "for" else "NotPrincipal"] = principal(rest[1:])
    return found


def principal(names: list[str]) -> Any:
    if names == ["*"]:
        return "*"
    kinds: dict[str, list[str]] = {}
    for name in names:
        kind = {"service": "Service", "saml": "Federated"}.get(name, "AWS")
        kinds.setdefault(kind, []).append(CALLERS.get(name, name))
    return kinds


def document(statements: list[Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [statement(s) for s in statements]}


def scenario(case: dict[str, Any]) -> dict[str, Any]:
    """Return the scenario of a case of layers.yaml."""
    known = {"case", "page", "caller", "action", "target", "context", "identity", "resource", "boundary",
             "session", "scps", "rcps", "endpoint", "public", "management", "expect", "unknown", "blocked",
             "code"}  # fmt: skip
    assert case.keys() <= known, f"unknown keys {case.keys() - known}"
    one = {
        new: document(case[old])
        for old, new in [
            ("boundary", "permissions_boundary"), ("resource", "resource_policy"), ("endpoint", "endpoint_policy"),
        ]
        if old in case
    }  # fmt: skip
    target = case.get("target", "arn:aws:s3:::b/k")
    return {
        "id": case["case"],
        "request": {
            "principal": CALLERS[case["caller"]],
            "action": case.get("action", "s3:GetObject"),
            "resource": TARGETS.get(target, target),
            "resource_account": ACCOUNT,
            "context": case.get("context", {}),
        },
        "identity_policies": [document(case["identity"])] if "identity" in case else [],
        "session_policies": [document([s]) for s in case["session"]] if "session" in case else None,
        "scps": [[document([s]) for s in level] for level in case.get("scps", [])],
        "rcps": [[document([s]) for s in level] for level in case.get("rcps", [])],
        "public_access_block": case.get("public"),
        "management_account": case.get("management"),
        **one,
    }


def answer(found: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of a fresh decider."""
    result: dict[str, Any] = json.loads(Decider().answer(json.dumps(found)))
    return result


def applies(result: dict[str, Any]) -> bool | str:
    """Return what the only statement, an Allow, did: True, False or `unknown`."""
    return "unknown" if "unknown" in result else result["decision"] == "Allowed"
