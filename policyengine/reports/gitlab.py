"""``--format gitlab``: a Code Quality report, https://docs.gitlab.com/ci/testing/code_quality/.

A JSON array of ``description``, ``check_name``, ``fingerprint`` (the finding id), ``severity`` and
``location``. Open FAILs are listed with critical → blocker, high → critical, medium → major,
low → minor; UNKNOWN is listed as ``info`` and says "not determined", and so is what stands in the baseline,
which nobody accepted. PASS, NOT_APPLICABLE and waived findings are left out. A resource without a file
stands at ``aws/ACCOUNT/REGION/TYPE/ID``.
"""

from __future__ import annotations

from typing import TextIO

from policyengine.model.finding import Finding
from policyengine.reports.base import Context, RunInfo, is_open, is_unknown
from policyengine.reports.jsontext import compact
from policyengine.reports.places import line_of, relative_path, resource_name, told
from policyengine.reports.tally import is_debt
from policyengine.reports.text import cut

SEVERITY = {"critical": "blocker", "high": "critical", "medium": "major", "low": "minor"}
DESCRIPTION_LIMIT = 1_500


class GitlabReport:
    """``--format gitlab``."""

    def __init__(self, out: TextIO, context: Context) -> None:
        del context
        self._out = out
        self._empty = True

    def begin(self, run: RunInfo) -> None:
        """Open the array."""
        del run
        self._out.write("[")

    def add(self, finding: Finding) -> None:
        """Write an open FAIL, one of the baseline or an UNKNOWN."""
        unknown, debt = is_unknown(finding), is_debt(finding)
        if not (unknown or debt or is_open(finding)):
            return
        since = "in the baseline, still open: " if debt else ""
        text = f"{since}{resource_name(finding)}: {told(finding, DESCRIPTION_LIMIT)}"
        issue = {
            "description": cut(text, DESCRIPTION_LIMIT),
            "check_name": finding.rule,
            "fingerprint": finding.id,
            "severity": "info" if unknown or debt else SEVERITY[finding.severity],
            "location": {
                "path": relative_path(finding).removeprefix("./"),
                "lines": {"begin": line_of(finding)},
            },
        }
        self._out.write(("\n " if self._empty else ",\n ") + compact(issue))
        self._empty = False

    def end(self, run: RunInfo) -> None:
        """Close the array."""
        del run
        self._out.write("]\n" if self._empty else "\n]\n")
