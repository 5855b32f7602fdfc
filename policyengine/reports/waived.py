"""The FAILs that a waiver accepts: folded into a count, or one line each when asked for."""

from __future__ import annotations

from collections.abc import Iterator

from policyengine.model.finding import Finding
from policyengine.reports.ansi import Paint
from policyengine.reports.places import place, resource_name, waiver_value
from policyengine.reports.tally import is_debt
from policyengine.reports.text import cut, plural, visible, wrap
from policyengine.reports.worst import Worst

FIRST = ("id", "expires", "owner", "approver", "ticket", "reason")
"""What a reader asks of a waiver, in this order; other keys follow in theirs."""
VALUE_LIMIT = 80
PLACE_LIMIT = 200


class Waived:
    """Keeps at most ``limit`` waived findings, the worst; None keeps all, 0 none."""

    def __init__(self, limit: int | None) -> None:
        self._kept = Worst(limit)
        self._debt = 0

    def add(self, finding: Finding) -> None:
        """Take a waived finding."""
        self._debt += is_debt(finding)
        self._kept.add(finding)

    def lines(self, paint: Paint, width: int) -> Iterator[str]:
        """Yield a heading and two lines a finding: what fails where, and who accepted it until when."""
        total = len(self._kept) + self._kept.dropped
        if not total:
            return
        yield from (paint("bold", line) for line in wrap(self._heading(total), width))
        for finding in self._kept.sorted():
            yield from _block("  ", waived_line(finding), paint, width)
            lead = "    = " if is_debt(finding) else "    = waiver: "
            yield from _block(lead, waiver_text(finding), paint, width)
        if self._kept.dropped:
            yield from _block(
                "  ", f"... and {self._kept.dropped:,} more: `--limit 0` shows all", paint, width
            )
        yield ""

    def _heading(self, total: int) -> str:
        whose = "accepted by a waiver"
        if self._debt == total:
            whose = "in the baseline"
        elif self._debt:
            whose = f"accepted by a waiver ({total - self._debt:,}) or in the baseline ({self._debt:,})"
        return f"{whose}, still failing: {plural(total, 'finding')}"


def waived_line(finding: Finding) -> str:
    """Return what fails where, on one line."""
    where = cut(place(finding), PLACE_LIMIT)
    return f"{finding.severity} {finding.rule} {where} {resource_name(finding)}"


def waiver_text(finding: Finding) -> str:
    """Return what the waiver says, or since when the baseline has it, on one line."""
    waiver = dict(finding.waiver or {})
    if is_debt(finding):
        said = {"id": "", "granted": "a day that it does not say", **waiver}
        name, since = (waiver_value(said, key, VALUE_LIMIT) for key in ("id", "granted"))
        return f"in the baseline {name} since {since}, accepted by nobody"
    keys = [*(key for key in FIRST if key in waiver), *sorted(key for key in waiver if key not in FIRST)]
    return ", ".join(
        f"{visible(cut(key, VALUE_LIMIT))} {waiver_value(waiver, key, VALUE_LIMIT)}" for key in keys
    )


def _block(lead: str, text: str, paint: Paint, width: int) -> Iterator[str]:
    for line in wrap(text, max(20, width - len(lead))):
        yield lead + paint("dim", line)
        lead = " " * len(lead)
