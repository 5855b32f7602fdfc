"""Write docs/rules.md from the rules; ``--check`` says whether it is fresh (exit 1 when not)."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from policyengine.rules.packs import load_packs

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "rules.md"
HEAD = """\
# The rules

Generated from `rules/` by `tools/document_rules.py`; do not edit. `policyengine rules show ID` prints a
rule as a page.
"""


def page() -> str:
    """Return the page."""
    rules = sorted(load_packs().rules, key=lambda r: (r["family"], r["id"]))
    parts = [HEAD, f"{len(rules)} rules.\n"]
    for family, members in groupby(rules, key=lambda r: r["family"]):
        found = list(members)
        parts.append(f"\n## {family} ({len(found)})\n")
        parts.append("| rule | severity | what must be true | resource types |\n|---|---|---|---|")
        for rule in found:
            types = rule["applies_to"]
            shown = ", ".join(types[:3]) + (f" and {len(types) - 3} more" if len(types) > 3 else "")
            title = rule["title"].replace("|", "\\|")
            parts.append(
                f"| [{rule['id']}](../rules/{rule['source']}) | {rule['severity']} | {title} | {shown} |"
            )
    return "\n".join(parts) + "\n"


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
