"""Writing a report into a string."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from policyengine.model.finding import Finding
from policyengine.reports.base import Context, RunInfo, TerminalOptions, write_reports
from policyengine.reports.table import REPORTS

from . import sample


def render(
    fmt: str,
    findings: Iterable[Finding] | None = None,
    run: RunInfo | None = None,
    terminal: TerminalOptions | None = None,
    **context: Any,
) -> str:
    """Return the report ``fmt`` of the findings (default: the whole sample)."""
    out = io.StringIO()
    made = Context(
        **{
            "rules": sample.RULES,
            "source": sample.SOURCE,
            "terminal": terminal or TerminalOptions(),
            **context,
        }
    )
    found = sample.findings() if findings is None else findings
    write_reports(found, [REPORTS[fmt].make(out, made)], run or sample.run())
    return out.getvalue()
