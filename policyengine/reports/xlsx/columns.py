"""The sheets in their order, with headings and widths in characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from policyengine.reports.xlsx.sheets import Column

_COUNTS: Final[Sequence[Column]] = (("PASS", 10), ("FAIL", 10), ("UNKNOWN", 10), ("NOT_APPLICABLE", 16))

SHEETS: Final[Mapping[str, Sequence[Column]]] = {
    "Summary": (("What", 34), ("Value", 40), ("Meaning", 80)),
    "Controls": (
        ("Result", 26), ("Framework", 22), ("Control", 18), ("Why", 50), ("Rules can decide", 16),
        ("Rules decided", 16), ("Verdicts", 10), *_COUNTS, ("Waived (among FAIL)", 24), ("Rules", 60), ("Not asked", 40),
        ("The rest remains with", 24), ("Why it remains", 60),
    ),
    "Findings": (
        ("Verdict", 26), ("Severity", 10), ("Rule", 30), ("Title", 50), ("Resource type", 26), ("Resource", 36),
        ("Account", 15), ("Region", 14), ("ARN", 50), ("Place", 36), ("Message", 60), ("Path", 40),
        ("Observed", 40), ("Expected", 40), ("Reason", 22), ("Controls", 50), ("Waiver or baseline", 60), ("Finding", 36),
    ),
    "Rules": (
        ("Rule", 34), ("Title", 60), ("Family", 14), ("Pillar", 20), ("Severity", 10), ("Asked", 26),
        ("Verdicts", 10), *_COUNTS, ("Waived (among FAIL)", 24), ("Why", 60), ("Fix", 60), ("References", 60),
    ),
    "Waivers": (
        ("State", 12), ("Waiver", 20), ("Rule", 30), ("Scope", 40), ("Owner", 20), ("Approver", 20), ("Reason", 50),
        ("Ticket", 16), ("Granted", 14), ("Expires", 14), ("Findings", 10), ("Why", 40), ("Warnings", 50),
    ),
    "Scope": (
        ("Looked at", 12), ("Account", 15), ("Region", 16), ("Expected", 12), ("Collected", 12), ("Missing", 90),
    ),
    "Errors": (
        ("Error", 20), ("Account", 15), ("Region", 14), ("Operation", 30), ("Place", 40), ("Message", 90),
        ("Types", 40),
    ),
    "Exclusions": (("Kind", 12), ("What", 60), ("Number", 10), ("Why", 60)),
}  # fmt: skip

NOTHING: Final[Mapping[str, str]] = {
    "Controls": "no list of controls is known to this report",
    "Findings": "no FAIL and no UNKNOWN",
    "Rules": "no rule was asked",
    "Waivers": "no waiver is known to this report",
    "Scope": "where the run looked is not known to this report",
    "Errors": "no errors",
    "Exclusions": "nothing is known to have been left out",
}
"""What a sheet without rows says: nothing found and nothing known are different things."""
