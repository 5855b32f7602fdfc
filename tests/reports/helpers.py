"""Writing a report into a string."""

from __future__ import annotations

import io
import zipfile
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
    """Return the report ``fmt`` of the findings (default: the whole sample); of a workbook its parts as text."""
    data = render_bytes(fmt, findings, run, terminal, **context)
    return unzipped(data) if REPORTS[fmt].binary else data.decode("utf-8", "surrogatepass")


def render_bytes(
    fmt: str,
    findings: Iterable[Finding] | None = None,
    run: RunInfo | None = None,
    terminal: TerminalOptions | None = None,
    **context: Any,
) -> bytes:
    """Return the report as it would stand in a file."""
    binary = REPORTS[fmt].binary
    out: Any = io.BytesIO() if binary else io.StringIO()
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
    return out.getvalue() if binary else out.getvalue().encode("utf-8", "surrogatepass")


def unzipped(data: bytes) -> str:
    """Return the members of a zip as text, one after the other: deflated bytes depend on zlib's version."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [(info.filename, archive.read(info).decode("utf-8")) for info in archive.infolist()]
    return "".join(f"==== {name}\n{text}\n" for name, text in parts)
