"""``--format ocsf``: Compliance Findings (class 2003) of OCSF 1.6.0 with the cloud profile, one event a line.

1.6 is the version Security Hub reads and writes (https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-ocsf.html);
the class: https://schema.ocsf.io/1.6.0/classes/compliance_finding?profiles=cloud. Events are lines (NDJSON), as
what loads a Security Lake custom source (it converts them to Parquet) and log shippers read them, and so that a million of
them need no memory; ``jq -s .`` makes the JSON array that Prowler writes.

| verdict | compliance.status_id, by the schema's definitions |
|---|---|
| PASS | 1 Pass: "passed for all the evaluated resources" |
| FAIL | 3 Fail |
| UNKNOWN | 2 Warning: "did not yield a result due to missing information" |
| NOT_APPLICABLE | 99 Other, ``status`` "Not Applicable" |

The finding's own ``status_id`` is 1 New. A FAIL that a waiver accepts stays 3 Fail; it is not 3 Suppressed, which means
"determined to be benign or a false positive", but 99 Other, "Risk Accepted", with the waiver's reason as ``comment``.
What OCSF has no place for stands in ``unmapped.policyengine``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from policyengine.model.finding import Finding, evidence_json
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, REASONS, UNKNOWN
from policyengine.reports.asff import PREFIX, PRODUCT
from policyengine.reports.asff_types import place_of
from policyengine.reports.base import Context, RuleInfo, RunInfo
from policyengine.reports.jsontext import compact
from policyengine.reports.places import in_place
from policyengine.reports.tally import is_accepted
from policyengine.reports.text import cut

Json = dict[str, Any]
VERSION: Final = "1.6.0"
CLASS: Final = 2003
_TEXT: Final = 2_000
_EVIDENCE: Final = 20
_COMPLIANCE: Final = {
    PASS: (1, "Pass"),
    UNKNOWN: (2, "Warning"),
    FAIL: (3, "Fail"),
    NOT_APPLICABLE: (99, "Not Applicable"),
}
_SEVERITY: Final = {
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}
_FIXED: Final[Json] = {
    "activity_id": 1,
    "activity_name": "Create",
    "category_uid": 2,
    "category_name": "Findings",
    "class_uid": CLASS,
    "class_name": "Compliance Finding",
    "type_uid": CLASS * 100 + 1,
    "type_name": "Compliance Finding: Create",
}


class OcsfReport:
    """``--format ocsf``."""

    def __init__(self, out: TextIO, context: Context) -> None:
        self._out = out
        self._rules = context.rules

    def begin(self, run: RunInfo) -> None:
        """Every event carries the clock of the run, its id and the version of the engine."""
        clock = datetime.fromisoformat(run.as_of)
        clock = clock if clock.tzinfo is not None else clock.replace(tzinfo=UTC)
        self._time = int(clock.timestamp() * 1000)
        self._run = run

    def add(self, finding: Finding) -> None:
        """Write one event."""
        made = event(finding, self._rules.get(finding.rule), self._run, self._time)
        self._out.write(compact(made) + "\n")

    def end(self, run: RunInfo) -> None:
        """Nothing follows the last event."""


def event(finding: Finding, rule: RuleInfo | None, run: RunInfo, time: int) -> Json:
    """Return the OCSF event of a finding; ``time`` is the run's clock in milliseconds since the epoch."""
    place = place_of(finding.region, finding.arn)
    asks = finding.verdict in (FAIL, UNKNOWN)
    severity_id, severity = _SEVERITY[finding.severity] if asks else (1, "Informational")
    message = cut(finding.message, _TEXT)
    cloud: Json = {"provider": "AWS", "cloud_partition": place.partition}
    if finding.account:
        cloud["account"] = {"uid": finding.account, "type_id": 10, "type": "AWS Account"}
    if finding.region:
        cloud["region"] = finding.region
    made = {
        **_FIXED,
        "time": time,
        "severity_id": severity_id,
        "severity": severity,
        **_status(finding.waiver),
        "status_code": finding.reason,
        "status_detail": _sentence(finding.reason),
        "message": message,
        "metadata": _metadata(finding, run),
        "cloud": cloud,
        "compliance": _compliance(finding, rule, message),
        "finding_info": _info(finding, rule, time),
        "resources": [_resource(finding, place.partition)],
        "unmapped": {"policyengine": _unmapped(finding, rule)},
    }
    if finding.evidence:
        made["evidences"] = [{"data": evidence_json(each)} for each in finding.evidence[:_EVIDENCE]]
    if rule is not None and rule.fix.strip():
        made["remediation"] = _remediation(rule)
    return made


