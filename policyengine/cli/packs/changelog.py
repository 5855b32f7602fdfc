"""Changes of rules as Markdown, and the two files that hold them: ``CHANGELOG.md`` and ``pack.json`` beside the rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from policyengine.cli.packs.comparing import Bump, Changed, bump_of, next_version
from policyengine.model.errors import UsageError
from policyengine.reports.text import visible
from policyengine.rules.recorded import FILE, Recorded, deciding_digests, read_recorded, recorded_bytes

CHANGELOG: Final = "CHANGELOG.md"
UNRELEASED: Final = "## Unreleased"
_BEGIN: Final = (
    "<!-- written by `policyengine rules changes --write`; notes of your own belong above this line -->"
)
_END: Final = "<!-- end -->"
_HEAD: Final = """\
# Changelog of the rules

What each version of the bundled rules decides otherwise than the one before it. Versions are explained in
docs/rule-packs.md.
"""
_WHY: Final = {
    "major": "something that passed may fail, or a rule or parameter that a configuration names is gone",
    "minor": "rules, controls or verdicts that were added or relaxed",
    "patch": "words only",
    "none": "nothing changed",
}
_MOST_CASES: Final = 8


def markdown(changes: Sequence[Changed], version: str | None = None) -> str:
    """Return the changes as Markdown, what changes verdicts first; ``version`` is that before them."""
    bump = bump_of(changes)
    return "\n".join([_summary(changes, bump, version), *_sections(changes)]) + "\n"


def _summary(changes: Sequence[Changed], bump: Bump, version: str | None) -> str:
    turned = sum(len(change.turned) for change in changes)
    following = "" if version is None else f": {version} -> {next_version(version, bump)}"
    rules = f"{len(changes):,} rule{'' if len(changes) == 1 else 's'}"
    cases = f"{turned:,} case{'' if turned == 1 else 's'}"
    return f"**{bump}**{following} ({_WHY[bump]}). {rules} changed, {cases} judged otherwise."


def _sections(changes: Sequence[Changed]) -> Iterator[str]:
    for title, chosen in (
        ("Verdicts that change", [c for c in changes if c.kind == "decides" and c.turned]),
        (
            "Decide otherwise, and no case shows how",
            [c for c in changes if c.kind == "decides" and not c.turned],
        ),
        ("Rules that are gone", [c for c in changes if c.kind == "removed"]),
        ("New rules", [c for c in changes if c.kind == "new"]),
        ("Same verdicts, other words or controls", [c for c in changes if c.kind == "says"]),
    ):
        if chosen:
            yield f"\n### {title}\n"
            for change in chosen:
                yield from _lines(change)


def _lines(change: Changed) -> Iterator[str]:
    form = change.new or change.old or {}
    about = f": {_text(form['title'])}" if change.kind in ("new", "removed") else ""
    notes = f" ({'; '.join(map(_text, change.notes))})" if change.notes else ""
    yield f"- `{change.rule}` ({form['severity']}, {form['family']}){about}{notes}"
    for each in change.turned[:_MOST_CASES]:
        yield f"  - {each.was} -> {each.now}: {_text(each.case)}"
    if len(change.turned) > _MOST_CASES:
        yield f"  - and {len(change.turned) - _MOST_CASES:,} more cases"
    if change.uncomparable:
        yield f"  - {change.uncomparable:,} of {change.cases:,} cases can be asked of one of the two only"


def _text(text: str) -> str:
    """What an author wrote forms no Markdown of its own."""
    return re.sub(r"([\\`*_<>\[\]|])", r"\\\1", visible(text)).replace("@", "\\@")


def write(
    folder: Path, changes: Sequence[Changed], forms: Sequence[dict[str, object]], release: str | None
) -> str:
    """Write the changes since the recorded version into both files of a folder of rules; return the version recorded.

    ``release`` is the day (ISO) on which what is unreleased becomes a version. Raises UsageError where the changelog
    has no place for it.
    """
    recorded = read_recorded(folder) or Recorded("0.0.0", {})
    path = folder / CHANGELOG
    text = path.read_text("utf-8") if path.is_file() else f"{_HEAD}\n{UNRELEASED}\n\n{_BEGIN}\n{_END}\n"
    body = markdown(changes, recorded.version)
    text = _replaced(text, body, path)
    version = recorded.version
    if release is not None:
        version = next_version(version, bump_of(changes))
        text = text.replace(UNRELEASED, f"## {version} ({release})", 1)
        text = text.replace(f"{_BEGIN}\n", "", 1).replace(f"{_END}\n", "", 1)
    path.write_text(text, "utf-8")
    (folder / FILE).write_bytes(recorded_bytes(Recorded(version, deciding_digests(forms))))
    return version


def _replaced(text: str, body: str, path: Path) -> str:
    if UNRELEASED not in text:
        first = re.search(r"^## ", text, re.MULTILINE)
        at = first.start() if first is not None else len(text)
        text = f"{text[:at]}{UNRELEASED}\n\n{_BEGIN}\n{_END}\n\n{text[at:]}"
    begin, end = text.find(_BEGIN), text.find(_END)
    if begin < 0 or end < begin:
        raise UsageError(
            f"`{path}` has no lines `{_BEGIN}` and `{_END}` under `{UNRELEASED}`; put them back, or remove that section"
        )
    return f"{text[: begin + len(_BEGIN)]}\n{body}{text[end:]}"
