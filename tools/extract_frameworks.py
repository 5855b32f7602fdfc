"""Write ``frameworks/*.yaml`` (control ids only, no prose) from the shared table of controls.

Run ``python tools/extract_frameworks.py`` after the table changed; ``--check`` writes nothing and exits
1 when a file would change. The table is ``../shared/data/framework-controls.csv`` beside the checkout:
``framework,version,control,peer_checks``, one line a control, ids as Prowler's compliance files spell
them. Where that spelling is an artefact of a file name (``ac_2_3_a``, ``cc_6_1``) the id is written as
the standard writes it; every rewriting is described in the ``note`` of its file.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT.parent / "shared" / "data" / "framework-controls.csv"
_PARTIAL = "The ids are those of Prowler's mapping of the standard, which need not be all of the standard's."


@dataclass(frozen=True)
class Target:
    """A framework we map to, and where its ids come from: ``name`` and ``edition`` in the table."""

    id: str
    title: str
    version: str
    source: str
    note: str
    name: str
    edition: str
    spell: Callable[[str], str]


def keep(control: str) -> str:
    """Return the id as it is."""
    return control


def nist(control: str) -> str:
    """Spell as NIST does: ``ac_2_3_a`` -> ``AC-2(3)(a)``, ``cp_1_a_1_b`` -> ``CP-1a.1(b)``.

    A number after the base control is an enhancement, and everything below it stands in
    parentheses; a letter is a part of the base control, with ``.n`` and ``(x)`` below it.
    """
    family, number, *rest = control.split("_")
    base = f"{family.upper()}-{number}"
    if not rest or rest[0].isdigit():
        return base + "".join(f"({step})" for step in rest)
    marks = ("{}", ".{}", "({})")
    return base + "".join(mark.format(step) for mark, step in zip(marks, rest, strict=False))


def hipaa(control: str) -> str:
    """Spell as the Code of Federal Regulations does: ``164_308_a_1_ii_a`` -> ``164.308(a)(1)(ii)(A)``."""
    part, section, *rest = control.split("_")
    letters = [step.upper() if level == 3 else step for level, step in enumerate(rest)]
    return f"{part}.{section}" + "".join(f"({step})" for step in letters)


def soc2(control: str) -> str:
    """Spell as the AICPA does: ``cc_6_1`` -> ``CC6.1``, ``cc_a_1_1`` -> ``A1.1``, ``pi_1_2`` -> ``PI1.2``."""
    *category, number, point = control.split("_")
    return f"{category[-1].upper()}{number}.{point}"


def pci(control: str) -> str:
    """Drop the running number of the check that the source appends: ``1.2.5.17`` -> ``1.2.5``."""
    return control.rpartition(".")[0]


TARGETS = (
    Target(
        "cis-aws", "CIS Amazon Web Services Foundations Benchmark", "7.0",
        "https://www.cisecurity.org/benchmark/amazon_web_services",
        f"{_PARTIAL} Ids are unchanged.", "CIS", "7.0", keep,
    ),
    Target(
        "aws-fsbp", "AWS Foundational Security Best Practices", "1.0.0",
        "https://docs.aws.amazon.com/securityhub/latest/userguide/fsbp-standard.html",
        f"{_PARTIAL} AWS adds controls without changing the version of the standard. Ids are unchanged.",
        "AWS-Foundational-Security-Best-Practices", "", keep,
    ),
    Target(
        "nist-800-53", "NIST SP 800-53 Security and Privacy Controls", "Revision 5",
        "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final",
        f"{_PARTIAL} It writes `ac_2_3_a`, here it is `AC-2(3)(a)`; `cp_1_a_1_b` is `CP-1a.1(b)`.",
        "NIST-800-53-Revision-5", "", nist,
    ),
    Target(
        "pci-dss", "Payment Card Industry Data Security Standard", "4.0.1",
        "https://www.pcisecuritystandards.org/document_library/",
        f"{_PARTIAL} The ids were published for 4.0; 4.0.1 is a limited revision that neither adds nor "
        "deletes a requirement, so they hold for it too. It appends a running number to each "
        "requirement (`1.2.5.1` to `1.2.5.17`), which is dropped here (`1.2.5`).",
        "PCI", "4.0", pci,
    ),
    Target(
        "soc2", "SOC 2 Trust Services Criteria", "2017",
        "https://www.aicpa-cima.com/topic/audit-assurance/audit-and-assurance-greater-than-soc-2",
        f"{_PARTIAL} It names no edition and writes `cc_6_1`, `cc_a_1_1`; here they are `CC6.1`, `A1.1`.",
        "SOC2", "", soc2,
    ),
    Target(
        "iso-27001", "ISO/IEC 27001 Annex A", "2022", "https://www.iso.org/standard/27001",
        f"{_PARTIAL} Ids are unchanged.", "ISO27001", "2022", keep,
    ),
    Target(
        "hipaa", "HIPAA Security Rule", "45 CFR Part 164 Subpart C",
        "https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164/subpart-C",
        f"{_PARTIAL} It writes `164_308_a_1_ii_a`, here it is `164.308(a)(1)(ii)(A)`.",
        "HIPAA", "", hipaa,
    ),
    Target(
        "well-architected-security", "AWS Well-Architected Framework, Security Pillar", "undated",
        "https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/welcome.html",
        f"{_PARTIAL} It names no edition. Ids are unchanged.",
        "AWS-Well-Architected-Framework-Security-Pillar", "", keep,
    ),
)  # fmt: skip


def rows(table: Path = TABLE) -> list[dict[str, str]]:
    """Return the lines of the table; SystemExit when it is not there."""
    if not table.is_file():
        raise SystemExit(f"{table}: not found; it lies in the `shared` folder beside the checkout")
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def controls(target: Target, table: list[dict[str, str]]) -> dict[str, set[str]]:
    """Return our id of each control, in the table's order, with the Prowler checks bound to it."""
    found: dict[str, set[str]] = {}
    for row in table:
        if (row["framework"], row["version"]) == (target.name, target.edition):
            found.setdefault(target.spell(row["control"]), set()).update(row["peer_checks"].split())
    if not found:
        raise SystemExit(f"{TABLE}: no controls of `{target.name}` `{target.edition}`")
    return found


def render(target: Target, ids: list[str]) -> str:
    """Return the file's text. Every scalar is quoted: YAML would read ``2.10`` as a number."""
    lines = ["# Written by tools/extract_frameworks.py; do not edit."]
    lines += [
        f"{key}: {json.dumps(getattr(target, key))}" for key in ("id", "title", "version", "source", "note")
    ]
    return "\n".join([*lines, "controls:", *(f"  - {json.dumps(control)}" for control in ids)]) + "\n"


def main() -> int:
    """Write the files, or compare them with ``--check``."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file would change")
    check = parser.parse_args().check
    table, stale = rows(), 0
    for target in TARGETS:
        path = ROOT / "frameworks" / f"{target.id}.yaml"
        ids = list(controls(target, table))
        text = render(target, ids)
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        print(f"{path.relative_to(ROOT)}: {len(ids)} controls{' (stale)' if check else ''}")
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return int(check and stale > 0)


if __name__ == "__main__":
    sys.exit(main())
