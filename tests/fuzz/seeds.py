"""What is mutated: examples of this repository and, where they are beside it, the public corpora."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from policyengine.model.resource import Resource
from policyengine.rules.data import data_root

ROOT = Path(__file__).resolve().parents[2]
CORPORA = ROOT.parent / "shared" / "corpora"
LARGEST = 24 * 1024
"""Longer seeds are left out: a short file finds the same mistakes in a tenth of the time."""
MOST = 40

LINE = {
    "type": "AWS::EC2::SecurityGroup", "id": "sg-1", "arn": "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1",
    "account": "111122223333", "region": "eu-west-1", "tags": {"Owner": "payments"},
    "properties": {
        "GroupDescription": "web",
        "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}],
    },
    "related": {}, "unknown": [{"path": "/SecurityGroupEgress/-", "reason": "access_denied", "detail": "denied"}],
    "collected_at": "2026-11-21T09:00:00Z",
}  # fmt: skip
ODD_LINE = {
    "type": "AWS::S3::Bucket", "id": "b", "account": "111122223333", "region": "eu-west-1",
    "properties": {"BucketName": "b", "BucketEncryption": {"ServerSideEncryptionConfiguration": []}},
    "location": {"file": "t.yaml", "line": 1, "column": 1}, "branch": {"Prod": True}, "provenance": {"/A": "x"},
}  # fmt: skip
TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Parameters: {Env: {Type: String, Default: dev}, Key: {Type: String, NoEcho: true}}
Mappings: {Sizes: {dev: {Size: 1}, prod: {Size: 9}}}
Conditions: {Prod: !Equals [!Ref Env, prod], Other: !Not [!Condition Prod]}
Resources:
  B: &b
    Type: AWS::S3::Bucket
    Condition: Prod
    Properties:
      BucketName: !Sub "${Env}-${AWS::AccountId}"
      Tags: [{Key: Owner, Value: !If [Prod, a, !Ref AWS::NoValue]}]
  G:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: !Join [" ", [a, !GetAtt B.Arn]]
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 22, ToPort: !FindInMap [Sizes, !Ref Env, Size], CidrIp: !Select [0, !Cidr [10.0.0.0/16, 4, 8]]}
  Fn::ForEach::Q: [N, [a, b], {"Q${N}": {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref N}}}]
"""
CONFIG = """\
parameters:
  tags-mandatory: {keys: [Owner, CostCenter]}
scopes:
  - {account: "111122223333", parameters: {tags-mandatory: {keys: [Owner]}}}
  - {tag: {Team: web}, parameters: {tags-mandatory: {keys: [Team]}}}
severities: {tags-mandatory: high}
disabled: {tags-no-placeholders: we check that elsewhere}
"""


HCL = """\
resource "aws_s3_bucket" "x" {
  for_each = { a = 1, "b" = 2 }
  bucket   = "${var.name}-${each.key}" # a comment
  /* another */ tags = merge(local.tags, { Owner = "x" })
  dynamic "rule" {
    for_each = [1]
    content { value = <<-EOT
      text ${upper("x")}
      EOT
    }
  }
}
module "m" {
  source = "./m"
}
"""
FINDING = {
    "id": "ab12", "rule": "s3-versioning", "family": "resilience", "severity": "medium", "verdict": "FAIL",
    "reason": "missing", "message": "m", "resource": {"type": "AWS::S3::Bucket", "id": "b", "arn": None, "account": "1", "region": "r"},
    "location": {"file": "t.yaml", "line": 1, "column": 2}, "branch": {"Prod": True},
    "evidence": [{"path": "/A/0", "observed": {"unresolved": "throttled"}, "expected": "x", "provenance": "AWS default"}],
    "witness": {"principal": "p", "action": "a", "resource": "r", "context": {"k": "v"}},
    "frameworks": {"cis": ["1.1"]}, "remediation": "s3_versioning", "waiver": {"owner": "o"},
}  # fmt: skip


