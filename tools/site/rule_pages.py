"""A page per rule, made of the rule and of the cases beside it."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import yaml

from policyengine.documents import load
from policyengine.remediate.registry import load_remediations
from policyengine.rules.data import data_root
from policyengine.rules.packs import load_packs


def rule_pages() -> dict[str, str]:
    """Return path in the site -> Markdown, for every bundled rule."""
    root = data_root().rules
    repairs = load_remediations().declarations
    return {
        f"rules/{r['family']}/{r['id']}.md": _page(r, root / r["source"], repairs) for r in load_packs().rules
    }


def _page(rule: dict[str, Any], path: Path, repairs: Any) -> str:
    parts = [f"# {rule['id']}", f"**{_plain(rule['title'])}**", _facts(rule)]
    parts += ["## Why", _plain(rule["why"])]
    if rule.get("fix"):
        parts += ["## Fix", _plain(rule["fix"])]
    if rule["remediation"]:
        found = repairs[rule["remediation"]]
        parts.append(
            f"`policyengine remediate plan` repairs it with `{found.id}`: {_plain(found.title)}. "
            f"{_plain(found.dangers)}"
        )
    if rule["parameters"]:
        parts += ["## Parameters", _parameters(rule["parameters"])]
    if rule["frameworks"]:
        parts += ["## Frameworks", _frameworks(rule["frameworks"])]
    parts += ["## The rule", "```yaml\n" + path.read_text(encoding="utf-8").rstrip() + "\n```"]
    cases = path.with_suffix(".test.yaml")
    if cases.is_file():
        parts += ["## Cases", _cases(cases)]
    if rule["references"]:
        parts += ["## References", "\n".join(f"- <{page}>" for page in rule["references"])]
    return "\n\n".join(parts) + "\n"


def _facts(rule: dict[str, Any]) -> str:
    types = ", ".join(f"`{name}`" for name in rule["applies_to"])
    return (
        f"| severity | family | Well-Architected pillar | about |\n|---|---|---|---|\n"
        f"| {rule['severity']} | {rule['family']} | {rule['pillar']} | {types} |"
    )


def _parameters(parameters: dict[str, Any]) -> str:
    rows = ["| parameter | type | default |", "|---|---|---|"]
    for name, spec in parameters.items():
        rows.append(f"| `{name}` | {_cell(spec.get('type', ''))} | {_cell(spec.get('default', ''))} |")
    return "\n".join(rows)


def _frameworks(frameworks: dict[str, Any]) -> str:
    rows = ["| framework | control | the rule decides |", "|---|---|---|"]
    for name, controls in sorted(frameworks.items()):
        rows += [
            f"| {name} | {control} | {'all of it' if decides == 'whole' else 'a part'} |"
            for control, decides in controls
        ]
    return "\n".join(rows)


def _cases(path: Path) -> str:
    cases = load(path.read_bytes(), name=path.name).value
    parts = []
    for case in cases:
        if "case" not in case:
            continue  # what several cases share
        shown = {key: value for key, value in case.items() if key not in ("case", "expect", "reason")}
        reason = f" (`{case['reason']}`)" if case.get("reason") else ""
        text = yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=110).rstrip()
        indented = "\n".join(f"    {line}" for line in f"```yaml\n{text}\n```".splitlines())
        parts.append(f'??? example "{_title(case["case"])}: {case["expect"]}{reason}"\n\n{indented}')
    return "\n\n".join(parts)


def _title(text: str) -> str:
    return html.escape(" ".join(str(text).split())).replace('"', "&quot;")


def _cell(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000).strip().removesuffix("\n...").strip()
    return f"`{text.replace('|', chr(92) + '|')}`" if text else ""


def _plain(text: str) -> str:
    """Return text of a rule so that nothing in it is markup but backticks."""
    return (
        " ".join(text.split())
        .replace("<", "&lt;")
        .replace("*", "\\*")
        .replace("[", "\\[")
        .replace("_", "\\_")
    )
