"""``--format asff``: a JSON array of findings in the AWS Security Finding Format, as BatchImportFindings takes them.

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html and the constraints at
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html: every text is on one line, has
a letter and its length; lengths are counted in UTF-16 units, the longest way AWS could count them.

| verdict | Compliance.Status | Severity.Label | RecordState |
|---|---|---|---|
| FAIL | FAILED | the rule's | ACTIVE |
| UNKNOWN | WARNING ("some information is missing") | the rule's | ACTIVE |
| PASS | PASSED | INFORMATIONAL | ARCHIVED |
| NOT_APPLICABLE | NOT_AVAILABLE ("the result was NOT_APPLICABLE") | INFORMATIONAL | ARCHIVED |

A FAIL that a waiver accepts is FAILED and ACTIVE like any other, and says so in its description: ``Workflow`` belongs to
the customer, and an import can never take ``SUPPRESSED`` back when the waiver ends. The format needs an account:
findings of code that was scanned without ``--account`` cannot be said in it and are left out, which standard error says
(the format has no place for it).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TextIO

from policyengine.model.account_id import is_account_id
from policyengine.model.finding import Finding
from policyengine.model.reasons import REASONS
from policyengine.reports.asff_types import HOME, asff_type, is_region, place_of
from policyengine.reports.base import Context, RuleInfo, RunInfo
from policyengine.reports.jsontext import cleaned_text, compact
from policyengine.reports.tally import is_accepted
from policyengine.reports.text import show_value, visible

Json = dict[str, Any]
PRODUCT: Final = "policyengine"
PREFIX: Final = "policyengine/"
"""Of every Id, GeneratorId and key of ProductFields that is ours."""
ACCEPTED: Final = "[accepted, still failing"
IN_BASELINE: Final = "[in the baseline, still failing"
"""How the description of a FAIL begins that carries a waiver, or stands in the baseline. Customers' automation rules compare
descriptions by prefix, and cannot see ProductFields
(https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AutomationRulesFindingFilters.html)."""
REQUIREMENTS: Final = 32
_EVIDENCE: Final = 5
_FIELD: Final = 1024
"""At most this of each of our ProductFields (AWS: 2,048), so that no finding comes near 240 KB."""
_RESOURCE_ID: Final = 2048
_CHECKS: Final = "Software and Configuration Checks"
STATUS: Final = {"FAIL": "FAILED", "UNKNOWN": "WARNING", "PASS": "PASSED", "NOT_APPLICABLE": "NOT_AVAILABLE"}
RECORD: Final = {"FAIL": "ACTIVE", "UNKNOWN": "ACTIVE", "PASS": "ARCHIVED", "NOT_APPLICABLE": "ARCHIVED"}
_WAIVER: Final = ("id", "kind", "owner", "approver", "reason", "ticket", "granted", "expires")


class Stamp(NamedTuple):
    """What all findings of a run share: its clock (RFC 3339) and its id."""

    at: str
    run: str


class AsffReport:
    """``--format asff``."""

    def __init__(self, out: TextIO, context: Context) -> None:
        self._out = out
        self._rules = context.rules
        self._empty = True
        self._left_out = 0

    def begin(self, run: RunInfo) -> None:
        """Open the array."""
        self._stamp = Stamp(run.as_of, run.id)
        self._out.write("[")

    def add(self, finding: Finding) -> None:
        """Write one finding of an account."""
        if not has_account(finding.account):
            self._left_out += 1
            return
        made = asff(finding.to_json(), self._rules.get(finding.rule), self._stamp)
        self._out.write(("\n " if self._empty else ",\n ") + compact(made))
        self._empty = False

    def end(self, run: RunInfo) -> None:
        """Close the array, and say on standard error what the format could not."""
        del run
        self._out.write("]\n" if self._empty else "\n]\n")
        if self._left_out:
            print(
                f"note: asff leaves out {self._left_out:,} findings without an account, which the format needs: scan "
                "live accounts or a snapshot, or say with --account and --region what the code is for",
                file=sys.stderr,
            )


def has_account(account: str | None) -> bool:
    """Whether a finding can be said in ASFF."""
    return account is not None and is_account_id(account)


def asff(finding: Mapping[str, Any], rule: RuleInfo | None, stamp: Stamp) -> Json:
    """Return the ASFF of the contract's finding object; its account must be one (:func:`has_account`).

    ``Severity`` and ``Types`` stand at the top for who reads files; what is imported gives ``FindingProviderFields`` only
    (https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html).
    """
    resource = finding["resource"]
    account, verdict = resource["account"], finding["verdict"]
    place = place_of(resource["region"], resource["arn"])
    shown = finding["severity"].upper() if verdict in ("FAIL", "UNKNOWN") else "INFORMATIONAL"
    types = [
        f"{_CHECKS}/AWS Security Best Practices" if rule is None or rule.pillar == "security" else _CHECKS
    ]
    made: Json = {
        "SchemaVersion": "2018-10-08",
        "Id": f"{PREFIX}{finding['id']}",
        "ProductArn": product_arn(place.partition, place.region, account),
        "ProductName": PRODUCT,
        "CompanyName": PRODUCT,
        "GeneratorId": fitted(f"{PREFIX}{finding['rule']}", 512),
        "AwsAccountId": account,
        "Types": types,
        "CreatedAt": stamp.at,
        "UpdatedAt": stamp.at,
        "FirstObservedAt": stamp.at,
        "LastObservedAt": stamp.at,
        "Severity": {"Label": shown, "Original": finding["severity"]},
        "FindingProviderFields": {"Severity": {"Label": shown, "Original": finding["severity"]}, "Types": types},
        "Title": fitted(finding["rule"] if rule is None else rule.title, 256),
        "Description": fitted(_accepted(finding.get("waiver")) + finding["message"], 1024),
        "ProductFields": dict(_product_fields(finding, stamp)),
        "Resources": [_resource(resource, place.partition)],
        "Compliance": _compliance(finding),
        "RecordState": RECORD[verdict],
    }  # fmt: skip
    if rule is not None:
        made["Remediation"] = {"Recommendation": _recommendation(rule)}
    return made


def product_arn(partition: str, region: str, account: str) -> str:
    """Return the ARN of an account's own ("default") product
    (https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-custom-providers.html)."""
    return f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default"


def fitted(text: str | None, limit: int) -> str:
    """Return ``text`` on one line, at most ``limit`` UTF-16 units long and never blank."""
    shown = visible(cleaned_text(text or "")).strip() or "-"
    units = shown.encode("utf-16-le")
    if len(units) <= 2 * limit:
        return shown
    return units[: 2 * (limit - 1)].decode("utf-16-le", "ignore") + "…"


def _accepted(waiver: Mapping[str, Any] | None) -> str:
    if waiver is None:
        return ""
    if not is_accepted(waiver):
        return f"{IN_BASELINE}: {waiver.get('id') or 'nobody accepted it'}] "
    parts = [f"waiver {waiver['id']}" if waiver.get("id") else "waiver"]
    parts += [
        f"{word} {waiver[key]}" for word, key in (("by", "approver"), ("until", "expires")) if waiver.get(key)
    ]
    return f"{ACCEPTED}: {', '.join(parts)}] "


def _resource(resource: Mapping[str, Any], partition: str) -> Json:
    found: Json = {
        "Type": asff_type(resource["type"]),
        "Id": fitted(resource["arn"] or resource["id"], _RESOURCE_ID),
    }
    if partition in HOME:
        found["Partition"] = partition
    if is_region(resource["region"]):
        found["Region"] = resource["region"]
    return found


def _compliance(finding: Mapping[str, Any]) -> Json:
    reason = finding["reason"]
    told = REASONS[reason][1] if reason in REASONS else reason
    found: Json = {
        "Status": STATUS[finding["verdict"]],
        "StatusReasons": [{"ReasonCode": fitted(reason.upper(), 128), "Description": fitted(told, 512)}],
    }
    requirements = _requirements(finding)
    if requirements:
        found["RelatedRequirements"] = [fitted(each, 256) for each in requirements[:REQUIREMENTS]]
    return found


def _requirements(finding: Mapping[str, Any]) -> list[str]:
    return [f"{name} {control}" for name, ids in sorted(finding["frameworks"].items()) for control in ids]


def _recommendation(rule: RuleInfo) -> Json:
    found = {"Text": fitted(rule.fix, 512)}
    url = next((each for each in rule.references if _is_url(each)), None)
    return found if url is None else {**found, "Url": url}


def _is_url(text: str) -> bool:
    return (
        text.startswith("https://")
        and len(text) <= _FIELD
        and text.isascii()
        and text.isprintable()
        and " " not in text
    )


def _product_fields(finding: Mapping[str, Any], stamp: Stamp) -> Iterator[tuple[str, str]]:
    resource, waiver, witness = finding["resource"], finding.get("waiver"), finding.get("witness")
    plain = {
        "run": stamp.run, "verdict": finding["verdict"], "reason": finding["reason"], "family": finding["family"],
        "severity": finding["severity"], "resource-type": resource["type"], "resource-id": resource["id"],
        "region": resource["region"] or "global", "remediation": finding.get("remediation"),
    }  # fmt: skip
    yield from ((PREFIX + key, fitted(value, _FIELD)) for key, value in plain.items() if value)
    evidence = finding["evidence"]
    for number, each in enumerate(evidence[:_EVIDENCE], 1):
        yield f"{PREFIX}evidence/{number}", fitted(_evidence(each), _FIELD)
    if len(evidence) > _EVIDENCE:
        yield f"{PREFIX}evidence/left-out", str(len(evidence) - _EVIDENCE)
    more = len(_requirements(finding)) - REQUIREMENTS
    if more > 0:
        yield f"{PREFIX}requirements/left-out", str(more)
    if witness is not None:
        told = f"{witness['principal']} may {witness['action']} on {witness['resource']}"
        yield f"{PREFIX}witness", fitted(told, _FIELD)
    if waiver is not None:
        for key in _WAIVER:
            if waiver.get(key):
                yield f"{PREFIX}waiver/{key}", fitted(str(waiver[key]), _FIELD)


def _evidence(item: Mapping[str, Any]) -> str:
    place = f"{item['path']}: " if item["path"] else ""
    wanted: Sequence[str] = [f"; expected {item['expected']}"] if item["expected"] else []
    return f"{place}{show_value(item['observed'], 400)}{''.join(wanted)}"
