"""A fixed set of findings with every verdict, place and kind of hostile text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from policyengine.model.finding import Evidence, Finding, Witness, build_finding
from policyengine.model.location import Location
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, Unresolved
from policyengine.reports.base import RuleInfo, RunError, RunInfo

TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Resources:
  Logs:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: logs
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault:
              SSEAlgorithm: AES256
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties:
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}
  Database:
    Type: AWS::RDS::DBInstance
    Properties:
      MasterUserPassword: hunter2-in-clear
      BackupRetentionPeriod: !If [IsProd, 7, 1]
      StorageEncrypted: !Ref Encrypt
"""

HOSTILE = (
    "</script><script>alert('x')</script>",
    "quote \" and ' and `tick` | pipe \\ slash",
    "abc\u202egnp.exe",
    "line\nbreak\r\n::error::injected\t##[set-env name=A]b",
    "\x1b[2J\x1b]0;owned\x07 \x00 \x9b31m",
    '=HYPERLINK("http://evil";"x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "%0A::stop-commands::x, a:b,c",
    "long " + "x" * 10_000,
    "日本語の名前 \U0001f512 e\u0301",
    "lone \ud800 surrogate \ufffe",
    "..",
    "@everyone #1 https://evil.example www.evil.example **bold** <!-- -->",
)


class Lines:
    """Source text held in memory."""

    def __init__(self, files: dict[str, str]) -> None:
        self._files = files

    def lines(self, file: str) -> Sequence[str] | None:
        text = self._files.get(file)
        return None if text is None else text.split("\n")

    def absolute(self, file: str) -> str | None:
        return f"/repo/{file}" if file in self._files else None


SOURCE = Lines({"infra/stack.yaml": TEMPLATE})

RULES = {
    rule.id: rule
    for rule in (
        RuleInfo(
            "ec2-ssh-not-open",
            "SSH is never open to the internet",
            "network",
            "security",
            "critical",
            "Password guessing against port 22 starts within minutes of an address becoming public.",
            "Remove the rule and use Session Manager, or allow only your own ranges in `CidrIp`.",
            ("https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html",),
            {"aws-fsbp": [("EC2.13", "whole")], "cis-aws-7.0": [("5.3", "part")]},
        ),
        RuleInfo(
            "s3-kms-encryption",
            "S3 buckets are encrypted with a customer managed key",
            "encryption",
            "security",
            "high",
            "Anyone with s3:GetObject can read objects that are encrypted with the service's own key.",
            "Set `BucketEncryption` with `SSEAlgorithm: aws:kms` and your key.",
            ("https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html",),
            {"aws-fsbp": [("S3.17", "whole")]},
        ),
        RuleInfo(
            "rds-backup-retention",
            "RDS instances keep automated backups for at least 7 days",
            "resilience",
            "reliability",
            "medium",
            "With one day of backups a mistake noticed on Monday cannot be undone.",
            "Set `BackupRetentionPeriod` to at least 7.",
            (),
            {"aws-fsbp": [("RDS.11", "whole")]},
        ),
        RuleInfo(
            "tags-mandatory",
            "Resources carry the mandatory tags",
            "tagging",
            "operational-excellence",
            "low",
            "Untagged resources have no owner when something breaks.",
            "Add the tags.",
        ),
    )
}


def make(rule: str, resource: Resource, verdict: str, reason: str, message: str, **more: Any) -> Finding:
    info = RULES[rule]
    return build_finding(
        rule=rule,
        title=info.title,
        family=info.family,
        severity=info.severity,
        verdict=verdict,
        reason=reason,
        message=message,
        resource=resource,
        frameworks={name: [c for c, _ in found] for name, found in info.frameworks.items()},
        **more,
    )


def in_file(kind: str, logical_id: str, place: Location) -> Resource:
    return Resource(kind, logical_id, None, None, {}, file="infra/stack.yaml", locate=lambda _path: place)


def in_account(kind: str, physical_id: str, region: str = "eu-west-1", arn: str | None = None) -> Resource:
    return Resource(kind, physical_id, "111122223333", region, {}, arn=arn)


def at(line: int, text: str) -> Location:
    """Where ``text`` stands in a line of the template."""
    column = TEMPLATE.split("\n")[line - 1].index(text) + 1
    return Location("infra/stack.yaml", line, column, line, column + len(text))


def _ports() -> Evidence:
    return Evidence(
        ("SecurityGroupIngress", 0, "CidrIp"), "0.0.0.0/0", "no public source on port 22", "open_to_internet"
    )


def _file_findings() -> list[Finding]:
    bucket = in_file("AWS::S3::Bucket", "Logs", at(12, "AES256"))
    web = in_file("AWS::EC2::SecurityGroup", "Web", at(17, "0.0.0.0/0"))
    database = in_file("AWS::RDS::DBInstance", "Database", at(22, "!If [IsProd, 7, 1]"))
    algorithm = ("BucketEncryption", "ServerSideEncryptionConfiguration", 0, "SSEAlgorithm")
    secret = Evidence(
        ("StorageEncrypted",),
        Unresolved("unresolved_reference", "Ref: Encrypt"),
        "true",
        "unresolved_reference",
    )
    return [
        make(
            "s3-kms-encryption",
            bucket,
            "FAIL",
            "value_mismatch",
            "objects are encrypted with AES256, not with a key",
            evidence=[Evidence(algorithm, "AES256", "aws:kms", "value_mismatch")],
            remediation="s3_kms_encryption",
        ),
        make(
            "ec2-ssh-not-open",
            web,
            "FAIL",
            "open_to_internet",
            "port 22 is open to 0.0.0.0/0",
            evidence=[_ports()],
        ),
        make(
            "rds-backup-retention",
            database,
            "FAIL",
            "value_mismatch",
            "backups are kept for 1 days; at least 7 are required",
            evidence=[Evidence(("BackupRetentionPeriod",), 1, "at least 7", "value_mismatch")],
            branch={"IsProd": False},
        ),
        make(
            "tags-mandatory",
            database,
            "UNKNOWN",
            "unresolved_reference",
            "the tags cannot be read",
            evidence=[secret],
            location=Location("infra/stack.yaml", 19, 5, 23, 38),
        ),
    ]


