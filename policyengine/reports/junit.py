"""``--format junit``: the subset of JUnit XML that Jenkins, GitLab and GitHub actions read.

One ``testsuite`` for each file, or account and region; one ``testcase`` for each finding
(``classname`` the rule, ``name`` the resource): FAIL is a ``failure``, UNKNOWN an ``error``,
NOT_APPLICABLE and waived are ``skipped``. What kept the run from being complete is an ``error`` in a
suite of its own. Characters that XML 1.0 cannot hold (section 2.2) are spelt out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TextIO

from policyengine.model.finding import Evidence, Finding
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, UNKNOWN
from policyengine.model.resource import json_pointer
from policyengine.reports.base import Context, RunInfo
from policyengine.reports.places import in_place, place, resource_name, told
from policyengine.reports.spool import Spool
from policyengine.reports.tally import is_debt
from policyengine.reports.text import LOG_COMMAND, cut, observed, visible

TEXT_LIMIT = 8_000
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


def escape(text: str) -> str:
    """Return ``text`` for an attribute or element: printable, one line, no markup."""
    shown = _NOT_XML.sub("\ufffd", visible(cut(text, TEXT_LIMIT))).translate(_ENTITIES)
    # log readers obey `##vso[…]` wherever it stands in a line, `::error` where a line begins
    shown = LOG_COMMAND.sub("#&#35;", shown) if "##" in shown else shown
    return shown.replace(":", "&#58;", 1) if shown.lstrip().startswith("::") else shown


class JunitReport:
    """``--format junit``."""

    def __init__(self, out: TextIO, context: Context) -> None:
        self._out = out
        self._rules = context.rules
        self._suite: tuple[str, str] | None = None
        self._cases = Spool()
        self._counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}

    def begin(self, run: RunInfo) -> None:
        """Open the document."""
        del run
        self._out.write('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="policyengine">\n')

    def add(self, finding: Finding) -> None:
        """Take the next finding; a suite is written when the next one begins."""
        suite = finding.identity[:2]
        if suite != self._suite:
            self._flush()
            self._suite = suite
        kind, body = self._outcome(finding)
        self._count(kind)
        at = finding.location
        where = f' file="{escape(at.file)}" line="{at.line or 1}"' if at is not None else ""
        name = escape(resource_name(finding))
        self._cases.write(
            f'    <testcase classname="{escape(finding.rule)}" name="{name}"{where} time="0">\n'
            f'      <properties><property name="finding" value="{finding.id}"/></properties>\n'
            f"{body}    </testcase>\n"
        )

    def end(self, run: RunInfo) -> None:
        """Write the last suite and the run's own."""
        self._flush()
        if run.errors or not run.complete:
            self._suite = ("", "run")
            texts = [(e.code, str(e)) for e in run.errors] or [("incomplete", "the run did not finish")]
            for code, text in texts:
                self._count("errors")
                self._cases.write(
                    f'    <testcase classname="run" name="{escape(text)}" time="0">\n'
                    f'      <error type="{escape(code)}" message="{escape(text)}"/>\n    </testcase>\n'
                )
            self._flush()
        self._out.write("</testsuites>\n")

    def _count(self, kind: str) -> None:
        self._counts["tests"] += 1
        if kind != PASS:
            self._counts[kind] += 1

    def _flush(self) -> None:
        if self._suite is None:
            return
        first, second = self._suite
        name = f"{first}/{second}" if first else second or "resources"
        counts = " ".join(f'{key}="{value}"' for key, value in self._counts.items())
        self._out.write(f'  <testsuite name="{escape(name)}" {counts} time="0">\n')
        self._cases.pour(self._out)
        self._out.write("  </testsuite>\n")
        self._counts = dict.fromkeys(self._counts, 0)

    def _outcome(self, finding: Finding) -> tuple[str, str]:
        message = escape(finding.message)
        if finding.verdict == NOT_APPLICABLE:
            return "skipped", f'      <skipped message="{message}"/>\n'
        if finding.verdict == FAIL and finding.waiver is not None:
            waiver = "; ".join(f"{key}: {_said(finding.waiver, key)}" for key in sorted(finding.waiver))
            how = "in the baseline" if is_debt(finding) else "waived"
            return "skipped", f'      <skipped message="{how} ({escape(waiver)}): {message}"/>\n'
        if finding.verdict == FAIL:
            return "failures", self._element("failure", finding.severity, message, finding)
        if finding.verdict == UNKNOWN:
            return "errors", self._element("error", finding.reason, escape(told(finding, 2_000)), finding)
        return PASS, ""

    def _element(self, tag: str, kind: str, message: str, finding: Finding) -> str:
        lines = [place(finding), finding.message]
        lines += [_evidence_line(e) for e in finding.evidence[:20]]
        if finding.branch:
            lines.append(
                "when " + ", ".join(f"{k} is {str(v).lower()}" for k, v in sorted(finding.branch.items()))
            )
        rule = self._rules.get(finding.rule)
        if rule is not None and finding.verdict == FAIL:
            lines.append(f"fix: {' '.join(rule.fix.split())}")
        body = "\n".join(escape(line) for line in lines)
        return f'      <{tag} type="{escape(kind)}" message="{message}">{body}</{tag}>\n'


def _said(waiver: Mapping[str, Any], key: str) -> str:
    at = in_place(waiver) if key == "in_place" else None
    return str(waiver[key] if at is None else at)


def _evidence_line(evidence: Evidence) -> str:
    return f"{json_pointer(evidence.path) or 'value'}: {observed(evidence)}; expected {evidence.expected}"
