"""The table of formats: what ``--format FMT[=FILE]`` may name.

Each reporter is imported when it is asked for, because a scan of one template takes less time than
importing them all would add.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import IO, Final, TextIO

from policyengine.reports.base import Context, Report, Reporter


def _terminal(out: TextIO, context: Context) -> Report:
    from policyengine.reports.terminal import CompactReport, TerminalReport

    return CompactReport(out, context) if context.terminal.compact else TerminalReport(out, context)


def _json(out: TextIO, context: Context) -> Report:
    from policyengine.reports.json_report import JsonReport

    return JsonReport(out, context)


def _ndjson(out: TextIO, context: Context) -> Report:
    from policyengine.reports.json_report import NdjsonReport

    return NdjsonReport(out, context)


def _sarif(out: TextIO, context: Context) -> Report:
    from policyengine.reports.sarif import SarifReport

    return SarifReport(out, context)


def _sarif_suppressed(out: TextIO, context: Context) -> Report:
    from policyengine.reports.sarif import SarifReport

    return SarifReport(out, context, suppressed=True)


def _junit(out: TextIO, context: Context) -> Report:
    from policyengine.reports.junit import JunitReport

    return JunitReport(out, context)


def _github(out: TextIO, context: Context) -> Report:
    from policyengine.reports.github import GithubReport

    return GithubReport(out, context)


def _gitlab(out: TextIO, context: Context) -> Report:
    from policyengine.reports.gitlab import GitlabReport

    return GitlabReport(out, context)


def _markdown(out: TextIO, context: Context) -> Report:
    from policyengine.reports.markdown import MarkdownReport

    return MarkdownReport(out, context)


def _csv(out: TextIO, context: Context) -> Report:
    from policyengine.reports.csv_report import CsvReport

    return CsvReport(out, context)


def _ocsf(out: TextIO, context: Context) -> Report:
    from policyengine.reports.ocsf import OcsfReport

    return OcsfReport(out, context)


def _asff(out: TextIO, context: Context) -> Report:
    from policyengine.reports.asff import AsffReport

    return AsffReport(out, context)


def _oscal(out: TextIO, context: Context) -> Report:
    from policyengine.reports.oscal.results import OscalResultsReport

    return OscalResultsReport(out, context)


def _oscal_full(out: TextIO, context: Context) -> Report:
    from policyengine.reports.oscal.results import OscalResultsReport

    return OscalResultsReport(out, context, passes=True)


def _oscal_poam(out: TextIO, context: Context) -> Report:
    from policyengine.reports.oscal.poam import OscalPoamReport

    return OscalPoamReport(out, context)


def _well_architected(out: TextIO, context: Context) -> Report:
    from policyengine.reports.well_architected import WellArchitectedReport

    return WellArchitectedReport(out, context)


def _xlsx(out: IO[bytes], context: Context) -> Report:
    from policyengine.reports.xlsx.report import XlsxReport

    return XlsxReport(out, context)


def _html(out: TextIO, context: Context) -> Report:
    from policyengine.reports.html.report import HtmlReport

    return HtmlReport(out, context)


REPORTS: Final[Mapping[str, Reporter]] = MappingProxyType(
    {
        "terminal": Reporter(_terminal, "frames for people, the summary at the bottom", "txt"),
        "json": Reporter(
            _json, "one document with every finding (policyengine/findings/v1)", "json", passes=True
        ),
        "ndjson": Reporter(
            _ndjson, "the run, then one finding a line, then the summary", "ndjson", passes=True
        ),
        "sarif": Reporter(_sarif, "SARIF 2.1.0 for GitHub code scanning and editors", "sarif"),
        "sarif-suppressed": Reporter(
            _sarif_suppressed,
            "the same with what waivers accept, as suppressed results; not for GitHub",
            "sarif",
        ),
        "junit": Reporter(_junit, "JUnit XML for test reports", "xml"),
        "github": Reporter(_github, "annotations on a GitHub workflow run", "txt"),
        "gitlab": Reporter(_gitlab, "GitLab Code Quality report", "json"),
        "markdown": Reporter(_markdown, "a pull-request comment or job summary", "md"),
        "csv": Reporter(_csv, "one row a finding, safe to open in a spreadsheet", "csv", passes=True),
        "html": Reporter(_html, "one page to read, search and print, without a network", "html"),
        "ocsf": Reporter(
            _ocsf, "OCSF 1.6 Compliance Findings, one a line, for data lakes and SIEMs", "ndjson", passes=True
        ),
        "asff": Reporter(
            _asff, "AWS Security Finding Format, findings of accounts only", "json", passes=True
        ),
        "oscal": Reporter(_oscal, "OSCAL assessment results: what fails or is unknown, and controls", "json"),
        "oscal-full": Reporter(
            _oscal_full, "the same with an observation for every verdict", "json", passes=True
        ),
        "oscal-poam": Reporter(_oscal_poam, "OSCAL plan of action and milestones: what is open", "json"),
        "xlsx": Reporter(_xlsx, "a workbook: completeness, controls, findings, rules, scope", "xlsx", True),
        "well-architected": Reporter(
            _well_architected,
            "risks by pillar and the improvement plan (policyengine/well-architected/v1)",
            "json",
        ),
    }
)

FRAMED: Final = frozenset({"html", "xlsx", "oscal", "oscal-full", "oscal-poam", "well-architected"})
"""Formats that show frameworks; the others do without what takes a while to load."""
