"""``--format sarif``: SARIF 2.1.0, made for GitHub code scanning.

What is in it, and why:

- Open FAILs, worst severity first, at most ``Context.sarif_results`` (5,000, as many as GitHub shows of
  a run; it refuses more than 25,000) and less than 10 MB compressed. What was left out is said in
  ``invocations[0].toolExecutionNotifications``.
  https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support
- PASS, NOT_APPLICABLE and waived findings are left out: GitHub ignores ``kind`` and
  ``suppressions`` and would open an alert for each (github/codeql-action issue 1230; neither is among the
  properties of the page above). ``--format sarif-suppressed``, for readers that honour them, has waived findings and
  those of the baseline with their ``suppressions``, after all others. ``properties.suppressed`` counts them in both.
- UNKNOWN is ``kind: open`` ("insufficient information to decide", SARIF 3.27.9) with ``level: none``
  (3.27.10 allows no other), under the rule id ``RULE/not-determined``, a descriptor without
  ``security-severity``: so GitHub never shows one with the severity of a violation. They come after
  all FAILs.
- ``partialFingerprints`` carry the finding id, which survives edits that move lines.
- A resource without a file stands at ``aws/ACCOUNT/REGION/TYPE/ID``, line 1, because GitHub refuses
  results without a file; its logical location says which resource it is.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Any, TextIO

from policyengine.model.finding import Finding, evidence_json
from policyengine.model.reasons import FAIL
from policyengine.reports.base import SEVERITY_RANK, Context, RuleInfo, RunInfo, is_open, is_unknown
from policyengine.reports.jsontext import compact
from policyengine.reports.places import line_of, relative_path, resource_name, told
from policyengine.reports.sarif_rules import LEVEL, descriptor, unknown_descriptor, unknown_id
from policyengine.reports.sarif_suppressions import artifact_of, suppressions
from policyengine.reports.tally import Tally
from policyengine.reports.text import cut, observed, plural, visible
from policyengine.reports.worst import Worst

SCHEMA_URI = "https://json.schemastore.org/sarif-2.1.0.json"
HARD_LIMIT = 25_000
MAX_GZIP_BYTES = 9_500_000  # GitHub refuses 10 MB; the rest is for the rules and the frame
MESSAGE_LIMIT = 4_000
# In a message `[text](1)` is a link to a related location and `{0}` a placeholder (3.11.5, 3.11.6).
_PLACEHOLDER = re.compile(r"\{(?=\d+\})")


class SarifReport:
    """``--format sarif``."""

    def __init__(self, out: TextIO, context: Context, *, suppressed: bool = False) -> None:
        self._out = out
        self._rules = context.rules
        self._most = min(context.sarif_results, HARD_LIMIT)
        self._kept = Worst(self._most)
        self._suppressed = Worst(self._most if suppressed else 0)
        self._lists = suppressed
        self._tally = Tally()

    def begin(self, run: RunInfo) -> None:
        """Nothing is written before the worst are known."""

    def add(self, finding: Finding) -> None:
        """Take the next finding."""
        self._tally.add(finding)
        if is_open(finding) or is_unknown(finding):
            self._kept.add(finding)
        elif self._lists and finding.verdict == FAIL:
            self._suppressed.add(finding)

    def end(self, run: RunInfo) -> None:
        """Write the log."""
        findings = [*self._kept.sorted(), *self._suppressed.sorted()]
        more = self._kept.dropped + self._suppressed.dropped + max(0, len(findings) - self._most)
        findings = findings[: self._most]
        order = _rule_order(findings)
        index = {rule_id: position for position, rule_id in enumerate(order)}
        results = _fitting([compact(_result(finding, index)) for finding in findings])
        left_out = more + len(findings) - len(results)
        descriptors = [self._descriptor(rule_id, worst) for rule_id, worst in order.items()]
        out = self._out
        out.write(f'{{"$schema":"{SCHEMA_URI}","version":"2.1.0","runs":[{{\n"tool":')
        out.write(compact({"driver": _driver(run, descriptors)}))
        out.write(f',\n"automationDetails":{compact({"id": f"policyengine/{visible(run.id)}"})}')
        out.write(
            f',\n"invocations":[{compact(_invocation(run, self._tally, left_out, len(results), self._lists))}]'
        )
        out.write(f',\n"properties":{compact({"suppressed": _counted(self._tally, self._lists)})}')
        out.write(',\n"columnKind":"unicodeCodePoints",\n"results":[')
        out.write(",".join("\n" + result for result in results))
        out.write("\n]}]}\n")

    def _descriptor(self, rule_id: str, worst: Finding) -> dict[str, Any]:
        rule = self._rules.get(worst.rule) or _bare_rule(worst)
        return unknown_descriptor(rule) if is_unknown(worst) else descriptor(rule, worst.severity)


def _rule_order(findings: list[Finding]) -> dict[str, Finding]:
    """Return SARIF rule id -> its worst finding, in order of first use."""
    order: dict[str, Finding] = {}
    for finding in findings:
        key = unknown_id(finding.rule) if is_unknown(finding) else finding.rule
        kept = order.setdefault(key, finding)
        if SEVERITY_RANK[finding.severity] < SEVERITY_RANK[kept.severity]:
            order[key] = finding
    return order


def _bare_rule(finding: Finding) -> RuleInfo:
    return RuleInfo(
        finding.rule, finding.title, finding.family, "security", finding.severity, finding.title, "",
        frameworks={name: [(c, "part") for c in ids] for name, ids in finding.frameworks.items()},
    )  # fmt: skip


def _fitting(results: list[str]) -> list[str]:
    """Return as many results as stay under the compressed size that GitHub accepts."""
    if sum(map(len, results)) < MAX_GZIP_BYTES:
        return results
    packer, size = zlib.compressobj(6), 0
    for position, result in enumerate(results):
        size += len(packer.compress(result.encode()))
        if size > MAX_GZIP_BYTES:
            return results[:position]
    return results


def _driver(run: RunInfo, descriptors: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": "policyengine",
        "semanticVersion": run.engine_version,
        "rules": descriptors,
    }


def _result(finding: Finding, index: Mapping[str, int]) -> dict[str, Any]:
    unknown = is_unknown(finding)
    rule_id = unknown_id(finding.rule) if unknown else finding.rule
    return {
        "ruleId": rule_id,
        "ruleIndex": index[rule_id],
        "kind": "open" if unknown else "fail",
        "level": "none" if unknown else LEVEL[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [_location(finding)],
        "partialFingerprints": {"primaryLocationLineHash": finding.id, "policyengineFinding/v1": finding.id},
        "properties": _properties(finding),
        **({"suppressions": suppressions(finding)} if finding.waiver is not None else {}),
    }


def _message(finding: Finding) -> str:
    lines = [f"{resource_name(finding)}: {told(finding, 2_000)}"]
    lines += [
        f"observed {observed(e)}; expected {visible(cut(e.expected, 300))}" for e in finding.evidence[:5]
    ]
    if finding.branch:
        lines.append(
            "when " + ", ".join(f"{k} is {str(v).lower()}" for k, v in sorted(finding.branch.items()))
        )
    text = cut("\n".join(lines), MESSAGE_LIMIT)
    return _PLACEHOLDER.sub("{ ", text.replace("](", "] ("))


def _location(finding: Finding) -> dict[str, Any]:
    place = finding.location
    region: dict[str, Any] = {"startLine": line_of(finding)}
    if place is not None:
        optional = {
            "startColumn": place.column,
            "endLine": place.end_line if place.line else None,
            "endColumn": place.end_column if place.column else None,
        }
        region.update({key: value for key, value in optional.items() if value is not None})
    name = finding.arn or "/".join(
        part for part in (finding.account, finding.region, finding.resource_type, finding.resource_id) if part
    )
    return {
        "physicalLocation": {"artifactLocation": artifact(finding), "region": region},
        "logicalLocations": [
            {"name": finding.resource_id, "fullyQualifiedName": name, "kind": "resource"},
        ],
    }


def artifact(finding: Finding) -> dict[str, str]:
    """Return the artifactLocation: a relative URI under ``%SRCROOT%``, or an absolute file URI."""
    if finding.location is None:
        return {"uri": relative_path(finding), "uriBaseId": "%SRCROOT%"}
    return artifact_of(finding.location.file)


def _properties(finding: Finding) -> dict[str, Any]:
    return {
        "finding": finding.id,
        "verdict": finding.verdict,
        "reason": finding.reason,
        "severity": finding.severity,
        "family": finding.family,
        "resourceType": finding.resource_type,
        "account": finding.account,
        "region": finding.region,
        "branch": None if finding.branch is None else dict(sorted(finding.branch.items())),
        "evidence": [_short(evidence_json(e)) for e in finding.evidence[:5]],
        "remediation": finding.remediation,
        **({"cause": finding.cause} if finding.cause else {}),
    }


def _short(evidence: dict[str, Any]) -> dict[str, Any]:
    """Evidence with values too long to be read here replaced by their beginning."""
    text = compact(evidence["observed"])
    return evidence if len(text) <= 2_000 else {**evidence, "observed": cut(text, 2_000)}


def _counted(tally: Tally, listed: bool) -> dict[str, Any]:
    """How many failures somebody accepted, or a baseline has, and whether they are among the results."""
    return {"waiver": tally.summary()["WAIVED"] - tally.debt, "baseline": tally.debt, "listed": listed}


def _invocation(run: RunInfo, tally: Tally, left_out: int, here: int, listed: bool) -> dict[str, Any]:
    notes = [_notification("error", f"{error.code}: {error}") for error in run.errors[:200]]
    if not run.complete:
        notes.insert(0, _notification("error", "the run is incomplete: resources or verdicts are missing"))
    notes += [_notification("note", text) for text in _left_out(run, tally, left_out, here, listed)]
    return {
        "executionSuccessful": run.complete,
        "startTimeUtc": run.started_at,
        "endTimeUtc": run.finished_at,
        "toolExecutionNotifications": notes,
    }


def _left_out(run: RunInfo, tally: Tally, left_out: int, here: int, listed: bool) -> list[str]:
    counts = tally.summary()
    texts = []
    if left_out:
        texts.append(
            f"{plural(left_out, 'result')} left out to stay within GitHub's limits, {here:,} are here"
        )
    passed = f"{counts['PASS']:,} passed, {counts['NOT_APPLICABLE']:,} not applicable"
    waived = f"{counts['WAIVED'] - tally.debt:,} waived failures"
    debt = f", {tally.debt:,} failures of the baseline, which are still open" if tally.debt else ""
    texts.append(f"not listed as results: {passed}{'' if listed else f', {waived}{debt}'}")
    if run.undecidable:
        texts.append(f"{plural(len(run.undecidable), 'rule')} cannot be decided from this source")
    if run.unknown_types:
        texts.append(f"{plural(sum(run.unknown_types.values()), 'resource')} of types that no rule knows")
    texts += [f"skipped {count:,}: {reason}" for reason, count in sorted(run.skipped.items())]
    return [*texts, *run.notes]


def _notification(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": visible(cut(text, MESSAGE_LIMIT))}}
