"""``--format html=FILE``: collects columns and counts while findings come, writes the page at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TextIO

from policyengine.model.finding import Finding
from policyengine.model.reasons import REASONS
from policyengine.reports.base import Context, RunInfo
from policyengine.reports.controls import STATUS_WORDS, ControlResult, control_tally
from policyengine.reports.extras import WaiverInfo
from policyengine.reports.html import cover, heat, summary
from policyengine.reports.html.columns import Packed
from policyengine.reports.html.controls import anchor, framework_pages, rule_pages
from policyengine.reports.html.counts import Counts
from policyengine.reports.html.data import Data, json_column, status_of
from policyengine.reports.html.details import code_frame, detail_of, message_of, shown
from policyengine.reports.html.trend import trend
from policyengine.reports.places import place
from policyengine.reports.remedies import remedy
from policyengine.reports.text import cut, plural, visible
from policyengine.reports.well_architected_risks import MEANS_WORDS, RiskTally

MARKS: Final = ("✕", "?", "◇", "✓", "–")
WORDS: Final = ("FAIL", "UNKNOWN", "accepted", "PASS", "N/A")
HEADS: Final = ("Fail", "Unknown", "Accepted", "Pass", "N/A")
MEANINGS: Final = (
    "nobody has accepted it", "could not be determined", "fails; somebody has accepted it",
    "meets the rule", "the rule does not apply",
)  # fmt: skip
MAX_WAIVERS: Final = 1_000
MAX_STEPS: Final = 25
REMAINS_WORDS: Final = {
    "people": "people", "process": "process", "aws": "AWS's share", "rule": "a rule that is not written yet",
    "unclear": "the standard can be read in more than one way",
}  # fmt: skip
_STATES: Final = ("expired", "lapsed", "not_yet", "active", "unused")


class HtmlReport:
    """``--format html``."""

    def __init__(self, out: TextIO, context: Context) -> None:
        self._out = out
        self._context = context
        self._data = Data(context.source)
        self._counts = Counts()
        self._controls = control_tally(context)
        self._risks = RiskTally(context.rules, context.extras.remediations)

    def begin(self, run: RunInfo) -> None:
        """Nothing is written before the counts are known."""

    def add(self, finding: Finding) -> None:
        """Take the next finding."""
        self._data.add(finding)
        self._counts.add(finding)
        self._controls.add(finding)
        self._risks.add(finding)

    def end(self, run: RunInfo) -> None:
        """Write the page."""
        from policyengine.reports.html.page import (
            write,  # the template library takes time that other formats save
        )

        if run.verdicts is not None:
            self._counts.correct(run.verdicts, self._context.rules)
        write(self._out, self._values(run, self._controls.results_of(run)))

    def _values(self, run: RunInfo, results: Sequence[ControlResult]) -> dict[str, Any]:
        context, counts, extras = self._context, self._counts, self._context.extras
        found = cover.scope(context)
        totals = counts.totals
        risks = self._risks.results()
        titles = {name: info.title for name, info in extras.frameworks.items()}
        worst = [*counts.failed.sorted(), *counts.undetermined.sorted()]
        waivers = sorted(run.waivers, key=_waiver_key)
        values: dict[str, Any] = {
            "run": run, "marks": MARKS, "words": WORDS, "heads": HEADS, "meanings": MEANINGS,
            "status_words": STATUS_WORDS, "subject": subject(run),
            "banner": cover.banner(run, counts, found), "facts": cover.facts(run),
            "c": cover.completeness(run, counts, found),
            "totals": totals, "total_bar": summary.bar(totals), "summary": summary.tables(counts, context.rules),
            "frameworks": framework_pages(results, context, counts),
            "rows": self._data.rows, "told": sum(totals[:2]), "worst": [self._told(one) for one in worst],
            "heats": heat.heats(results, titles, counts), "trend": trend(extras.trend),
            "repairs": extras.repairs, "milestones": extras.milestones,
            "waivers": waivers[:MAX_WAIVERS], "more_waivers": max(0, len(waivers) - MAX_WAIVERS),
            "baseline": sorted(counts.baseline.items(), key=lambda pair: (-pair[1], pair[0])),
            "risks": risks, "plan": risks.plan[:MAX_STEPS], "means_words": MEANS_WORDS, "remains_words": REMAINS_WORDS,
            "shadow": extras.shadow_ai, "proof": extras.proof,
            "rules": rule_pages(context, counts),
        }  # fmt: skip
        return {**values, "sections": _sections(values), "columns": self._columns(results)}

    def _told(self, finding: Finding) -> dict[str, Any]:
        """Return a finding of the static part."""
        rule = self._context.rules.get(finding.rule)
        status = status_of(finding)
        at = finding.location
        return {
            "status": status, "id": finding.id, "rule": finding.rule, "severity": finding.severity,
            "message": message_of(finding), "type": finding.resource_type, "name": shown(finding.resource_id),
            "construct": shown(finding.construct_path), "where": cut(place(finding), 300),
            "detail": {**dict.fromkeys("efpwbc"), "more": 0, **detail_of(finding, self._context.source),
                       "f": code_frame(at, self._context.source)},
            "reason": REASONS[finding.reason][1],
            "fix": (remedy(finding.reason) if status else None) or (" ".join(rule.fix.split()) if rule else ""),
        }  # fmt: skip

    def _columns(self, results: Sequence[ControlResult]) -> Iterator[tuple[str, Iterable[str]]]:
        """Yield the data of the script; the rule texts come last, because they are unpacked only when asked for."""
        rules = list(self._data.rules.names)
        columns: list[tuple[str, Packed]] = [
            ("about", json_column(self._about(results))),
            *self._data.columns(),
            ("texts", json_column([self._text(rule) for rule in rules])),
        ]
        for name, packed in columns:
            yield name, packed.base64()

    def _text(self, rule: str) -> str | None:
        text = self._context.extras.rule_texts.get(rule)
        return None if text is None else "\n".join(visible(line) for line in text.split("\n"))

    def _about(self, results: Sequence[ControlResult]) -> dict[str, Any]:
        """Return what the script knows of rules, reasons and controls."""
        numbers = self._data.rules.names
        return {
            "rows": self._data.rows,
            "rules": [self._rule(rule) for rule in numbers],
            "reasons": [(shown(code), REASONS[code][1], remedy(code) or "") for code in self._data.reasons.names],
            "frameworks": [(shown(name), shown(info.title)) for name, info in self._context.extras.frameworks.items()],
            "controls": [
                (shown(r.framework), shown(r.control), anchor(r.framework, r.control), r.status, r.label,
                 [numbers[rule] for rule, _ in r.rules if rule in numbers])
                for r in results if r.rules
            ],
        }  # fmt: skip

    def _rule(self, rule: str) -> dict[str, Any]:
        info, first = self._context.rules.get(rule), self._counts.named[rule]
        found: Mapping[str, Any] = {
            "id": shown(rule),
            "title": shown(first.title, 600),
            "family": first.family,
            "pillar": info.pillar if info else "",
            "why": shown(" ".join(info.why.split()), 2_000) if info else "",
            "fix": shown(" ".join(info.fix.split()), 2_000) if info else "",
            "links": [shown(link) for link in info.references if link.startswith("https://")] if info else [],
            "handler": shown(first.remediation),
        }
        return dict(found)


def subject(run: RunInfo) -> str:
    """Return what the report is about, as its heading."""
    if run.accounts:
        return (
            f"AWS account {run.accounts[0]}"
            if len(run.accounts) == 1
            else f"{len(run.accounts):,} AWS accounts"
        )
    return cut(run.targets[0], 120) if len(run.targets) == 1 else plural(len(run.targets), "target")


def _waiver_key(waiver: WaiverInfo) -> tuple[int, str, str]:
    rank = _STATES.index(waiver.state) if waiver.state in _STATES else len(_STATES)
    return (rank, waiver.expires, waiver.id)


def _sections(values: Mapping[str, Any]) -> dict[str, tuple[str, str, str]]:
    """Return anchor -> (number, title, a note for the contents)."""
    totals = values["totals"]
    unknown = values["c"]["unknown"]
    notes = {
        "completeness": "incomplete"
        if not values["c"]["complete"]
        else f"{unknown:,} unknown"
        if unknown
        else "",
        "findings": f"{totals[0]:,} open" if totals[0] else "",
        "waivers": f"{totals[2]:,}" if totals[2] else "",
    }
    titles = {
        "completeness": "Completeness", "summary": "Summary", "controls": "Controls", "findings": "Findings",
        "heat": "Accounts and controls", "trend": "Trend", "waivers": "Accepted failures",
        "well-architected": "Well-Architected", "shadow-ai": "Shadow AI", "proof": "Proof", "rules": "Rules",
    }  # fmt: skip
    return {key: (str(at), title, notes.get(key, "")) for at, (key, title) in enumerate(titles.items(), 1)}
