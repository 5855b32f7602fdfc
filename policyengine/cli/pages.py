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
    """Return some of the rule's own test cases, one per verdict first."""
    from policyengine.documents import load
    from policyengine.reports.explain import ExampleInfo
    from policyengine.rules.data import data_root

    name = form["source"].removesuffix(".yaml") + ".test.yaml"
    path = next((p for folder in (data_root().rules, *folders) if (p := folder / name).is_file()), None)
    if path is None:
        return []
    value = load(path.read_bytes(), name=name, syntax="yaml", style="strict").value
    order = {"PASS": 0, "FAIL": 1, "UNKNOWN": 2, "NOT_APPLICABLE": 3}
    cases = [
        c
        for c in (value if isinstance(value, list) else ())
        if isinstance(c, dict) and isinstance(c.get("case"), str) and str(c.get("expect")) in order
    ]
    firsts = list({c["expect"]: c for c in reversed(cases)}.values())
    return [
        ExampleInfo(c["case"], c["expect"], c.get("reason"), _flow(c.get("resource", c.get("resources"))))
        for c in sorted(firsts, key=lambda c: order[c["expect"]])
    ]


def _flow(value: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False)
    return text.strip()


def known_rule(forms: Sequence[dict[str, Any]], rule_id: str) -> dict[str, Any]:
    """Return a rule's form; raises UsageError with the nearest id."""
    from policyengine.rules.names import unknown

    for form in forms:
        if form["id"] == rule_id:
            return form
    raise UsageError(unknown("rule", rule_id, [f["id"] for f in forms]))
