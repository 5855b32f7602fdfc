"""Targets whose every name and value is hostile: escapes, markup, commands, formulas, for every source."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

TEXTS = [
    "\x1b[31mred\x1b[0m\x1b]8;;http://evil.example\x07link",
    "a\n::error file=a,line=1::pwned",
    "::warning::pwned",
    "a\r\n##vso[task.setvariable variable=x]y",
    "##[group]x ##teamcity[buildStatus status='SUCCESS']",
    "\u202egnp.exe\u2066\u200b\u00ad",
    "\x00\x7f\x85\x9b31m\u2028",
    "\ufffe\uffff",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "]]><failure/>&amp;&#0;<!--",
    "=cmd|' /c calc'!A1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\uff1d1",
    "x;=1",
    "|a|b|\n|---|---|",
    "` `` ``` ~~~",
    "[x](javascript:alert(1)) ![x](http://e.example/x.png) <http://e.example>",
    "@everyone #1 GH-1 www.e.example",
    "</code></sub></details>",
    "# head\n- item\n> quote",
    "{0} {BucketName} {id} %s ${x} $days",
    "\\",
    "'\"`",
    "../../etc/passwd",
    "C:\\x",
]
SURROGATE = "half \ud83d of a pair"
LONG = "long " + "x" * 1_000_000
PLACE = {"account": "111122223333", "region": "eu-west-1"}

RULE = """\
id: ID
title: TITLE
family: governance
pillar: security
severity: high
applies_to: AWS::S3::Bucket
why: WHY
fix: FIX
require: {field: BucketName, equals: EXPECTED}
message: MESSAGE
references: ['https://docs.aws.amazon.com/?x=<b>|`']
"""
RULES = ("hostile-escapes", "hostile-markup", "hostile-commands")


def rules() -> dict[str, str]:
    """Return rule texts whose prose is hostile, as far as the loader takes it."""
    prose = {
        "hostile-escapes": "\x1b[31mred\x9b31m \u202egnp.exe {BucketName}",
        "hostile-markup": "<script>alert(1)</script> ]]> | `x` </code> [x](javascript:alert(1)) {BucketName}",
        "hostile-commands": "::error::x =cmd|x ##vso[x] @everyone {BucketName}",
    }
    found = {}
    for name, text in prose.items():
        filled = RULE.replace("ID", name, 1)
        plain = text.replace("{", "(").replace("}", ")")
        for word in ("TITLE", "WHY", "FIX", "EXPECTED"):
            filled = filled.replace(word, json.dumps(f"{plain} {word.lower()}"), 1)
        found[name] = filled.replace("MESSAGE", json.dumps(text), 1)
    return found


def lines() -> list[dict[str, Any]]:
    """Return snapshot lines: two resources for each text, which stands wherever text may stand."""
    found: list[dict[str, Any]] = []
    for text in TEXTS:
        tags = {text: text, "Owner": text, "Environment": text}
        encryption = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": text, "KMSMasterKeyID": text}}
        bucket = {
            "type": "AWS::S3::Bucket", "id": text, "arn": f"arn:aws:s3:::{text}", **PLACE, "tags": tags,
            "properties": {
                "BucketName": text, "VersioningConfiguration": {"Status": text}, text: {text: [text]},
                "BucketEncryption": {text: text, "ServerSideEncryptionConfiguration": [encryption]},
            },
            "unknown": [{"path": "/LoggingConfiguration", "reason": "access_denied", "detail": text}],
            "location": {"file": text, "line": 1, "column": 1}, "branch": {text: True},
            "provenance": {"/BucketName": text},
        }  # fmt: skip
        queue = {
            "type": "AWS::SQS::Queue", "id": f"q{text}", **PLACE, "tags": tags,
            "properties": {"QueueName": text, "KmsMasterKeyId": text, "MessageRetentionPeriod": text},
        }  # fmt: skip
        found += [bucket, queue, {"type": f"Custom::{text}", "id": text, **PLACE, "properties": {}}]
    return found


def template() -> dict[str, Any]:
    """Return a template with hostile logical ids, parameters, conditions, metadata and values."""
    resources: dict[str, Any] = {}
    conditions: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    for number, text in enumerate(TEXTS):
        parameters[f"P{number}{text}"] = {"Type": "String", "Description": text, "Default": text}
        conditions[f"C{number}{text}"] = {"Fn::Equals": [{"Ref": f"Missing{text}"}, text]}
        resources[f"{number}{text}"] = {
            "Type": "AWS::S3::Bucket", "Condition": f"C{number}{text}", "Metadata": {"aws:cdk:path": text, text: text},
            "Properties": {
                "BucketName": {"Fn::Sub": f"{text}${{AWS::Region}}"},
                "Tags": [{"Key": "Owner", "Value": {"Ref": f"P{number}{text}"}}, {"Key": text, "Value": text}],
                "BucketEncryption": {"Fn::If": [f"C{number}{text}", {text: text}, {"Ref": "AWS::NoValue"}]},
                text: {"Fn::GetAtt": [text, text]},
            },
        }  # fmt: skip
        resources[f"Q{number}"] = {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": {"Fn::ImportValue": text}},
        }
    return {"Parameters": parameters, "Conditions": conditions, "Resources": resources}


def plan() -> dict[str, Any]:
    """Return a plan with hostile addresses, keys and values."""
    changes = []
    for text in TEXTS:
        changes.append(
            {
                "address": f"module.m[{json.dumps(text)}].aws_s3_bucket.x[{json.dumps(text)}]",
                "module_address": f"module.m[{json.dumps(text)}]", "mode": "managed", "type": "aws_s3_bucket",
                "name": "x", "index": text, "provider_name": "registry.terraform.io/hashicorp/aws",
                "change": {
                    "actions": ["create"], "before": None, "after_unknown": {text: True}, "after_sensitive": {},
                    "after": {"bucket": text, "tags": {"Owner": text, text: text}, "acl": text, text: text},
                },
            }
        )  # fmt: skip
    return {
        "format_version": "1.2",
        "terraform_version": TEXTS[0],
        "planned_values": {"root_module": {}},
        "resource_changes": changes,
    }


def file_names() -> list[str]:
    """Return the texts that a file may be called, with an ending."""
    return [
        f"{text}.yaml" for text in (*TEXTS, os.fsdecode(b"\xff\xfe")) if "/" not in text and "\0" not in text
    ]


def write(folder: Path) -> list[str]:
    """Write every target and rule and return the arguments that scan them."""
    (folder / "rules").mkdir()
    for name, text in rules().items():
        (folder / "rules" / f"{name}.yaml").write_text(text)
    broken = json.dumps({"type": "AWS::S3::Bucket", "id": SURROGATE, **PLACE, "properties": {}})
    (folder / "snapshot.ndjson").write_text(
        "".join(json.dumps(line) + "\n" for line in lines()) + broken + "\n"
    )
    (folder / "template.json").write_text(json.dumps(template()))
    (folder / "plan.json").write_text(json.dumps(plan()))
    (folder / "stacks").mkdir()
    for name in file_names():
        (folder / "stacks" / name).write_text("Resources:\n  B: {Type: AWS::S3::Bucket}\n")
    return ["snapshot.ndjson", "template.json", "plan.json", "stacks", "--rules", "rules"]