def _status(waiver: Mapping[str, Any] | None) -> Json:
    if waiver is None:
        return {"status_id": 1, "status": "New"}
    if not is_accepted(waiver):
        return {
            "status_id": 1,
            "status": "New",
            "comment": "in the project's baseline; nobody has accepted it",
        }
    found: Json = {"status_id": 99, "status": "Risk Accepted"}
    at = in_place(waiver)
    said = [str(waiver["reason"])] if waiver.get("reason") else []
    said += [] if at is None else [f"code refers to it at {at}"]
    return {**found, "comment": cut("; ".join(said), _TEXT)} if said else found


def _sentence(reason: str) -> str:
    return REASONS[reason][1] if reason in REASONS else reason


def _metadata(finding: Finding, run: RunInfo) -> Json:
    return {
        "version": VERSION,
        "profiles": ["cloud"],
        "uid": f"{run.id}/{finding.id}",
        "event_code": finding.rule,
        "product": {"name": PRODUCT, "uid": PRODUCT, "vendor_name": PRODUCT, "version": run.engine_version},
    }


def _compliance(finding: Finding, rule: RuleInfo | None, message: str) -> Json:
    status_id, status = _COMPLIANCE[finding.verdict]
    found: Json = {
        "control": finding.rule,
        "standards": sorted(finding.frameworks),
        "requirements": [
            f"{name} {each}" for name, ids in sorted(finding.frameworks.items()) for each in ids
        ],
        "status_id": status_id,
        "status": status,
        "status_code": finding.reason,
        "status_details": [message],
    }
    if rule is not None and rule.why.strip():
        found["desc"] = cut(" ".join(rule.why.split()), _TEXT)
    return found


def _info(finding: Finding, rule: RuleInfo | None, time: int) -> Json:
    title = finding.title if rule is None else rule.title
    return {
        "uid": f"{PREFIX}{finding.id}",
        "title": cut(title, _TEXT),
        "created_time": time,
        "types": ["Software and Configuration Checks"],
        "analytic": {"uid": finding.rule, "name": cut(title, _TEXT), "type_id": 1, "type": "Rule"},
    }


def _resource(finding: Finding, partition: str) -> Json:
    found: Json = {
        "uid": cut(finding.arn or finding.resource_id, _TEXT),
        "name": cut(finding.resource_id, _TEXT),
        "type": cut(finding.resource_type, _TEXT),
        "cloud_partition": partition,
        "role_id": 1,
        "role": "Target",
    }
    return {**found, "region": finding.region} if finding.region else found


def _remediation(rule: RuleInfo) -> Json:
    found: Json = {"desc": cut(" ".join(rule.fix.split()), _TEXT)}
    return {**found, "references": list(rule.references)} if rule.references else found


def _unmapped(finding: Finding, rule: RuleInfo | None) -> Json:
    """What only we say: the verdict in our words, and what proves or accepts it."""
    whole = finding.to_json()
    kept = (
        "verdict",
        "severity",
        "family",
        "location",
        "branch",
        "witness",
        "waiver",
        "remediation",
        "cause",
    )
    found: Json = {key: whole[key] for key in kept if whole.get(key) is not None}
    if rule is not None:
        found["pillar"] = rule.pillar
    if finding.construct_path:
        found["construct_path"] = finding.construct_path
    more = len(finding.evidence) - _EVIDENCE
    return {**found, "evidence_left_out": more} if more > 0 else found
