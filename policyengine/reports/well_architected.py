"""``--format well-architected``: risks by pillar, account and best practice, and the plan, as one JSON document.

The document is ``policyengine/well-architected/v1`` (docs/well-architected.md); two of them can be compared
(:mod:`policyengine.reports.well_architected_compare`). It is small: counts by rule, account and best practice, and no
names of resources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TextIO

from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL
from policyengine.reports.base import Context, RuleInfo, RunInfo
from policyengine.reports.controls import ControlResult, ControlTally, MappedRule, all_rules
from policyengine.reports.extras import Extras, FrameworkInfo
from policyengine.reports.json_report import run_json
from policyengine.reports.jsontext import compact
from policyengine.reports.well_architected_risks import (
    RISKS,
    AccountRisk,
    PillarRisk,
    PlanItem,
    Risk,
    RiskCounts,
    RiskReport,
    RiskTally,
    RuleRisk,
)

SCHEMA: Final = "policyengine/well-architected/v1"
FRAMEWORK: Final = "well-architected-security"
NOT_ASSESSED: Final = "not_assessed"
IN_PART: Final = "in_part"
"""No pillar is ever assessed wholly: most of what a review asks is about people and architecture."""


class WellArchitectedReport:
    """``--format well-architected``."""

    def __init__(self, out: TextIO, context: Context) -> None:
        self._out = out
        self._context = context
        self._tally = RiskTally(context.rules, context.extras.remediations)

    def begin(self, run: RunInfo) -> None:
        """Nothing can be written yet: ``run`` is not final."""

    def add(self, finding: Finding) -> None:
        """Take the next finding."""
        self._tally.add(finding)

    def end(self, run: RunInfo) -> None:
        """Write the document."""
        write_document(
            self._out,
            document(run_json(run), self._tally.results(), self._context.rules, self._context.extras),
        )


def write_document(out: TextIO, value: Mapping[str, Any]) -> None:
    """Write a document with one line for each element of its lists, so that two can be told apart line by line."""
    parts = []
    for key, item in value.items():
        if isinstance(item, list) and item:
            rows = ",\n  ".join(compact(row) for row in item)
            parts.append(f"{compact(key)}:[\n  {rows}]")
        else:
            parts.append(f"{compact(key)}:{compact(item)}")
    out.write("{" + ",\n ".join(parts) + "}\n")


def document(
    run: Mapping[str, Any], risks: RiskReport, rules: Mapping[str, RuleInfo], extras: Extras
) -> dict[str, Any]:
    """Return the document. ``run`` is the contract's run object, ``rules`` what this run asked."""
    practices = best_practices(run, risks, rules, extras)
    by_rule = {rule.rule: rule for rule in risks.rules}
    return {
        "schema": SCHEMA,
        "run": _run(run),
        "totals": _risks(risks.totals),
        "pillars": [_pillar(pillar) for pillar in risks.pillars],
        "accounts": [_account(account) for account in risks.accounts],
        "best_practices": [_practice(found, by_rule) for found in practices],
        "plan": [_item(item, rules) for item in risks.plan],
        "rules": [_rule(rule) for rule in risks.rules],
    }


def best_practices(
    run: Mapping[str, Any], risks: RiskReport, rules: Mapping[str, MappedRule], extras: Extras
) -> list[ControlResult]:
    """Return every best practice of the security pillar; without the framework's list, those that rules name."""
    every = all_rules(rules, extras)
    info = extras.frameworks.get(FRAMEWORK) or FrameworkInfo(FRAMEWORK, "", "", "", "", ())
    tally = ControlTally({FRAMEWORK: info}, every, asked=rules)
    for rule in risks.rules:
        for verdict, number in rule.verdicts.items():
            tally.add_verdicts(rule.rule, verdict, number, rule.waived if verdict == FAIL else 0)
    undecidable = run.get("undecidable")
    return tally.results(
        complete=run.get("complete") is True,
        undecidable=undecidable if isinstance(undecidable, list) else (),
    )


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("id", "as_of", "finished_at", "engine_version", "rule_pack", "scope", "complete")
    return {key: run.get(key) for key in keys}


def _risks(risks: Mapping[Risk, RiskCounts]) -> dict[str, dict[str, int]]:
    return {
        risk: {
            "issues": risks[risk].issues,
            "findings": risks[risk].findings,
            "accepted": risks[risk].accepted,
            "unknown": risks[risk].unknown,
        }
        for risk in RISKS
    }


def _pillar(pillar: PillarRisk) -> dict[str, Any]:
    return {
        "pillar": pillar.pillar,
        "assessed": IN_PART if pillar.assessed else NOT_ASSESSED,
        "rules": pillar.rules,
        "verdicts": dict(pillar.verdicts),
        "waived": pillar.waived,
        "risks": _risks(pillar.risks),
    }


def _account(account: AccountRisk) -> dict[str, Any]:
    return {
        "account": account.account,
        "verdicts": dict(account.verdicts),
        "waived": account.waived,
        "risks": _risks(account.risks),
    }


def _practice(found: ControlResult, by_rule: Mapping[str, RuleRisk]) -> dict[str, Any]:
    failing = [by_rule[rule] for rule, _ in found.rules if rule in by_rule and by_rule[rule].open]
    return {
        "id": found.control,
        "decides": found.decides,
        "status": found.status,
        "verdicts": dict(found.verdicts),
        "waived": found.waived,
        "issues": {risk: sum(rule.risk == risk for rule in failing) for risk in RISKS},
        "rules": [rule for rule, _ in found.rules],
    }


def _item(item: PlanItem, rules: Mapping[str, RuleInfo]) -> dict[str, Any]:
    rule, cost = item.rule, item.effort
    info = rules.get(rule.rule)
    return {
        "rank": item.rank,
        "rule": rule.rule,
        "title": rule.title,
        "pillar": rule.pillar,
        "risk": rule.risk,
        "severity": rule.severity,
        "findings": rule.open,
        "quick_win": item.quick_win,
        "effort": {
            "points": cost.points,
            "level": cost.level,
            "means": cost.means,
            "changes": cost.changes,
            "accounts": cost.accounts,
        },
        "remediation": rule.remediation,
        "fix": info.fix.strip() if info else "",
        "best_practices": _mapped(info),
    }


def _mapped(info: RuleInfo | None) -> Sequence[str]:
    return [control for control, _ in info.frameworks.get(FRAMEWORK, ())] if info else []


def _rule(rule: RuleRisk) -> dict[str, Any]:
    return {
        "rule": rule.rule,
        "pillar": rule.pillar,
        "severity": rule.severity,
        "risk": rule.risk,
        "verdicts": dict(rule.verdicts),
        "waived": rule.waived,
        "accounts": rule.accounts,
    }
