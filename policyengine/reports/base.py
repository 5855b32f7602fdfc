"""What reporters are given and what they promise.

A report is fed by pushing: ``begin(run)``, ``add(finding)`` for every finding in report order,
``end(run)``. One pass over the findings therefore feeds any number of formats. ``begin`` gets what
is known before the first finding (no report may rely on its ``errors`` or ``complete``); ``end``
gets the final :class:`RunInfo`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from policyengine.model.errors import PolicyEngineError
from policyengine.model.finding import Finding
from policyengine.model.location import Location
from policyengine.model.reasons import FAIL, SEVERITIES, UNKNOWN, VERDICTS
from policyengine.reports.extras import BaselineInfo, Extras, WaiverInfo
from policyengine.reports.tally import Tally

SEVERITY_RANK: Mapping[str, int] = {name: rank for rank, name in enumerate(reversed(SEVERITIES))}
"""severity -> 0 for the worst; sorting by it puts the worst first."""


@dataclass(frozen=True, slots=True)
class RunError:
    """Something that made the run incomplete or a target unreadable."""

    code: str
    message: str
    target: str | None = None
    location: Location | None = None
    account: str | None = None
    region: str | None = None
    operation: str | None = None
    types: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: PolicyEngineError, target: str | None = None) -> RunError:
        """Return the run error of an exception that a source or the engine reported."""
        account, region, operation = (getattr(error, n, None) for n in ("account", "region", "operation"))
        return cls(
            error.code,
            error.message,
            target,
            error.location,
            account,
            region,
            operation,
            getattr(error, "types", ()),
        )

    def __str__(self) -> str:
        place = str(self.location) if self.location else (self.target or "")
        where = " ".join(p for p in (self.account, self.region, self.operation) if p)
        return ": ".join(p for p in (place, where, self.message) if p)


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One evaluation: what reports say about it besides its findings.

    Times are RFC 3339 text. ``skipped`` counts what was left out on purpose by a short reason,
    ``unknown_types`` resources whose type no rule and no catalog entry knows. ``undecidable``
    are ids of rules that the kind of source cannot decide (an account rule on a template).
    """

    id: str
    started_at: str
    finished_at: str
    engine_version: str
    as_of: str
    rule_pack_digest: str
    rule_count: int
    targets: Sequence[str] = ()
    accounts: Sequence[str] = ()
    regions: Sequence[str] = ()
    complete: bool = True
    errors: Sequence[RunError] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    unknown_types: Mapping[str, int] = field(default_factory=dict)
    undecidable: Sequence[str] = ()
    resources: int | None = None
    verdicts: Mapping[tuple[str, str], int] | None = None
    """(rule, verdict) -> number, exact even where a report was given only some of the findings."""
    waivers: Sequence[WaiverInfo] = ()
    """What the run made of each waiver it was given; empty before its end."""
    baseline: BaselineInfo | None = None
    rule_pack_version: str | None = None
    """That of the bundled rules, where they are among those used."""


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What reports show of a rule. ``frameworks``: framework id -> ``(control, whole|part)``."""

    id: str
    title: str
    family: str
    pillar: str
    severity: str
    why: str
    fix: str
    references: Sequence[str] = ()
    frameworks: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)


class SourceText(Protocol):
    """Gives the lines of a file that a finding names."""

    def lines(self, file: str) -> Sequence[str] | None:
        """Return the lines without line ends, or None when the text cannot be had."""
        ...

    def absolute(self, file: str) -> str | None:
        """Return the absolute path of ``file`` for hyperlinks, or None."""
        ...


class NoSourceText:
    """For runs without files."""

    def lines(self, file: str) -> None:
        """Return None."""
        del file

    def absolute(self, file: str) -> None:
        """Return None."""
        del file


@dataclass(frozen=True, slots=True)
class TerminalOptions:
    """How the terminal report looks. ``limit``: findings shown per rule; None chooses, 0 shows all."""

    width: int = 100
    color: bool = False
    hyperlinks: bool = False
    unicode: bool = True
    compact: bool = False
    limit: int | None = None
    show_waived: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What every reporter may use beside the findings. ``rules``: id -> RuleInfo, may lack some."""

    rules: Mapping[str, RuleInfo] = field(default_factory=dict)
    source: SourceText = field(default_factory=NoSourceText)
    terminal: TerminalOptions = TerminalOptions()
    sarif_results: int = 5_000
    markdown_chars: int = 60_000
    extras: Extras = field(default_factory=Extras)


class Report(Protocol):
    """A report being written."""

    def begin(self, run: RunInfo) -> None:
        """Start; ``run`` holds what is known before the first finding."""
        ...

    def add(self, finding: Finding) -> None:
        """Take the next finding.

        Findings come in order of :attr:`Finding.sort_key`, unless the report has an ``any_order`` that is true.
        """
        ...

    def end(self, run: RunInfo) -> None:
        """Write what is left; ``run`` is final."""
        ...


class Reporter(NamedTuple):
    """One row of the table of formats. ``make`` gets a text stream, or with ``binary`` a seekable stream of bytes,
    which standard output is not. ``passes``: it shows what a PASS rests on, not only that it is one."""

    make: Callable[[Any, Context], Report]
    description: str
    extension: str
    binary: bool = False
    passes: bool = False


def write_reports(
    findings: Iterable[Finding],
    reports: Sequence[Report],
    run: RunInfo,
    finish: Callable[[], RunInfo] | None = None,
) -> Tally:
    """Feed every report in one pass and return the counts.

    ``finish`` is called after the last finding and gives the final run; without it ``run`` is
    final already.
    """
    for report in reports:
        report.begin(run)
    tally = Tally()
    for finding in findings:
        tally.add(finding)
        for report in reports:
            report.add(finding)
    final = finish() if finish is not None else run
    for report in reports:
        report.end(final)
    return tally


def is_open(finding: Finding) -> bool:
    """Tell whether the finding asks somebody to act: a FAIL without a waiver."""
    return finding.verdict == FAIL and finding.waiver is None


def is_unknown(finding: Finding) -> bool:
    """Tell whether the verdict could not be determined."""
    return finding.verdict == UNKNOWN


__all__ = [
    "SEVERITY_RANK", "VERDICTS", "Context", "NoSourceText", "Report", "Reporter", "RuleInfo", "RunError",
    "RunInfo", "SourceText", "Tally", "TerminalOptions", "is_open", "is_unknown", "write_reports",
]  # fmt: skip
