"""What the demo promises: each comment "wrong" in the examples is found, on its line, by the rule meant for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

TEMPLATE = [
    ("PublicSubnetA", "subnet-no-public-ip-on-launch", "MapPublicIpOnLaunch: true # wrong"),
    ("AppGroup", "security-group-admin-ports-closed", "0.0.0.0/0] # wrong unless Environment is prod"),
    ("AppGroup", "security-group-public-ports-only-web", "0.0.0.0/0] # wrong unless Environment is prod"),
    ("DataGroup", "security-group-database-ports-closed", "CidrIp: 0.0.0.0/1"),
    ("PartnerGroup", "security-group-egress-restricted", "PartnerGroup:"),
    ("Balancer", "alb-behind-waf", "Balancer: # wrong"),
    ("Balancer", "load-balancer-access-logs", 'access_logs.s3.enabled, Value: "false"} # wrong'),
    ("HttpsListener", "elb-tls-policy", "ELBSecurityPolicy-2016-08 # wrong"),
    ("OldKey", "kms-key-rotation", "EnableKeyRotation: false # wrong"),
    ("Orders", "rds-multi-az", "false] # wrong unless Environment is prod"),
    ("Reports", "rds-engine-supported", 'EngineVersion: "11.22" # wrong'),
    ("Reports", "rds-storage-encrypted", "StorageEncrypted: false # wrong"),
    ("Reports", "rds-instance-not-public", "PubliclyAccessible: true # wrong"),
    ("Reports", "rds-backup-retention", "BackupRetentionPeriod: 0 # wrong"),
    ("Reports", "tags-mandatory", "{Key: Cost-Center, Value: cc-210} # wrong"),
    ("Reports", "tags-no-placeholders", "{Key: Owner, Value: TBD} # wrong"),
    ("Logs", "s3-server-access-logging", "Logs: # wrong"),
    ("Logs", "s3-incomplete-uploads-removed", "Logs: # wrong"),
    ("Logs", "s3-versioning", "{Status: Suspended} # wrong"),
    ("Logs", "s3-bucket-public-access-block", "IgnorePublicAcls: true} # wrong: two of four"),
    ("MailQueue", "sqs-encrypted", "SqsManagedSseEnabled: false # wrong"),
    ("ThumbnailFunction", "lambda-runtime-supported", "Runtime: nodejs16.x # wrong"),
    ("ThumbnailFunction", "tags-mandatory", "ThumbnailFunction:"),
    ("ThumbnailLogs", "log-group-retention-set", "ThumbnailLogs:"),
    ("ThumbnailLogs", "log-group-customer-managed-key", "ThumbnailLogs:"),
    ("DeployRole", "github-oidc-role-no-strangers", "- Effect: Allow"),
    ("DeployRole", "iam-pass-role-names-roles", 'Resource: "*"} # wrong: any role'),
    ("DeployRole", "iam-principal-no-escalation", "DeployRole:"),
    ("Build", "codebuild-environment-without-secrets", "Type: PLAINTEXT} # wrong"),
    ("Build", "codebuild-webhook-only-named-actors", "# wrong: whoever opens one runs code here"),
]
"""(logical id, rule that fails, text of the line the finding names)"""

PLAN = [
    ("aws_s3_bucket.scratch", "s3-versioning", 'resource "aws_s3_bucket" "scratch"'),
    ("aws_s3_bucket.scratch", "s3-server-access-logging", 'resource "aws_s3_bucket" "scratch"'),
    ("aws_s3_bucket.scratch", "tags-no-placeholders", "tags = {"),
    ("aws_security_group.app", "security-group-admin-ports-closed", '"0.0.0.0/0" # wrong'),
    ("aws_db_instance.reports", "rds-backup-retention", "= 3     # wrong"),
    ("aws_db_instance.reports", "rds-multi-az", "= false # wrong"),
    ("aws_ebs_volume.data[1]", "ebs-volume-encrypted", "encrypted         = count.index == 0"),
    ("aws_ebs_volume.data[1]", "ebs-volume-not-gp2", '"gp2" # wrong'),
    ("module.queue.aws_sqs_queue.dead", "sqs-encrypted", "sqs_managed_sse_enabled = false # wrong"),
]

UNKNOWN = [
    ("Orders", "rds-backup-retention", "unresolved_reference"),
    ("PartnerGroup", "security-group-admin-ports-closed", "unresolved_reference"),
    ("MailQueue", "sqs-dead-letter-queue", "not_collected"),
]

RIGHT = [
    "Vpc", "PublicSubnetB", "AppSubnetA", "DataSubnetA", "BalancerGroup", "Key", "DataSubnets", "Invoices",
    "OrderQueue", "DeadLetters", "OrderFunction", "OrderLogs", "aws_kms_key.data", "module.queue.aws_sqs_queue.main",
]  # fmt: skip
"""Resources without a comment: nothing that matters is wrong with them."""


@cache
def document() -> dict[str, Any]:
    """The findings of the template and the plan, as `make demo` scans them."""
    options = ["--config", "examples/policyengine.yaml", "--terraform-source", "examples/terraform"]
    done = subprocess.run(
        [sys.executable, "-m", "policyengine", "scan", "examples/template.yaml", "examples/plan.json", *options,
         "--as-of", "2026-11-21T12:00:00Z", "--fail-on", "never", "--format", "json"],
        cwd=ROOT, capture_output=True, env={**os.environ, "NO_COLOR": "1"}, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def finding(resource: str, rule: str) -> dict[str, Any]:
    found = [f for f in document()["findings"] if f["resource"]["id"] == resource and f["rule"] == rule]
    assert len(found) == 1, f"{len(found)} findings of {rule} on {resource}"
    return found[0]


@pytest.mark.parametrize(("resource", "rule", "line"), TEMPLATE + PLAN)
def test_what_is_wrong_on_purpose_fails_on_its_line(resource: str, rule: str, line: str) -> None:
    found = finding(resource, rule)
    assert found["verdict"] == "FAIL"
    place = found["location"]
    text = (ROOT / place["file"]).read_text().splitlines()[place["line"] - 1]
    assert line in text
    assert text[place["column"] - 1 :].strip(), "the column is inside the line"


@pytest.mark.parametrize(("resource", "rule", "reason"), UNKNOWN)
def test_what_nobody_can_know_is_unknown(resource: str, rule: str, reason: str) -> None:
    found = finding(resource, rule)
    assert (found["verdict"], found["reason"]) == ("UNKNOWN", reason)


def test_every_comment_has_a_finding_that_is_pinned_here() -> None:
    texts = [line for _, _, line in TEMPLATE + PLAN]
    files = [ROOT / "examples/template.yaml", *sorted((ROOT / "examples/terraform").rglob("*.tf"))]
    comments = [line for path in files for line in path.read_text().splitlines() if "# wrong" in line]
    allowed = {
        "DataFromEverywhere: # wrong: a database port open to two halves of the internet",
        "# wrong: without SecurityGroupEgress AWS lets everything out",
        "# wrong: no tags at all",
        'Condition: {StringEquals: {"token.actions.githubusercontent.com:aud": sts.amazonaws.com}} # wrong: whose repository?',
        'LogGroupName: !Sub "/aws/lambda/${ThumbnailFunction}" # wrong: kept for ever, no key',
        'bucket = "example-analytics-reporting-scratch" # wrong: no versioning, no access log',
        'Owner = "TBD" # wrong: a placeholder',
    }  # what is missing has no line of its own
    loose = [c.strip() for c in comments if not any(text in c for text in texts)]
    assert set(loose) == allowed


@pytest.mark.parametrize("resource", RIGHT)
def test_what_is_not_marked_has_nothing_worse_than_low(resource: str) -> None:
    found = [f for f in document()["findings"] if f["resource"]["id"] == resource]
    assert found, "the resource is evaluated"
    failed = [f["rule"] for f in found if f["verdict"] == "FAIL" and f["severity"] != "low"]
    assert failed == []


def test_the_witness_of_a_trust_policy_is_a_token_of_a_stranger() -> None:
    found = finding("DeployRole", "github-oidc-role-no-strangers")
    assert "sub = repo:someone-else/repo" in found["message"]
    assert found["witness"]["action"] == "sts:AssumeRoleWithWebIdentity"


def test_a_branch_is_named_where_the_environment_decides() -> None:
    assert finding("Orders", "rds-multi-az")["branch"] == {"IsProd": False}
    assert finding("AppGroup", "security-group-admin-ports-closed")["branch"] == {"IsProd": False}
    assert finding("DataGroup", "security-group-database-ports-closed")["branch"] is None
    assert finding("Reports", "rds-storage-encrypted")["branch"] is None


def test_the_frame_in_the_readme_is_what_is_printed() -> None:
    shown = (ROOT / "README.md").read_text().split("begins:\n\n```\n")[1].split("```")[0]
    done = subprocess.run(
        [sys.executable, "-m", "policyengine", "scan", "examples/template.yaml",
         "--rule", "security-group-admin-ports-closed"],
        cwd=ROOT, capture_output=True, env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100"}, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout.decode().startswith(shown)


def test_the_four_verdicts_occur() -> None:
    verdicts = Counter(f["verdict"] for f in document()["findings"])
    assert all(verdicts[name] > 10 for name in ("PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"))


def test_a_plan_with_its_configuration_leads_to_tf_lines() -> None:
    files = {f["location"]["file"] for f in document()["findings"] if f["resource"]["id"].count(".")}
    assert files == {"examples/terraform/main.tf", "examples/terraform/modules/queue/main.tf"}


def test_the_configuration_is_the_one_of_the_examples() -> None:
    retention = finding("aws_db_instance.reports", "rds-backup-retention")
    assert retention["evidence"][0]["expected"] == "at least 14"
    assert retention["severity"] == "high"
