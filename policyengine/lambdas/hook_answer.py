"""Findings as CloudFormation Hooks take them: a status, a message for who deploys, and one annotation a finding.

https://docs.aws.amazon.com/cloudformation-cli/latest/hooks-userguide/lambda-hooks-create-lambda-function.html; lengths of
annotations are those of the API model (AnnotationName, RemediationMessage…). What a FAILED Hook does (stop the operation,
or warn) is the Hook's FailureMode, not the function's to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from policyengine.lambdas.hook_request import HookRequest
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, SEVERITIES, UNKNOWN

Json = dict[str, Any]
MOST_ANNOTATIONS: Final = 100
_LONGEST_TEXT: Final = 2_000
_NEVER: Final = "never"
NOTHING_ASKED: Final = "policyengine: no rule asks anything of this"


class Policy(NamedTuple):
    """What fails: FAILs at or above a severity (``never`` for none), and UNKNOWN or not."""

    fail_on: str = "low"
    unknown_fails: bool = False

    def fails(self, finding: Finding) -> bool:
        """Whether a finding makes the Hook fail."""
        if finding.verdict == UNKNOWN:
            return self.unknown_fails
        if finding.verdict != FAIL or finding.waiver is not None or self.fail_on == _NEVER:
            return False
        return SEVERITIES.index(finding.severity) >= SEVERITIES.index(self.fail_on)


def failed(request_token: str, why: str) -> Json:
    """Return the answer where nothing could be judged: never a success."""
    return {
        "hookStatus": "FAILED",
        "errorCode": "InternalFailure",
        "message": f"policyengine could not judge this: {_cut(why, 900)}",
        "clientRequestToken": request_token,
    }


def answer(
    request: HookRequest,
    findings: Sequence[Finding],
    policy: Policy,
    rules: Mapping[str, Json],
    *,
    asked: int,
) -> Json:
    """Return the answer. ``findings`` are the FAILs and UNKNOWNs, ``rules`` the forms of the rules by id, ``asked`` the number
    of verdicts besides NOT_APPLICABLE."""
    ordered = sorted(
        findings, key=lambda each: (not policy.fails(each), each.verdict != FAIL, _rank(each), each.sort_key)
    )
    failing = [each for each in ordered if policy.fails(each)]
    form: Json = {
        "hookStatus": "FAILED" if failing else "SUCCESS",
        "message": _message(ordered, failing, request.longest) if asked else NOTHING_ASKED,
        "clientRequestToken": request.token,
    }
    if failing:
        form["errorCode"] = "NonCompliant"
    if ordered:
        form["annotations"] = [
            _annotation(each, rules.get(each.rule, {})) for each in ordered[:MOST_ANNOTATIONS]
        ]
    return form


def _rank(finding: Finding) -> int:
    return -SEVERITIES.index(finding.severity)


def _message(ordered: Sequence[Finding], failing: Sequence[Finding], longest: int) -> str:
    """The counts first: what is cut off at the end is detail."""
    fails = sum(each.verdict == FAIL and each.waiver is None for each in ordered)
    waived = sum(each.verdict == FAIL and each.waiver is not None for each in ordered)
    unknown = sum(each.verdict == UNKNOWN for each in ordered)
    parts = [f"{fails} failed"] if fails else []
    parts += [f"{unknown} not determined (not a pass)"] if unknown else []
    parts += [f"{waived} accepted by a waiver"] if waived else []
    if not parts:
        return "policyengine: nothing fails"
    text = f"policyengine: {', '.join(parts)}"
    if not failing:
        text += "; nothing of it stops the operation"
    for finding in ordered:
        text += f"\n{_line(finding)}"
        if len(text) > longest:
            break
    return _cut(text, longest)


def _line(finding: Finding) -> str:
    verdict = finding.severity if finding.verdict == FAIL else "not determined"
    accepted = " (waived)" if finding.waiver is not None else ""
    return f"{verdict} {finding.rule}{accepted}: {finding.resource_id}: {' '.join(finding.message.split())}"


def _annotation(finding: Finding, rule: Mapping[str, Any]) -> Json:
    form: Json = {
        "annotationName": finding.rule,
        "status": "FAILED" if finding.verdict == FAIL else "SKIPPED",
        "statusMessage": _cut(_line(finding), _LONGEST_TEXT),
        "severityLevel": finding.severity.upper(),
    }
    fix, links = str(rule.get("fix") or ""), rule.get("references") or ()
    if fix and finding.verdict == FAIL:
        form["remediationMessage"] = _cut(" ".join(fix.split()), _LONGEST_TEXT)
    if links:
        form["remediationLink"] = str(links[0])
    return form


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
