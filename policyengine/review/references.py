"""References to waivers that a change adds to code: what they accept was not accepted there before (decision 20)."""

from __future__ import annotations

from collections.abc import Iterator

from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, SEVERITIES
from policyengine.model.suppression import references_of
from policyengine.review.changes import Change
from policyengine.review.pairs import Pairing
from policyengine.review.verdicts import ByRule, broken


def reference_changes(pairing: Pairing, base: ByRule, head: ByRule) -> Iterator[Change]:
    """Yield references to waivers that the base has not, where they accept a failure: something to know of.

    The waiver is the base's, so somebody has granted it; that it is meant here is what the change says.
    """
    for pair in pairing.pairs:
        if pair.head is None:
            continue
        before = {each.waiver for each in references_of(pair.base)} if pair.base is not None else set()
        for reference in references_of(pair.head):
            accepted = [
                each
                for each in head.get(pair.head.identity, {}).values()
                if each.verdict == FAIL and _is_by(each, reference.waiver)
            ]
            if reference.waiver in before or not accepted:
                continue
            old = base.get(pair.base.identity, {}) if pair.base is not None else {}
            worst = max(accepted, key=lambda each: SEVERITIES.index(each.severity))
            rules = ", ".join(sorted(f"`{each.rule}`" for each in accepted))
            yield Change(
                "gate", "new", worst.severity, f"code newly refers to waiver `{reference.waiver}`, which accepts {rules} here",
                pair.head, pair.base, rules=tuple(broken(old.get(each.rule), each) for each in accepted),
                location=reference.location,
            )  # fmt: skip


def _is_by(finding: Finding, waiver: str) -> bool:
    return finding.waiver is not None and finding.waiver.get("id") == waiver
