"""What rules can decide of a framework, and what remains: the pages of ``policyengine frameworks``.

This is about rules and not about a run; :mod:`policyengine.reports.controls` says what a run found.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policyengine.reports.ansi import Paint
from policyengine.reports.base import TerminalOptions
from policyengine.reports.controls import Decides, MappedRule
from policyengine.reports.csv_report import cell
from policyengine.reports.extras import FrameworkInfo, Remains
from policyengine.reports.text import plural, visible, wrap

SCHEMA: Final = "policyengine/frameworks/v1"
NOT_JUDGED: Final = "not judged"

DECIDES_WORDS: Final[Mapping[Decides, str]] = {"whole": "wholly", "part": "in part", "none": "not at all"}
"""How far rules decide a control, as reports say it."""

REMAINS_WORDS: Final[Mapping[str, str]] = {
    "people": "people",
    "process": "process",
    "aws": "AWS's share",
    "rule": "no rule yet",
    "unclear": "unclear",
}
"""With whom it remains, as reports say it."""

COLUMNS: Final = ("framework", "control", "decides", "rules", "remains", "why", "source")


@dataclass(frozen=True, slots=True)
class ControlCoverage:
    """What the rules of a pack can decide of one control. ``rules`` are (rule id, ``whole`` or ``part``), by id.
    ``remains`` is None where a rule decides the whole control, and where nobody has judged (:attr:`judged`)."""

    framework: str
    control: str
    decides: Decides
    rules: tuple[tuple[str, str], ...]
    remains: Remains | None

    @property
    def judged(self) -> bool:
        """Whether it is known what remains beside what rules decide."""
        return self.decides == "whole" or self.remains is not None

    @property
    def remaining(self) -> str:
        """With whom the rest remains, in a few words; "" where rules decide it wholly."""
        if self.decides == "whole":
            return ""
        return NOT_JUDGED if self.remains is None else remains_words(self.remains)

    def to_json(self) -> dict[str, Any]:
        """Return the control of ``policyengine/frameworks/v1``."""
        remains = self.remains
        return {
            "control": self.control,
            "decides": self.decides,
            "rules": [{"rule": rule, "decides": decides} for rule, decides in self.rules],
            "remains": None
            if remains is None
            else {"kinds": list(remains.kinds), "why": remains.why, "source": remains.source},
            "judged": self.judged,
        }


def remains_words(remains: Remains) -> str:
    """Return with whom it remains, e.g. ``people, process``."""
    return ", ".join(REMAINS_WORDS[kind] for kind in remains.kinds)


def coverage(framework: FrameworkInfo, rules: Mapping[str, MappedRule]) -> list[ControlCoverage]:
    """Return every control of the framework, in its order, with what ``rules`` decide of it."""
    mapped: dict[str, dict[str, str]] = {}
    for rule, info in rules.items():
        for control, decides in info.frameworks.get(framework.id, ()):
            mapped.setdefault(control, {})[rule] = decides
    return [_control(framework, control, mapped.get(control, {})) for control in framework.controls]


def _control(framework: FrameworkInfo, control: str, mapped: Mapping[str, str]) -> ControlCoverage:
    decides: Decides = "whole" if "whole" in mapped.values() else "part" if mapped else "none"
    remains = None if decides == "whole" else framework.remains.get(control)
    return ControlCoverage(framework.id, control, decides, tuple(sorted(mapped.items())), remains)


def counted(controls: Sequence[ControlCoverage]) -> dict[str, int]:
    """Return how many controls rules decide wholly, in part, not at all, and of how many nobody judged the rest."""
    found = Counter(control.decides for control in controls)
    return {
        "controls": len(controls),
        **{name: found[name] for name in DECIDES_WORDS},
        "not_judged": sum(not control.judged for control in controls),
    }


def framework_json(framework: FrameworkInfo, controls: Sequence[ControlCoverage]) -> dict[str, Any]:
    """Return the framework object of ``policyengine/frameworks/v1``."""
    return {
        "id": framework.id,
        "title": framework.title,
        "version": framework.version,
        "source": framework.source,
        "note": framework.note,
        "counts": counted(controls),
        "controls": [control.to_json() for control in controls],
    }


def csv_text(controls: Sequence[ControlCoverage]) -> str:
    """Return the controls as CSV (RFC 4180), every cell quoted and safe to open in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for control in controls:
        rules = "; ".join(f"{rule} ({decides})" for rule, decides in control.rules)
        remains = control.remains
        texts = (
            control.framework, control.control, control.decides, rules, control.remaining,
            remains.why if remains else "", remains.source if remains else "",
        )  # fmt: skip
        writer.writerow([cell(text) for text in texts])
    return out.getvalue()


