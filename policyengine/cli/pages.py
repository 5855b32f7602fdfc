"""A rule as a page, from its compiled form and the tests beside it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policyengine.model.errors import UsageError

if TYPE_CHECKING:
    from policyengine.remediate.declaration import Declaration


def rule_page(rule_id: str, folders: Sequence[Path]) -> str:
    """Return the page of a rule; raises UsageError with the nearest id for an unknown one."""
    from policyengine.cli.outputs import terminal_look
    from policyengine.cli.ruleinfo import rule_info
    from policyengine.engine.words import in_words
    from policyengine.reports.explain import ParameterInfo, RulePage, explain_rule
    from policyengine.rules.packs import load_packs

    form = known_rule(load_packs(folders).rules, rule_id)
    variant = form["variants"][0]
    page = RulePage(
        info=rule_info(form),
        applies_to=form["applies_to"],
        requires=in_words(variant["require"]),
        when=in_words(variant["when"]) if variant["when"] else (),
        parameters=[
            ParameterInfo(name, p["type"], p["default"], p["default"], p.get("description", ""))
            for name, p in form["parameters"].items()
        ],
        examples=_examples(form, folders),
        remediation=form["remediation"],
        repair=_repair(form["remediation"]),
        file=form["source"],
    )
    return explain_rule(page, terminal_look(sys.stdout))


def _repair(name: str | None) -> list[str]:
    """Return what a remediation says of itself, in sentences."""
    from policyengine.remediate.registry import load_remediations

    known = load_remediations().declarations if name else {}
    return repair_in_words(known[name]) if name is not None and name in known else []


def repair_in_words(found: Declaration) -> list[str]:
    """Return what a remediation does, who agrees to it, what can be taken back, and its dangers."""
    run = {"automatic": "Waits for approval unless `remediation.automatic` lists it", "plan": "Only proposes"}
    people = "one person" if found.approvals <= 1 else f"{found.approvals} people"
    terms = run.get(found.mode, f"Waits for the approval of at least {people}, always")
    if found.destructive:
        terms += "; may lose data or history"
    undo = {"full": "can be taken back", "partial": "can be taken back in part", "no": "cannot be taken back"}
    lost = f" ({' '.join(found.lost.split()).rstrip('.')})" if found.lost else ""
    sentences = [f"{found.title}. {terms}; {undo[found.reversible]}{lost}."]
    if found.dangers.strip():
        sentences.append(f"Dangers: {' '.join(found.dangers.split())}")
    return sentences


def _examples(form: dict[str, Any], folders: Sequence[Path]) -> list[Any]:
    """Return some of the rule's own test cases, one of each of the first verdicts."""
    from policyengine.cli.examples import examples_of
    from policyengine.documents import load
    from policyengine.reports.explain import ExampleInfo
    from policyengine.rules.data import data_root

    name = form["source"].removesuffix(".yaml") + ".test.yaml"
    path = next((p for folder in (data_root().rules, *folders) if (p := folder / name).is_file()), None)
    if path is None:
        return []
    cases = load(path.read_bytes(), name=name, syntax="yaml", style="strict").value
    return [ExampleInfo(c["case"], c["expect"], c.get("reason"), text) for c, text in examples_of(cases)]


def known_rule(forms: Sequence[dict[str, Any]], rule_id: str) -> dict[str, Any]:
    """Return a rule's form; raises UsageError with the nearest id."""
    from policyengine.rules.names import unknown

    for form in forms:
        if form["id"] == rule_id:
            return form
    raise UsageError(unknown("rule", rule_id, [f["id"] for f in forms]))
