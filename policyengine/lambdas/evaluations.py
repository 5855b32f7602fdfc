"""Findings as AWS Config takes them, and handing them over.

https://docs.aws.amazon.com/config/latest/APIReference/API_PutEvaluations.html: at most 100 at a time, annotations of at
most 256 characters; what comes back in ``FailedEvaluations`` has to be sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from policyengine.model.finding import Finding, plain
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, UNKNOWN
from policyengine.model.resource import json_pointer
from policyengine.model.values import ABSENT, Unresolved
from policyengine.store.verdicts import Calls

Json = dict[str, Any]
BATCH: Final = 100
LONGEST: Final = 256
LONGEST_NAME: Final = 40
NOT_DETERMINED: Final = "not determined:"
"""Begins the annotation of UNKNOWN: rules of EventBridge and remediation keep away from it."""
COMPLIANCE: Final = {
    PASS: "COMPLIANT",
    FAIL: "NON_COMPLIANT",
    UNKNOWN: "NON_COMPLIANT",
    NOT_APPLICABLE: "NOT_APPLICABLE",
}
_TRIES: Final = 5


class Evaluation(NamedTuple):
    """One answer about one resource as AWS Config names it."""

    type: str
    id: str
    compliance: str
    annotation: str
    at: str

    def to_json(self) -> Json:
        """Return AWS's form; an annotation must not be empty."""
        form: Json = {
            "ComplianceResourceType": self.type,
            "ComplianceResourceId": self.id,
            "ComplianceType": self.compliance,
            "OrderingTimestamp": self.at,
        }
        return {**form, "Annotation": self.annotation} if self.annotation else form


class NotTakenError(Exception):
    """AWS Config did not take some evaluations, also when they were sent again."""


def evaluation_of(type: str, id: str, findings: Sequence[Finding], at: str) -> Evaluation:
    """Return one answer for the findings of a Config rule's rules on a resource, the worst of which comes first."""
    if not findings:
        return Evaluation(type, id, "NOT_APPLICABLE", "no rule of this Config rule is about this type", at)
    worst = findings[0]
    return Evaluation(type, id, COMPLIANCE[worst.verdict], annotation(worst, len(findings) > 1), at)


def annotation(finding: Finding, named: bool = False) -> str:
    """Return at most 256 characters: property, observed and expected of a FAIL; why an UNKNOWN is not determined.

    ``named``: the rule is named too, because the Config rule stands for several.
    """
    if finding.verdict == PASS:
        return ""
    head = f"{finding.rule}: " if named else ""
    if finding.verdict == UNKNOWN:
        return _cut(f"{NOT_DETERMINED} {head}{finding.message}")
    if finding.verdict == FAIL and finding.waiver is not None:
        head += f"{accepted(finding.waiver)}; "
    if finding.verdict != FAIL or not finding.evidence:
        return _cut(f"{head}{finding.message}")
    seen = finding.evidence[0]
    path, observed = json_pointer(seen.path), _shown(seen.observed)
    room = LONGEST - len(f"{head}{path}: observed , expected ")
    if room < 20:
        return _cut(f"{head}{finding.message}")
    expected = _cut(seen.expected, max(room * 2 // 3, room - len(observed)))
    return _cut(f"{head}{path}: observed {_cut(observed, room - len(expected))}, expected {expected}")


def accepted(waiver: Mapping[str, Any]) -> str:
    """Say who accepts a FAIL, which stays NON_COMPLIANT. Names are cut, so that there is room for what fails."""
    by = _cut(str(waiver.get("approver") or "nobody"), LONGEST_NAME)
    until = str(waiver.get("expires") or "further notice")
    return f"accepted by {by} until {until} ({_cut(str(waiver.get('id') or ''), LONGEST_NAME)})"


def _shown(value: Any) -> str:
    if value is ABSENT:
        return "nothing"
    if isinstance(value, Unresolved):
        return f"unknown ({value.reason})"
    return str(plain(value))


def _cut(text: str, most: int = LONGEST) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: max(most - 1, 0)]}…"


def put(
    calls: Calls, evaluations: Iterable[Evaluation], token: str, region: str, wait: Callable[[float], Any]
) -> int:
    """Hand evaluations over; returns how many. Raises CallFailure, NotTakenError after sending some again in vain."""
    sent, failed = 0, 0
    for batch in _batches(evaluations):
        left = [each.to_json() for each in batch]
        sent += len(left)
        for attempt in range(_TRIES):
            if attempt:
                wait(2.0**attempt)
            answer = calls.call(
                "config", "PutEvaluations", {"Evaluations": left, "ResultToken": token}, region
            )
            left = list(answer.get("FailedEvaluations") or ())
            if not left:
                break
        failed += len(left)
    if failed:
        raise NotTakenError(
            f"AWS Config did not take {failed} of {sent} evaluations, tried {_TRIES} times each"
        )
    return sent


def _batches(evaluations: Iterable[Evaluation]) -> Iterator[list[Evaluation]]:
    rest = iter(evaluations)
    while batch := list(islice(rest, BATCH)):
        yield batch


def reported(calls: Calls, config_rule: str, region: str) -> set[tuple[str, str]]:
    """Return (type, id) of every resource a Config rule has an answer for that says that it applies.

    https://docs.aws.amazon.com/config/latest/APIReference/API_GetComplianceDetailsByConfigRule.html. Raises CallFailure.
    """
    found: set[tuple[str, str]] = set()
    arguments: Json = {
        "ConfigRuleName": config_rule,
        "ComplianceTypes": ["COMPLIANT", "NON_COMPLIANT"],
        "Limit": 100,
    }
    while True:
        answer = calls.call("config", "GetComplianceDetailsByConfigRule", arguments, region)
        for result in answer.get("EvaluationResults") or ():
            about = result["EvaluationResultIdentifier"]["EvaluationResultQualifier"]
            found.add((about["ResourceType"], about["ResourceId"]))
        token = answer.get("NextToken")
        if not token or token == arguments.get("NextToken"):
            return found
        arguments = {**arguments, "NextToken": token}
