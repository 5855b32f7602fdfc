"""Print the framework controls that Prowler binds to checks, as ``frameworks:`` of a rule.

``python tools/suggest_controls.py rds_instance_backup_enabled ...`` prints a YAML snippet for each check.
It is a starting point: drop what the rule does not decide, and change ``part`` to ``whole`` where the
rule alone decides all of a control. ``--narrow N`` (default 12) leaves out controls that Prowler binds to
more than N checks, which one rule never decides as a whole; ``--narrow 0`` keeps them.
``--peers DIR`` instead writes ``DIR/<family>.tsv`` with the peers' checks of the families that
``docs/coverage.csv`` answers for.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import json
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import extract_frameworks as frameworks  # a sibling, found through the line above

PEERS = frameworks.TABLE.with_name("peer-checks.csv")
FAMILIES = ("bedrock", "encryption", "iam", "logging", "network", "pipeline", "resilience", "tagging")
COLUMNS = ("peer", "service", "check", "title", "severity")

Bound = dict[str, dict[str, set[str]]]
"""framework id -> control -> Prowler checks."""


def bindings() -> Bound:
    """Return the checks bound to every control of our frameworks."""
    table = frameworks.rows()
    return {target.id: frameworks.controls(target, table) for target in frameworks.TARGETS}


def snippet(check: str, bound: Bound, narrow: int) -> str:
    """Return the YAML for one check."""
    lines, left_out = [f"# {check}", "frameworks:"], 0
    for framework, controls in bound.items():
        named = [control for control, checks in controls.items() if check in checks]
        kept = [control for control in named if not narrow or len(controls[control]) <= narrow]
        left_out += len(named) - len(kept)
        if kept:
            items = ", ".join(f"{{control: {json.dumps(control)}, decides: part}}" for control in kept)
            lines.append(f"  {framework}: [{items}]")
    if len(lines) == 2:
        lines[1] = "frameworks: {}"
    if left_out:
        lines.append(f"# left out: {left_out} controls bound to more than {narrow} checks")
    return "\n".join(lines)


def unknown(check: str, known: Iterable[str]) -> str:
    """Return the comment for a check that no framework names."""
    close = difflib.get_close_matches(check, list(known), n=3, cutoff=0.6)
    hint = f"; did you mean {', '.join(close)}?" if close else ""
    return f"# {check}: bound to no control of our frameworks{hint}"


def write_peers(folder: Path) -> None:
    """Write one table a family, sorted by service, then peer and check."""
    with PEERS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    folder.mkdir(parents=True, exist_ok=True)
    for family in FAMILIES:
        chosen = [row for row in rows if row["family"] == family]
        chosen.sort(key=lambda row: (row["service"].lower(), row["peer"], row["check"]))
        path = folder / f"{family}.tsv"
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, delimiter="\t", lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows([row[column] for column in COLUMNS] for row in chosen)
        print(f"{path}: {len(chosen)} checks")


def main() -> int:
    """Print snippets, or write the tables; exits 1 when a check is bound to nothing."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("checks", nargs="*", metavar="CHECK", help="name of a Prowler check")
    parser.add_argument("--narrow", type=int, default=12, metavar="N")
    parser.add_argument("--peers", type=Path, metavar="DIR")
    arguments = parser.parse_args()
    if arguments.peers:
        write_peers(arguments.peers)
    bound = bindings()
    known = {check for controls in bound.values() for checks in controls.values() for check in checks}
    for check in arguments.checks:
        print(snippet(check, bound, arguments.narrow) if check in known else unknown(check, sorted(known)))
        print()
    return int(any(check not in known for check in arguments.checks))


if __name__ == "__main__":
    sys.exit(main())
