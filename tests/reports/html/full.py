"""A run with everything that the page can show: frameworks, waivers, history, gaps, shadow AI, proof."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from policyengine.model.finding import Finding
from policyengine.reports.base import Context, RunInfo, write_reports
from policyengine.reports.extras import (
    BaselineInfo,
    Extras,
    FrameworkInfo,
    Milestones,
    PlaceLooked,
    Proof,
    Remains,
    Repairs,
    TrendPoint,
    WaiverInfo,
)
from policyengine.reports.html.report import HtmlReport

from .. import sample

FRAMEWORKS = {
    "aws-fsbp": FrameworkInfo(
        "aws-fsbp", "AWS Foundational Security Best Practices", "1.0.0", "https://docs.aws.amazon.com/securityhub/",
        "Somebody's list.", ("EC2.13", "RDS.11", "S3.17", "S3.99"),
        {"S3.17": Remains(("people", "aws"), "somebody has to own the key", "https://docs.aws.amazon.com/kms/")},
    ),
    "cis-aws-7.0": FrameworkInfo("cis-aws-7.0", "CIS Benchmark", "7.0", "a book", "A note.", ("5.3", "5.4"),
        {"5.3": Remains(("people", "rule"), "somebody has to look at the ports", "https://docs.aws.amazon.com/vpc/")},
    ),
}  # fmt: skip

WAIVERS = [
    WaiverInfo("W-1", "ec2-ssh-not-open", "account 111122223333", "payments", "ciso", "legacy", "SEC-1", "2026-06-01",
               "2026-12-31", "active", 1, "", ("expires in 14 days",)),
    WaiverInfo("W-2", "rds-backup-retention", "</script><script>x", "own\u202eer", "ciso", "", "", "", "2026-01-31", "expired"),
    WaiverInfo("W-3", "tags-mandatory", "tag", "a", "b", "c", "", "", "2027-01-31", "lapsed", 0, "the tags have changed"),
]  # fmt: skip

BASELINE = BaselineInfo("baseline.json", "2026-09-01T00:00:00Z", 7, 2, 31, 1, 4, 3)

TREND = [
    TrendPoint("2026-08-21T09:00:00Z", "run-1", True, {"PASS": 50, "FAIL": 12, "UNKNOWN": 3}, 2, milestone="start"),
    TrendPoint("2026-09-21T09:00:00Z", "run-2", False, {"PASS": 52, "FAIL": 9, "UNKNOWN": 6}, 2, 1, 4, 0),
    TrendPoint("2026-11-21T09:00:00Z", "run-3", True, {"PASS": 60, "FAIL": 7}, 1, 0, 2, 1, gap_before=True),
]  # fmt: skip

LOOKED = [
    PlaceLooked("111122223333", "eu-west-1", 12, 10, [("AWS::S3::Bucket", "access_denied"), ("AWS::KMS::Key", "throttled")]),
    PlaceLooked("111122223333", "us-east-1", 12, 12),
    PlaceLooked("444455556666", "eu-west-1", 12, 0),
]  # fmt: skip

PROOF = Proof(
    "sha256:" + "3f" * 32, 48_210, "sha256:" + "a7" * 32, 121_000, "SHA256:abcdef", "sha256:" + "9e" * 32
)


def shadow_ai() -> dict[str, Any]:
    """A document as ``policyengine shadow-ai --format json`` writes it."""
    source = {"account": "111122223333", "region": "eu-west-1", "vpc": "vpc-1", "address": "10.0.0.7", "instance": None,
              "endpoint": None, "count": 40, "blocked": 0, "failed": 0, "other_types": 0, "first": "2026-11-01T00:00:00Z",
              "last": "2026-11-20T00:00:00Z"}  # fmt: skip
    service = {"id": "x", "name": "A chat <service>", "provider": "Somebody", "category": "assistant", "approved": False, "queries": 40,
               "blocked": 2, "failed": 1, "other_types": 0, "aliased": 0, "first_seen": "2026-11-01T00:00:00Z",
               "last_seen": "2026-11-20T00:00:00Z", "domains": [], "sources": [source] * 7, "sources_left_out": 3,
               "by_day": {}, "attempts_by_day": {}, "days_left_out": 0, "connected": None}  # fmt: skip
    domain = {"domain": "x.example", "queries": 40, "blocked": 2, "failed": 1, "other_types": 0, "confidence": "listed",
              "source": "a list"}  # fmt: skip
    joined = {"state": "connected", "flows": 12, "rejected": 1, "bytes_sent": 1_500, "bytes_received": 9_000, "ambiguous": 2,
              "first": None, "last": None, "sources": [], "sources_left_out": 0}  # fmt: skip
    service = {**service, "domains": [domain], "connected": joined}
    own = {**service, "id": "y", "name": "Of AWS", "category": "aws",
           "domains": [{**domain, "confidence": "documented"}], "connected": {**joined, "state": "none"}}  # fmt: skip
    call = {"service": "bedrock", "event": "InvokeModel", "account": "111122223333", "region": "us-east-1",
            "principal": "arn:aws:iam::111122223333:role/app", "session": "alice@example.com", "model": "a-model", "calls": 5, "denied": 1,
            "failed": 0, "first": "2026-11-01T00:00:00Z", "last": "2026-11-20T00:00:00Z", "by_day": {}}  # fmt: skip
    coverage = {"records": 1_000, "vpcs_seen": [], "vpcs_seen_left_out": 0, "vpcs_known": 1, "flow_records": 20,
                "flow_window_seconds": 3600, "trail_records": 9, "calls_left_out": 0, "vpcs_unlogged": [{"account": "111122223333", "region": "eu-west-1", "vpc": "vpc-2",
                                                      "why": "no query logging is associated"}],
                "blind_spots": ["Laptops outside AWS are not seen."]}  # fmt: skip
    return {"schema": "policyengine/shadow-ai/v1", "list": {"date": "2026-11-01", "services": 90},
            "period": {"from": "2026-11-01T00:00:00Z", "to": "2026-11-20T00:00:00Z"}, "coverage": coverage,
            "services": [service, own], "bedrock": [call], "errors_left_out": 4,
            "errors": [{"file": "a.log", "line": 3, "message": "no JSON"}]}  # fmt: skip


def extras(**changes: Any) -> Extras:
    """Everything at once."""
    made = Extras(
        frameworks=FRAMEWORKS,
        pack={rule.id: rule.frameworks for rule in sample.RULES.values()},
        trend=TREND,
        repairs=[
            Repairs("critical", 0, None, None, 2, "92d", 0),
            Repairs("medium", 6, "31d", "92d", 5, "92d", 1),
        ],
        milestones=Milestones(
            "start",
            TREND[0].at,
            "</script>audit",
            TREND[2].at,
            ["new", "fixed", "open"],
            [("medium", [1, 6, 5])],
        ),
        looked=LOOKED,
        rule_texts={rule: f"id: {rule}\ntitle: text of {rule}\n" for rule in sample.RULES},
        shadow_ai=shadow_ai(),
        proof=PROOF,
    )
    return replace(made, **changes)


def page(found: Iterable[Finding] | None = None, run: RunInfo | None = None, **changes: Any) -> str:
    """Return the page of findings (default: the whole sample) with everything around them."""
    rules = changes.pop("rules", sample.RULES)
    out = io.StringIO()
    context = Context(rules=rules, source=sample.SOURCE, extras=extras(**changes))
    made = replace(run or sample.run(), waivers=WAIVERS, baseline=BASELINE)
    write_reports(sample.findings() if found is None else found, [HtmlReport(out, context)], made)
    return out.getvalue()
