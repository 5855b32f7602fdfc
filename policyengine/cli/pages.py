"""A rule as a page, from its compiled form and the tests beside it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from policyengine.model.errors import UsageError


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
        file=form["source"],
    )
    return explain_rule(page, terminal_look(sys.stdout))


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