def _account_findings() -> list[Finding]:
    group = in_account(
        "AWS::EC2::SecurityGroup", "sg-0a1", arn="arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a1"
    )
    bucket = in_account("AWS::S3::Bucket", "archive", "us-east-1")
    database = in_account("AWS::RDS::DBInstance", "orders")
    waiver = {
        "owner": "payments",
        "approver": "ciso",
        "reason": "legacy",
        "ticket": "SEC-1",
        "expires": "2026-12-31",
    }
    witness = Witness(
        "arn:aws:iam::111122223333:role/app",
        "s3:GetObject",
        "arn:aws:s3:::archive/*",
        {"aws:SecureTransport": True},
    )
    denied = Evidence(
        ("Tags",), Unresolved("access_denied", "s3:GetBucketTagging denied"), "present", "access_denied"
    )
    missing = [
        Evidence(("tags", key), ABSENT, "present", "tag_missing")
        for key in ("Owner", "Project", "CostCenter", "Environment", "Team")
    ]
    default = Evidence(("BackupRetentionPeriod",), 1, "at least 7", "aws_default", "AWS default")
    return [
        make(
            "ec2-ssh-not-open",
            group,
            "FAIL",
            "open_to_internet",
            "port 22 is open to 0.0.0.0/0",
            evidence=[_ports()],
            waiver=waiver,
        ),
        make(
            "rds-backup-retention",
            database,
            "FAIL",
            "aws_default",
            "backups are kept for 1 days; at least 7 are required",
            evidence=[default],
        ),
        make(
            "tags-mandatory",
            database,
            "FAIL",
            "tag_missing",
            "5 mandatory tags are missing",
            evidence=missing,
        ),
        make(
            "s3-kms-encryption",
            bucket,
            "PASS",
            "requirement_met",
            "the requirement is met",
            evidence=[],
            witness=witness,
        ),
        make(
            "tags-mandatory",
            bucket,
            "UNKNOWN",
            "access_denied",
            "the tags could not be read",
            evidence=[denied],
        ),
        make(
            "rds-backup-retention",
            in_account("AWS::RDS::DBInstance", "replica"),
            "NOT_APPLICABLE",
            "when_not_met",
            "the rule does not apply to replicas",
            evidence=[],
        ),
    ]


def _hostile_findings() -> list[Finding]:
    found = []
    for text in HOSTILE:
        evidence = [Evidence(("tags", text), text, f"not {text}", "tag_value", text)]
        found.append(
            make(
                "tags-mandatory",
                in_account("Custom::Thing", text),
                "FAIL",
                "tag_value",
                text,
                evidence=evidence,
            )
        )
    odd = Location("dir with space/100%/[x] ü#1?.yaml", 3, 1)
    resource = Resource("Custom::Thing", "Odd", None, None, {}, file=odd.file, locate=lambda _path: odd)
    deep: dict[str, Any] = {
        "nan": float("nan"),
        "huge": 10**400,
        "bytes": b"x",
        "list": [1, {"a": [None, ABSENT]}],
    }
    found.append(
        make(
            "tags-mandatory",
            resource,
            "FAIL",
            "tag_value",
            "odd path",
            evidence=[Evidence((), deep, "sane", "tag_value")],
        )
    )
    return found


def findings(hostile: bool = True) -> list[Finding]:
    """Every kind of finding, in report order."""
    found = _file_findings() + _account_findings() + (_hostile_findings() if hostile else [])
    return sorted(found, key=lambda finding: finding.sort_key)


def run(**changes: Any) -> RunInfo:
    """A complete run; keyword arguments replace fields."""
    values: dict[str, Any] = {
        "id": "run-0123456789",
        "started_at": "2026-11-21T09:00:00Z",
        "finished_at": "2026-11-21T09:00:01Z",
        "engine_version": "0.1.0",
        "as_of": "2026-11-21T09:00:00Z",
        "rule_pack_digest": "sha256:" + "ab" * 32,
        "rule_count": 120,
        "targets": ["infra/stack.yaml"],
        "accounts": ["111122223333"],
        "regions": ["eu-west-1", "us-east-1"],
        "resources": 23,
    }
    return RunInfo(**{**values, **changes})


def broken_run() -> RunInfo:
    """An incomplete run with everything there is to say."""
    return run(
        complete=False,
        errors=[
            RunError(
                "input_error", "line 12 is no JSON: found `}`", "snap.ndjson", Location("snap.ndjson", 12, 3)
            ),
            RunError(
                "access_denied",
                "the call was denied",
                None,
                None,
                "111122223333",
                "eu-west-1",
                "ec2:DescribeVpcs",
            ),
        ],
        skipped={"not an AWS template": 3, "macro event": 1},
        notes=["infra/stack.yaml:5:3: suppression in `Metadata` of `Logs` is not honoured: use a waiver"],
        unknown_types={"Custom::Thing": 3, "AWS::New::Service": 1},
        undecidable=["cloudtrail-multi-region", "iam-root-mfa"],
    )
