"""Failures that are new and that a waiver or the baseline accepts: a change must not walk into one unseen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, SEVERITIES
from policyengine.model.suppression import references_of
from policyengine.review.changes import Change
from policyengine.review.pairs import Pair, Pairing
from policyengine.review.verdicts import ByRule, broken


def acceptance_changes(pairing: Pairing, base: ByRule, head: ByRule) -> Iterator[Change]:
    """Yield what fails newly, or was not accepted, where something of the base accepts it: something to know of.

    A resource comes into the scope of a waiver by a tag, say. References in code are told by themselves
    (``review.references``).
    """
    for pair in pairing.pairs:
        if pair.head is None:
            continue
        old = base.get(pair.base.identity, {}) if pair.base is not None else {}
        told = {each.waiver for each in references_of(pair.head)}
        accepted: dict[str, list[Finding]] = defaultdict(list)
        for finding in head.get(pair.head.identity, {}).values():
            if finding.verdict != FAIL or not finding.waiver:
                continue
            before, name = old.get(finding.rule), str(finding.waiver.get("id"))
            if name not in told and (before is None or before.verdict != FAIL or not before.waiver):
                accepted[
                    "the baseline" if finding.waiver.get("kind") == "baseline" else f"waiver `{name}`"
                ].append(finding)
        for name, findings in sorted(accepted.items()):
            yield _change(pair, name, findings, old)


def _change(pair: Pair, name: str, findings: list[Finding], old: Mapping[str, Finding]) -> Change:
    worst = max(findings, key=lambda each: SEVERITIES.index(each.severity))
    rules = ", ".join(sorted(f"`{each.rule}`" for each in findings))
    return Change(
        "gate", "new", worst.severity, f"{name} accepts {rules} here, which is new: {worst.message}", pair.head, pair.base,
        worst.evidence[0].path if worst.evidence else (),
        rules=tuple(broken(old.get(each.rule), each) for each in findings), location=worst.location,
    )  # fmt: skip
