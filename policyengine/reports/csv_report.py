"""``--format csv``: one row a finding, RFC 4180, UTF-8, CRLF, every cell quoted.

Spreadsheets run cells as formulas (OWASP, "CSV Injection",
https://owasp.org/www-community/attacks/CSV_Injection), so text that begins with ``=``, ``+``, ``-``,
``@``, TAB, CR, LF or what Unicode says is compatible with one of the first four (full-width, small, superscript)
gets an apostrophe in front, also where white space or quotes come before it, which some programs drop; so does such a
character after a ``;``, which starts a new cell where the list separator is a semicolon. Characters
that cannot be printed are spelt out; what a log reader would take for a command is broken up. When a
finding has several pieces of evidence, the columns ``path``, ``observed``, ``expected`` and
``provenance`` hold one line for each.
"""

from __future__ import annotations

import re
from typing import TextIO

from policyengine.model.finding import Evidence, Finding
from policyengine.model.resource import json_pointer
from policyengine.reports.base import Context, RunInfo
from policyengine.reports.jsontext import cleaned_text, compact
from policyengine.reports.text import cut, show_value, visible, without_log_commands

COLUMNS = (
    "id", "rule", "title", "family", "severity", "verdict", "reason", "message", "account", "region",
    "resource_type", "resource_id", "arn", "file", "line", "column", "branch", "path", "observed",
    "expected", "provenance", "frameworks", "remediation", "waiver",
)  # fmt: skip
CELL_LIMIT = 30_000  # Excel refuses cells of more than 32,767 characters

# `=+-@` and every character of which Unicode's compatible normal form (NFKC) begins with one of them
_STARTS = "=+\\-@\u207a\u207c\u208a\u208c\u2a75\u2a76\ufb29\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"
_FORMULA = re.compile(f"[\t\r\n]|[\\s\"'\u2018\u2019\u201c\u201d]*[{_STARTS}]")
_PLAIN = re.compile(
    r"[A-Za-z0-9(/`][ -\"$-:<-~]*"
)  # most cells: nothing in them starts, separates or commands
_AFTER_SEPARATOR = re.compile(f"(?<=;)([\\s\"']*)(?=[{_STARTS}])")


class CsvReport:
    """``--format csv``."""

    def __init__(self, out: TextIO, context: Context) -> None:
        del context
        self._out = out

    def begin(self, run: RunInfo) -> None:
        """Write the header row."""
        del run
        self._write(list(COLUMNS))

    def add(self, finding: Finding) -> None:
        """Write one row."""
        self._write(_row(finding))

    def end(self, run: RunInfo) -> None:
        """Nothing follows the last row: RFC 4180 has no place for a summary."""

    def _write(self, cells: list[str]) -> None:
        self._out.write(",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\r\n")


def cell(text: str | None, limit: int = CELL_LIMIT) -> str:
    """Return ``text`` as a cell that no spreadsheet runs, of at most ``limit`` UTF-16 units; line ends stay, as LF."""
    if not text:
        return ""
    if _PLAIN.fullmatch(text) and len(text) <= limit:
        return text
    if not text.isascii() and max(text) > "\uffff":
        limit //= 2  # each of such characters is two of the units that Excel counts
    lines = cleaned_text(cut(text, limit)).replace("\r\n", "\n").split("\n")
    shown = "\n".join(without_log_commands(visible(line)) for line in lines)
    if _FORMULA.match(shown) or _FORMULA.match(text):
        shown = "'" + shown
    return cut(_AFTER_SEPARATOR.sub(r"\1'", shown) if ";" in shown else shown, limit)


def _row(finding: Finding) -> list[str]:
    place = finding.location
    branch = finding.branch
    texts = (
        finding.id, finding.rule, finding.title, finding.family, finding.severity, finding.verdict,
        finding.reason, finding.message, finding.account, finding.region, finding.resource_type,
        finding.resource_id, finding.arn, place.file if place else None,
    )  # fmt: skip
    frameworks = "; ".join(f"{name} {', '.join(ids)}" for name, ids in sorted(finding.frameworks.items()))
    return [
        *(cell(text) for text in texts),
        str(place.line or "") if place else "",
        str(place.column or "") if place else "",
        cell(", ".join(f"{k}={str(v).lower()}" for k, v in sorted(branch.items())) if branch else None),
        *_evidence(finding.evidence),
        cell(frameworks),
        cell(finding.remediation),
        cell(compact(dict(finding.waiver)) if finding.waiver is not None else None),
    ]


def _evidence(evidence: tuple[Evidence, ...]) -> list[str]:
    columns = (
        [visible(json_pointer(e.path)) for e in evidence],
        [show_value(e.observed, 1000) for e in evidence],
        [visible(e.expected) for e in evidence],
        [visible(e.provenance or "") for e in evidence],
    )
    return [cell("\n".join(lines)) if any(lines) else "" for lines in columns]
