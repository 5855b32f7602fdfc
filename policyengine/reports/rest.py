"""The rules that a long report does not show in full: one aligned line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from policyengine.reports.ansi import Paint
from policyengine.reports.places import place
from policyengine.reports.text import cut, display_width, plural, visible, wrap
from policyengine.reports.worst import Worst

MAX_ROWS = 40
MAX_NAME = 60


class Row(NamedTuple):
    """A rule with its findings and how many there are, also of those that were not kept."""

    group: Worst
    size: int


def rest_lines(rows: Sequence[Row], unknown: bool, paint: Paint, width: int) -> Iterator[str]:
    """Yield a heading and a line per rule: severity, rule, number of findings, the first one's place."""
    if not rows:
        return
    findings = plural(sum(row.size for row in rows), "more finding")
    what = "could not be determined" if unknown else "failed"
    more = f"also {what}: {findings} of {plural(len(rows), 'rule')}"
    hint = "(`--rule ID` shows one in full, `--limit 0` all)"
    if display_width(more) + len(hint) < width:
        yield f"{paint('bold', more)} {paint('dim', hint)}"
    else:
        yield from (paint("bold", line) for line in wrap(more, width))
        yield from (paint("dim", line) for line in wrap(hint, width))
    shown = rows[:MAX_ROWS]
    names = [cut(visible(row.group.first().rule), MAX_NAME) for row in shown]
    wide, digits = max(map(len, names)), max(len(f"{row.size:,}") for row in shown)
    for row, name in zip(shown, names, strict=True):
        first = row.group.first()
        label = "" if unknown else f"{paint(first.severity, f'{first.severity:<8}')} "
        head = f"  {name:<{wide}}  {row.size:>{digits},}  "
        room = width - display_width(head) - (0 if unknown else 9)
        yield f"  {label}{head[2:]}{paint('dim', _short(place(first), room))}"
    if len(rows) > MAX_ROWS:
        yield paint("dim", f"  ... and {plural(len(rows) - MAX_ROWS, 'more rule')}: `--format json` has all")


def _short(text: str, room: int) -> str:
    """Keep the end of a place, where the line number is."""
    room = max(room, 20)
    return text if display_width(text) <= room else "…" + text[1 - room :]
