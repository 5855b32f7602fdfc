"""A review on the terminal: what got worse in full, the rest as lines or as counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from policyengine.model.location import Location
from policyengine.reports.ansi import Paint
from policyengine.reports.base import TerminalOptions
from policyengine.reports.frame import frame
from policyengine.reports.terminal import output_line
from policyengine.reports.text import cut, visible, wrap
from policyengine.review.changes import EFFECTS
from policyengine.review.pages.words import (
    EFFECT_TITLES,
    Json,
    before_after,
    compared,
    headline,
    name,
    place,
    rules,
    sides,
    subject,
    witness,
)

Lines = Callable[[str], Sequence[str] | None]
"""The lines of a file of the head by its name, secrets starred out; None for what may not be shown."""
SHORT = 5
"""Entries of what is not worse that are listed without ``--all``."""


def terminal_page(
    document: Json, lines: Lines, options: TerminalOptions, *, everything: bool
) -> Iterator[str]:
    """Yield the lines, each with its end."""
    page = _Page(lines, options, everything)
    for line in page.of(document):
        yield output_line(line, options)


class _Page:
    def __init__(self, lines: Lines, options: TerminalOptions, everything: bool) -> None:
        self._lines, self._everything = lines, everything
        self._paint, self._width = Paint(options), options.width

    def of(self, document: Json) -> Iterator[str]:
        for effect in EFFECTS:
            entries = [entry for entry in document["entries"] if entry["effect"] == effect]
            if effect == "worse":
                for entry in entries:
                    yield from self._full(entry)
                    yield ""
            elif entries:
                yield from self._short(effect, entries)
                yield ""
        for error in document["run"]["errors"]:
            yield self._paint("error", "error: ") + visible(error["message"])
        for note in document["run"]["notes"]:
            yield from self._prose("note: ", visible(note))
        yield from self._prose("", visible(f"{headline(document)}: {sides(document)}"), "bold")
        judged = document["run"]["config"]
        by = f"; judged by {visible(judged)}" if judged else ""
        yield from self._prose("", f"{compared(document)}{by}", "dim")

    def _full(self, entry: Json) -> Iterator[str]:
        label = self._paint(entry["severity"], entry["severity"])
        yield f"{label} {self._paint('bold', entry['kind'])} {self._paint('dim', f'[{name(entry)}]')}"
        yield f"  {self._paint('gutter', '-->')} {place(entry)}"
        yield from self._frame(entry)
        yield from self._prose("  ", cut(visible(entry["title"]), 600), entry["severity"])
        for lead, text in (("for example: ", witness(entry)), ("", before_after(entry))):
            if text:
                yield from self._prose(f"    = {lead}", text)
        for detail in entry["details"]:
            yield from self._prose("    = ", cut(visible(detail), 600))
        for rule in rules(entry):
            yield from self._prose("    = rule ", rule)

    def _frame(self, entry: Json) -> Iterator[str]:
        lines = (
            self._lines(entry["file"]) if entry["file"] is not None and entry["line"] is not None else None
        )
        if lines is None:
            return
        at = Location(entry["file"], entry["line"], entry["column"])
        digits = len(str(entry["line"]))
        for item in frame(lines, at, self._width - digits - 5):
            number = "" if item.number is None else str(item.number)
            text = self._paint(entry["severity"], item.text) if item.is_mark else item.text
            yield f"  {self._paint('gutter', number.rjust(digits))} {self._paint('gutter', '|')} {text}"

    def _short(self, effect: str, entries: Sequence[Json]) -> Iterator[str]:
        role = "unknown" if effect == "unclear" else "bold"
        yield self._paint(role, f"{EFFECT_TITLES[effect]} ({len(entries):,})")
        shown = entries if self._everything else entries[:SHORT] if effect == "unclear" else []
        for entry in shown:
            yield from self._prose(
                "  ", f"{place(entry)} {subject(entry)}{cut(visible(entry['title']), 300)}"
            )
            if self._everything:
                for rule in rules(entry):
                    yield from self._prose("    = rule ", rule)
        if len(shown) < len(entries):
            more = "and more: " if shown else ""
            yield self._paint("dim", f"  {more}`--all` lists them")

    def _prose(self, lead: str, text: str, role: str | None = None) -> Iterator[str]:
        for line in wrap(text, max(20, self._width - len(lead))):
            yield lead + (self._paint(role, line) if role else line)
            lead = " " * len(lead)
