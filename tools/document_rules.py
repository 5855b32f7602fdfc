"""Write docs/rules.md from the rules; ``--check`` says whether it is fresh (exit 1 when not)."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from policyengine.remediate.declaration import Declaration
from policyengine.remediate.registry import load_remediations
from policyengine.rules.packs import load_packs

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "rules.md"
HEAD = """\
# The rules

Generated from `rules/` by `tools/document_rules.py`; do not edit. `policyengine rules show ID` prints a
rule as a page. The last column names what repairs a failure ([remediation](remediation.md)), with its marks:
*auto* may run without a person where the settings allow it, *plan* only proposes, *destructive* may lose data or history,
*undo in part* and *no undo* say that not all of it can be taken back. Nothing marked waits for one person and can be taken back.
"""


def page() -> str:
    """Return the page."""
    rules = sorted(load_packs().rules, key=lambda r: (r["family"], r["id"]))
    repairs = load_remediations().declarations
    repaired = sum(1 for rule in rules if rule["remediation"])
    parts = [HEAD, f"{len(rules)} rules; failures of {repaired} can be repaired.\n"]
    for family, members in groupby(rules, key=lambda r: r["family"]):
        found = list(members)
        parts.append(f"\n## {family} ({len(found)})\n")
        parts.append(
            "| rule | severity | what must be true | resource types | repaired by |\n|---|---|---|---|---|"
        )
        for rule in found:
            types = rule["applies_to"]
            shown = ", ".join(types[:3]) + (f" and {len(types) - 3} more" if len(types) > 3 else "")
            title = rule["title"].replace("|", "\\|")
            parts.append(
                f"| [{rule['id']}](../rules/{rule['source']}) | {rule['severity']} | {title} | {shown} "
                f"| {_repair(repairs[rule['remediation']]) if rule['remediation'] else ''} |"
            )
    return "\n".join(parts) + "\n"


def _repair(found: Declaration) -> str:
    """Return the cell of a remediation."""
    marks = [
        *(["auto"] if found.mode == "automatic" else ["plan"] if found.mode == "plan" else []),
        *(["destructive"] if found.destructive else []),
        *({"partial": ["undo in part"], "no": ["no undo"]}.get(found.reversible, [])),
    ]
    return (
        f"[{found.id}](../remediations/{found.id}/remediation.yaml){''.join(f' *{mark}*' for mark in marks)}"
    )


def main() -> int:
    """Write the page, or compare it."""
    text = page()
    if "--check" in sys.argv[1:]:
        fresh = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text
        print("docs/rules.md is fresh" if fresh else "docs/rules.md is stale: run `make docs`")
        return 0 if fresh else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