def list_page(all_controls: Sequence[tuple[FrameworkInfo, Sequence[ControlCoverage]]]) -> Iterator[str]:
    """Yield the lines of ``frameworks list``."""
    width = max((len(framework.id) for framework, _ in all_controls), default=0)
    yield f"{'':<{width}}  controls  wholly  in part  not at all  rest not judged"
    for framework, controls in all_controls:
        n = counted(controls)
        yield (
            f"{visible(framework.id):<{width}}  {n['controls']:>8,}  {n['whole']:>6,}  {n['part']:>7,}"
            f"  {n['none']:>10,}  {n['not_judged']:>15,}   {visible(framework.title)} {visible(framework.version)}"
        )


def framework_page(
    framework: FrameworkInfo, controls: Sequence[ControlCoverage], look: TerminalOptions
) -> Iterator[str]:
    """Yield the lines of ``frameworks show FRAMEWORK``."""
    paint = Paint(look)
    yield paint("bold", f"{visible(framework.title)} {visible(framework.version)} ({visible(framework.id)})")
    yield framework.source
    yield from wrap(visible(framework.note), look.width)
    yield ""
    width = max(len(control.control) for control in controls)
    for control in controls:
        rules = f"{len(control.rules):,}" if control.rules else "no"
        rest = f"  rest: {control.remaining}" if control.remaining else ""
        if control.decides == "none":
            rest = f"  {control.remaining}"
        words = DECIDES_WORDS[control.decides]
        role = {"whole": "ok", "part": "low", "none": "dim"}[control.decides]
        noun = "rule" if len(control.rules) == 1 else "rules"
        yield f"{control.control:<{width}}  {paint(role, f'{words:<10}')}  {rules:>3} {noun:<5}{rest}".rstrip()
    yield ""
    yield from wrap(_summary(controls), look.width)


def _summary(controls: Sequence[ControlCoverage]) -> str:
    n = counted(controls)
    rest: Counter[str] = Counter()
    for control in controls:
        if control.remains is not None:
            rest.update(REMAINS_WORDS[kind] for kind in control.remains.kinds)
    shown = [f"{words} {rest[words]:,}" for words in REMAINS_WORDS.values() if rest[words]]
    shown += [f"{NOT_JUDGED} {n['not_judged']:,}"] if n["not_judged"] else []
    text = (
        f"{plural(n['controls'], 'control')}: rules decide {n['whole']:,} wholly, {n['part']:,} in part, "
        f"{n['none']:,} not at all."
    )
    return f"{text} What remains of those not decided wholly: {', '.join(shown)}." if shown else text


def control_page(
    framework: FrameworkInfo, control: ControlCoverage, titles: Mapping[str, str], look: TerminalOptions
) -> Iterator[str]:
    """Yield the lines of ``frameworks show FRAMEWORK CONTROL``; ``titles``: rule id -> title."""
    paint = Paint(look)
    yield paint("bold", f"{control.control} of {visible(framework.title)} {visible(framework.version)}")
    if control.decides == "none":
        yield "no rule decides any of it"
    elif control.decides == "part":
        yield "rules decide a part of it, so a run never reports it as satisfied"
    else:
        yield "rules decide all of it"
    width = max((len(rule) for rule, _ in control.rules), default=0)
    for rule, decides in control.rules:
        yield f"  {decides:<5}  {rule:<{width}}  {visible(titles.get(rule, ''))}".rstrip()
    if control.decides == "whole":
        return
    yield f"remains: {control.remaining}"
    if control.remains is not None:
        yield from (f"  {line}" for line in wrap(visible(control.remains.why), look.width - 2))
        yield f"  {control.remains.source}"
