"""A review as Markdown: one comment of a pull request, which is found again by its first line and updated in place.

GitHub takes 65,536 characters of a comment; what does not fit is counted. Names and messages cannot form markup,
links, mentions or references (``reports.markdown.escape``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from policyengine.reports.markdown import code, escape, html_text
from policyengine.reports.text import cut, plural
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

MARKER: Final = "<!-- policyengine-review -->"
"""The first line of every such comment."""
MOST: Final = 60_000
"""Characters; GitHub counts UTF-16 units, of which emoji are two."""


def markdown_page(document: Json) -> str:
    """Return the whole page."""
    parts = [MARKER, *_head(document)]
    room = MOST - sum(map(len, parts))
    left = 0
    for effect in EFFECTS:
        entries = [entry for entry in document["entries"] if entry["effect"] == effect]
        for opening, items, closing in _sections(effect, entries) if entries else ():
            shown = []
            for item in items:
                room -= len(item) + 1
                if room >= 0:
                    shown.append(item)
            left += len(items) - len(shown)
            if shown:
                parts += [opening, *shown, closing]
    if left:
        parts.append(
            f"\n{plural(left, 'more entry', 'more entries')} left out to keep this short; `--format json` has all."
        )
    return "\n".join(parts) + "\n"


def _head(document: Json) -> list[str]:
    summary, run = document["summary"], document["run"]
    mark = "❌" if summary["worse"] else "⚠️" if summary["unclear"] or not run["complete"] else "✅"
    lines = [f"### {mark} policyengine review: {headline(document)}", ""]
    lines += [f"{escape(sides(document))}. {escape(compared(document))}.", ""]
    if run["config"]:
        lines += [
            f"Judged by {code(run['config'])} and the rules of the base: a change cannot loosen its own gate.",
            "",
        ]
    lines += [f"- **error** {escape(error['message'])}" for error in run["errors"][:10]]
    lines += [f"- {escape(note)}" for note in run["notes"][:20]]
    return [*lines, ""] if run["errors"] or run["notes"] else lines


def _sections(effect: str, entries: Sequence[Json]) -> Iterator[tuple[str, list[str], str]]:
    """Yield (opening, one block for each entry, closing)."""
    if effect == "worse":
        rows = [
            f"| {entry['severity']} | {escape(cut(entry['title'], 300))} | {code(place(entry))} |"
            for entry in entries
        ]
        yield "| severity | what | where |\n|---|---|---|", rows, ""
        yield "", [_details(entry) for entry in entries], ""
        return
    lines = [
        f"- {code(place(entry))} {escape(subject(entry) + cut(entry['title'], 300))}" for entry in entries
    ]
    yield f"<details><summary>{EFFECT_TITLES[effect]} ({len(entries):,})</summary>\n", lines, "\n</details>\n"


def _details(entry: Json) -> str:
    lines = [f"<details><summary>{html_text(cut(entry['title'], 160))}</summary>\n"]
    lines.append(
        f"- {escape(name(entry))} at {code(place(entry))}" if entry["resource"] else f"- {code(place(entry))}"
    )
    if entry["witness"] is not None:
        lines.append(f"- for example: {escape(witness(entry))}")
    if before_after(entry):
        lines.append(f"- {escape(before_after(entry))}")
    lines += [f"- {escape(cut(detail, 400))}" for detail in entry["details"][:20]]
    lines += [f"- rule {escape(rule)}" for rule in rules(entry)[:20]]
    return "\n".join([*lines, "\n</details>\n"])
