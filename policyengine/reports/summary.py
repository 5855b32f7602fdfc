"""The last lines of the terminal report: counts, what nobody could say, and whether the run is whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from policyengine.model.reasons import sentence
from policyengine.reports.ansi import Paint
from policyengine.reports.base import RunInfo, TerminalOptions
from policyengine.reports.tally import Tally, accepted_text
from policyengine.reports.text import cut, plural, visible, wrap

Part = tuple[str | None, str]
"""A colour's role or none, and a few words that stay on one line."""
LABEL_WIDTH = 15
MAX_LISTED = 8
MAX_ERRORS = 20


def summary_lines(tally: Tally, run: RunInfo, paint: Paint, options: TerminalOptions) -> Iterator[str]:
    """Yield the summary; one line when there is nothing that anybody must know."""
    if _is_quiet(tally, run):
        yield _quiet_line(tally, run, paint)
        return
    dot = " · " if options.unicode else ", "
    rows = [*_counts(tally, options.show_waived), *_undecided(tally, run, dot), *_left_out(run, dot)]
    for label, content in rows:
        if isinstance(content, str):
            yield from _row(label, content, paint, options.width)
        else:
            yield from _labelled(label, _packed(content, dot, paint, _room(options.width)), paint)
    yield from _trouble(run, paint, options.width)
    if tally.open:
        yield paint("dim", "`policyengine explain RULE` says more")


def _is_quiet(tally: Tally, run: RunInfo) -> bool:
    trouble = run.errors or not run.complete or run.notes
    return not (tally.open or tally.reasons or tally.waived or trouble)


def _quiet_line(tally: Tally, run: RunInfo, paint: Paint) -> str:
    passed = tally.verdicts["PASS"]
    parts = [plural(passed, "check") + " passed"] if passed else ["no rule applied"]
    if run.resources is not None:
        parts.append(plural(run.resources, "resource"))
    parts.append(plural(run.rule_count, "rule"))
    if run.undecidable:
        parts.append(f"{len(run.undecidable):,} not decidable from this source")
    unknown = sum(run.unknown_types.values())
    if unknown:
        parts.append(plural(unknown, "resource") + " of unknown types")
    head = paint("ok", "no violations") if passed else paint("unknown", "nothing was checked")
    return f"{head}: {', '.join(parts)}"


def _counts(tally: Tally, show_waived: bool) -> Iterator[tuple[str, str | list[Part]]]:
    counts = tally.summary()
    parts: list[Part] = [
        ("error" if tally.open else "ok", f"{tally.open:,} failed"),
        ("unknown" if counts["UNKNOWN"] else None, f"{counts['UNKNOWN']:,} not determined"),
        (None, f"{counts['PASS']:,} passed"),
        (None, f"{counts['NOT_APPLICABLE']:,} not applicable"),
    ]
    parts += [(None, text) for text in accepted_text(tally.waived, tally.debt)]
    yield "checks", parts
    if tally.waived > tally.debt and not show_waived:
        yield "waived", "`--show-waived` lists them with owner and expiry"
    if tally.debt:
        findings = (
            f"{plural(tally.debt, 'finding')} of the baseline {'is' if tally.debt == 1 else 'are'} still open"
        )
        yield "baseline", findings if show_waived else f"{findings}: `--show-waived` lists them"
    if tally.open:
        yield "by severity", [(name, f"{count:,} {name}") for name, count in tally.by_severity()]
        yield "by family", [(None, f"{count:,} {name}") for name, count in tally.by_family()]


def _undecided(tally: Tally, run: RunInfo, dot: str) -> Iterator[tuple[str, str]]:
    label = "not determined"
    partial = sum(tally.reasons.values()) < tally.verdicts["UNKNOWN"]
    for reason, count in tally.by_reason():
        yield label, f"{count:,}{' of those shown' if partial else ''} because {sentence(reason)}"
        label = ""
    if run.undecidable:
        rules = plural(len(run.undecidable), "rule")
        listed = _listed(sorted(run.undecidable), dot)
        what = f"{rules} about accounts can't be decided from this source ({listed})"
        yield "not decidable", f"{what}: scan a snapshot or an account"


def _left_out(run: RunInfo, dot: str) -> Iterator[tuple[str, str]]:
    if run.skipped:
        yield "skipped", dot.join(f"{count:,} {visible(reason)}" for reason, count in _ranked(run.skipped))
    if run.unknown_types:
        types = [f"{visible(cut(name, 80))} ({count:,})" for name, count in _ranked(run.unknown_types)]
        total = plural(sum(run.unknown_types.values()), "resource")
        yield "unknown types", f"{total} that no rule looks at: {_listed(types, dot)}"
    for note in run.notes[:MAX_ERRORS]:
        yield "note", visible(cut(note, 500))
    if len(run.notes) > MAX_ERRORS:
        yield "note", f"... and {len(run.notes) - MAX_ERRORS:,} more notes: `--format json` has all"


def _trouble(run: RunInfo, paint: Paint, width: int) -> Iterator[str]:
    for error in run.errors[:MAX_ERRORS]:
        yield from _row("error", visible(cut(str(error), 1_000)), paint, width, "error")
    if len(run.errors) > MAX_ERRORS:
        more = f"... and {len(run.errors) - MAX_ERRORS:,} more errors: `--format json` has all"
        yield from _row("error", more, paint, width, "error")
    if not run.complete:
        text = "INCOMPLETE RUN: something could not be read or evaluated; what is missing above is not a PASS"
        yield from (paint("error", line) for line in wrap(text, width))


def _ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _listed(items: list[str], dot: str) -> str:
    shown = dot.join(items[:MAX_LISTED])
    return shown if len(items) <= MAX_LISTED else f"{shown}{dot}{len(items) - MAX_LISTED:,} more"


def _row(label: str, text: str, paint: Paint, width: int, role: str = "bold") -> Iterator[str]:
    """Yield a labelled, wrapped line."""
    yield from _labelled(label, wrap(text, _room(width)), paint, role)


def _packed(parts: list[Part], dot: str, paint: Paint, room: int) -> Iterator[str]:
    """Yield lines of whole parts, so that a colour never goes on over the end of a line."""
    line, used = "", 0
    for role, text in parts:
        end = dot.rstrip() if (role, text) != parts[-1] else ""
        if line and used + len(dot + text + end) > room:
            yield line + dot.rstrip()
            line, used = "", 0
        before = dot if line else ""
        line += before + (paint(role, text) if role else text)
        used += len(before + text)
    yield line


def _labelled(label: str, lines: Iterable[str], paint: Paint, role: str = "bold") -> Iterator[str]:
    head = f"{label + ':' if label else '':<{LABEL_WIDTH}} "
    for line in lines:
        yield (paint(role, head) if label and head.strip() else head) + line
        label, head = "", " " * len(head)


def _room(width: int) -> int:
    return max(20, width - LABEL_WIDTH - 1)
