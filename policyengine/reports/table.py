"""The table of formats: what ``--format FMT[=FILE]`` may name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TextIO

from policyengine.reports.base import Context, Report, Reporter
from policyengine.reports.csv_report import CsvReport
from policyengine.reports.github import GithubReport
from policyengine.reports.gitlab import GitlabReport
from policyengine.reports.json_report import JsonReport, NdjsonReport
from policyengine.reports.junit import JunitReport
from policyengine.reports.markdown import MarkdownReport
from policyengine.reports.sarif import SarifReport
from policyengine.reports.terminal import CompactReport, TerminalReport


def _terminal(out: TextIO, context: Context) -> Report:
    return CompactReport(out, context) if context.terminal.compact else TerminalReport(out, context)


REPORTS: Final[Mapping[str, Reporter]] = MappingProxyType(
    {
        "terminal": Reporter(_terminal, "frames for people, the summary at the bottom", "txt"),
        "json": Reporter(JsonReport, "one document with every finding (policyengine/findings/v1)", "json"),
        "ndjson": Reporter(NdjsonReport, "the run, then one finding a line, then the summary", "ndjson"),
        "sarif": Reporter(SarifReport, "SARIF 2.1.0 for GitHub code scanning and editors", "sarif"),
        "junit": Reporter(JunitReport, "JUnit XML for test reports", "xml"),
        "github": Reporter(GithubReport, "annotations on a GitHub workflow run", "txt"),
        "gitlab": Reporter(GitlabReport, "GitLab Code Quality report", "json"),
        "markdown": Reporter(MarkdownReport, "a pull-request comment or job summary", "md"),
        "csv": Reporter(CsvReport, "one row a finding, safe to open in a spreadsheet", "csv"),
    }
)
