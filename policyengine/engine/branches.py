"""Which conditions of a template a finding names: those without which it would not be the same.

A resource is evaluated in every branch of the conditions that it or a related resource depends on. A
finding that is the same whatever a condition says must not read as if the condition mattered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from policyengine.engine.rule import BoundRule
from policyengine.engine.scopes import agree
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.rules.predicates.api import Subject

Branch = Mapping[str, bool]

_RANK: Final = {FAIL: 0, UNKNOWN: 1, PASS: 2, NOT_APPLICABLE: 3}


class InBranch(NamedTuple):
    """The verdict of a rule on one branch of a resource; ``crash`` names the error of a crashed rule.

    ``answers`` are those of all rules about the branch (``Subject.answers``).
    """

    resource: Resource
    verdict: str
    answers: dict[Any, Any]
    crash: str | None = None


def worst(branches: Sequence[InBranch]) -> InBranch:
    """Return the branch that decides: FAIL, UNKNOWN, PASS, NOT_APPLICABLE."""
    return min(branches, key=lambda branch: _RANK[branch.verdict])


def finding_over(rule: BoundRule, branches: Sequence[InBranch], subject: Subject) -> Finding:
    """Return the finding of the worst branch, with the conditions that matter.

    Raises what :meth:`BoundRule.finding` raises.
    """
    decisive = worst(branches)
    found = _finding(rule, decisive, subject)
    if decisive.verdict in (PASS, NOT_APPLICABLE):  # it holds in every branch, or a worse one had won
        return found._replace(branch=None)
    others = [
        (b.resource.branch, _finding(rule, b, subject) if b.verdict == decisive.verdict else None)
        for b in branches
    ]
    return found._replace(branch=telling(found, others))


def _finding(rule: BoundRule, branch: InBranch, subject: Subject) -> Finding:
    subject.resource, subject.answers = branch.resource, branch.answers
    return rule.finding(branch.verdict, branch.resource, subject, branch.crash)


def telling(found: Finding, others: Sequence[tuple[Branch | None, Finding | None]]) -> Branch | None:
    """Return the conditions of ``found.branch`` that matter, None when none does.

    ``others`` are the branches of the resource with their findings, None for one of another verdict. A
    condition matters when some branch that agrees on the rest has another verdict, message or evidence.
    """
    said = dict(found.branch or {})
    differing = [branch for branch, other in others if other is None or not _same(found, other)]
    for name in sorted(said):
        rest = {key: value for key, value in said.items() if key != name}
        if not any(agree(branch, rest) for branch in differing):
            said = rest
    return said or None


def _same(one: Finding, other: Finding) -> bool:
    return (one.verdict, one.message, one.evidence) == (other.verdict, other.message, other.evidence)