def _files(folder: Path, *endings: str) -> list[bytes]:
    found = sorted(p for p in folder.glob("*") if p.suffix in endings and p.stat().st_size <= LARGEST)
    step = max(1, len(found) // MOST)
    return [path.read_bytes() for path in found[::step]]


@cache
def templates(suffix: str) -> list[bytes]:
    """Return CloudFormation templates in YAML or JSON."""
    endings = (".json",) if suffix == "json" else (".yaml", ".yml")
    own = [TEMPLATE.encode(), (ROOT / "examples" / "template.yaml").read_bytes()] if suffix == "yaml" else []
    return own + _files(CORPORA / "cloudformation", *endings) or [_json_template()]


def _json_template() -> bytes:
    resource = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "${AWS::Region}-x"}}}
    return json.dumps(
        {"Conditions": {"C": {"Fn::Equals": ["a", "b"]}}, "Resources": {"B": resource}}
    ).encode()


@cache
def plans() -> list[bytes]:
    """Return Terraform plans."""
    return [(ROOT / "examples" / "plan.json").read_bytes(), *_files(CORPORA / "terraform-plans", ".json")]


@cache
def parameters() -> list[bytes]:
    """Return files of template parameters in both AWS formats."""
    listed = [
        {"ParameterKey": "Env", "ParameterValue": "prod"},
        {"ParameterKey": "Key", "UsePreviousValue": True},
    ]
    return [
        json.dumps(listed).encode(),
        json.dumps({"Parameters": {"Env": "prod", "Sizes": ["1", "2"]}}).encode(),
    ]


@cache
def configuration_sources() -> list[bytes]:
    """Return Terraform configurations: that of the first plan first."""
    own = [path.read_bytes() for path in sorted((ROOT / "examples" / "terraform").rglob("*.tf"))]
    return [*own, HCL.encode()]


@cache
def run_files() -> list[bytes]:
    """Return findings documents and lines of ndjson reports with one finding."""
    document = {"schema": "policyengine/findings/v1", "findings": [FINDING]}
    return [json.dumps(document, indent=1).encode(), json.dumps({"finding": FINDING}).encode() + b"\n"]


@cache
def lines() -> list[bytes]:
    """Return snapshot lines."""
    return [json.dumps(LINE).encode(), json.dumps(ODD_LINE).encode()]


def snapshot_resources() -> list[Resource]:
    """Return the resources of the snapshot directory that is damaged."""
    place = {"account": "111122223333", "region": "eu-west-1"}
    group = dict(LINE["properties"])  # type: ignore[call-overload]  # LINE is a constant of this module
    return [
        Resource("AWS::EC2::SecurityGroup", "sg-1", properties=group, tags={"Owner": "x"}, **place),
        Resource("AWS::S3::Bucket", "b", properties={"BucketName": "b"}, tags={}, **place),
        Resource("AWS::IAM::Role", "r", account="111122223333", region="global", properties={}, tags={}),
    ]


@cache
def rules() -> list[bytes]:
    """Return rule files: the smallest of each service."""
    found = sorted(data_root().rules.rglob("*.yaml"))
    own = [p for p in found if not p.name.endswith(".test.yaml")]
    return [p.read_bytes() for p in own[:: max(1, len(own) // MOST)]]


@cache
def rule_tests() -> list[tuple[bytes, bytes]]:
    """Return (rule, its tests)."""
    found = sorted(data_root().rules.rglob("*.test.yaml"))
    pairs = [(p.with_name(p.name.replace(".test.yaml", ".yaml")), p) for p in found]
    return [(rule.read_bytes(), test.read_bytes()) for rule, test in pairs[:: max(1, len(pairs) // MOST)]]


@cache
def configurations() -> list[bytes]:
    """Return ``policyengine.yaml`` files."""
    return [CONFIG.encode(), (ROOT / "examples" / "policyengine.yaml").read_bytes()]
