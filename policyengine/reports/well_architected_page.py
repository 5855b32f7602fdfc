"""The Well-Architected report as a page for a terminal, from its document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from policyengine.reports.ansi import Paint
from policyengine.reports.base import TerminalOptions
from policyengine.reports.text import cut, plural, visible, wrap
from policyengine.reports.well_architected import NOT_ASSESSED
from policyengine.reports.well_architected_compare import CHANGE_WORDS
from policyengine.reports.well_architected_risks import MEANS_WORDS, RISKS

_ROLE: Final = {"high": "high", "medium": "medium", "low": "low"}
MANY: Final = 20
"""Rows of a table that are shown without ``--all``."""


def page(document: Mapping[str, Any], look: TerminalOptions, *, every: bool = False) -> Iterator[str]:
    """Yield the lines of the report; ``every``: all accounts, practices and steps."""
    paint, most = Paint(look), None if every else MANY
    yield from _pillars(document, paint)
    yield ""
    yield from _accounts(document["accounts"], paint, most)
    yield from _practices(document["best_practices"], paint, most)
    yield from _plan(document["plan"], paint, look, most)
    if document["run"].get("complete") is not True:
        yield paint(
            "error", "INCOMPLETE RUN: what could not be read or judged is missing above and is no PASS"
        )


def _pillars(document: Mapping[str, Any], paint: Paint) -> Iterator[str]:
    yield paint("bold", f"{'pillar':<24} {'high':>7} {'medium':>7} {'low':>7} {'accepted':>9} {'unknown':>8}")
    for pillar in document["pillars"]:
        name = visible(pillar["pillar"]) or "(no pillar)"
        if pillar["assessed"] == NOT_ASSESSED:
            yield f"{name:<24} not assessed: no rule applied to anything"
            continue
        yield f"{name:<24} {_row(pillar['risks'], paint)}"
    yield f"{'all':<24} {_row(document['totals'], paint)}"
    yield "High, medium and low count rules that fail; accepted and unknown count findings."
    yield "Each pillar is assessed in part, by configuration alone."


def _row(risks: Mapping[str, Mapping[str, int]], paint: Paint) -> str:
    cells = []
    for risk in RISKS:
        text = f"{risks[risk]['issues']:>7,}"
        cells.append(paint(_ROLE[risk], text) if risks[risk]["issues"] else text)
    cells.append(f"{sum(risks[risk]['accepted'] for risk in RISKS):>9,}")
    unknown = sum(risks[risk]["unknown"] for risk in RISKS)
    cells.append(paint("unknown", f"{unknown:>8,}") if unknown else f"{unknown:>8,}")
    return " ".join(cells)


def _accounts(accounts: Sequence[Mapping[str, Any]], paint: Paint, most: int | None) -> Iterator[str]:
    if not any(account["account"] for account in accounts):
        return
    ranked = sorted(accounts, key=lambda a: [-a["risks"][risk]["issues"] for risk in RISKS])
    yield paint(
        "bold", f"{'account':<24} {'high':>7} {'medium':>7} {'low':>7} {'accepted':>9} {'unknown':>8}"
    )
    for account in ranked[:most]:
        name = visible(cut(account["account"] or "(no account)", 24))
        yield f"{name:<24} {_row(account['risks'], paint)}"
    yield from _more(len(ranked), most, "account")
    yield ""


def _practices(practices: Sequence[Mapping[str, Any]], paint: Paint, most: int | None) -> Iterator[str]:
    if not practices:
        return
    yield paint("bold", "best practices of the security pillar")
    touched = [p for p in practices if any(p["issues"].values()) or p["verdicts"]["UNKNOWN"] or p["waived"]]
    for practice in touched[:most]:
        issues = [f"{practice['issues'][risk]:,} {risk}" for risk in RISKS if practice["issues"][risk]]
        unknown = practice["verdicts"]["UNKNOWN"]
        issues += [f"{practice['waived']:,} accepted"] if practice["waived"] else []
        issues += [f"{unknown:,} unknown"] if unknown else []
        yield f"{practice['id']:<12} {', '.join(issues)}"
    yield from _more(len(touched), most, "practice")
    undecided = sum(practice["decides"] == "none" for practice in practices)
    untested = sum(practice["status"] == "not_tested" for practice in practices)
    yield (
        f"{plural(len(practices), 'practice')}: no failure known of "
        f"{len(practices) - len(touched) - undecided - untested:,}, {untested:,} not tested, "
        f"{undecided:,} that no rule speaks of"
    )
    yield ""


def _plan(
    plan: Sequence[Mapping[str, Any]], paint: Paint, look: TerminalOptions, most: int | None
) -> Iterator[str]:
    yield paint("bold", "improvement plan")
    if not plan:
        yield "nothing fails that is not accepted; what is unknown above may still fail"
    for item in plan[:most]:
        cost = item["effort"]
        places = plural(cost["changes"], "change")
        if cost["accounts"] > 1:
            places += f" in {plural(cost['accounts'], 'account')}"
        quick = ", quick win" if item["quick_win"] else ""
        head = f"{item['rank']:>4}  {paint(_ROLE[item['risk']], format(item['risk'], '<6'))}"
        yield f"{head}  {cost['level']} effort{quick}: {visible(item['rule'])}"
        text = f"{visible(item['title'])}; {plural(item['findings'], 'finding')}, {places}, {MEANS_WORDS[cost['means']]}"
        yield from (f"      {line}" for line in wrap(text, look.width - 6))
    yield from _more(len(plan), most, "step")


def _more(number: int, most: int | None, noun: str) -> Iterator[str]:
    if most is not None and number > most:
        yield f"... and {plural(number - most, f'more {noun}')}: `--all` shows them"


def comparison_page(found: Mapping[str, Any], look: TerminalOptions) -> Iterator[str]:
    """Yield the lines of a comparison."""
    paint = Paint(look)
    yield paint("bold", f"from {_name(found['before'])} to {_name(found['after'])}")
    for caveat in found["caveats"]:
        yield from wrap(f"careful: {visible(caveat)}", look.width)
    yield paint("bold", f"{'pillar':<24} {'high':>16} {'medium':>16} {'low':>16} {'unknown':>16}")
    for pillar in found["pillars"]:
        cells = [_change(pillar["risks"][risk]["issues"]) for risk in RISKS]
        unknown = [pillar["risks"][risk]["unknown"] for risk in RISKS]
        both = {key: sum(part[key] for part in unknown) for key in ("before", "after", "delta")}
        name = visible(pillar["pillar"]) or "(no pillar)"
        if pillar["assessed"] == [NOT_ASSESSED, NOT_ASSESSED]:
            yield f"{name:<24} not assessed in either run"
            continue
        row = " ".join(f"{cell:>16}" for cell in [*cells, _change(both)])
        note = "" if NOT_ASSESSED not in pillar["assessed"] else "  (not assessed in one of them)"
        yield f"{name:<24} {row}{note}"
    yield ""
    for rule in found["rules"]:
        if rule["change"] == "same":
            continue
        counts = rule["findings"]
        yield (
            f"{paint(_ROLE.get(rule['risk'], 'bold'), format(visible(rule['risk']), '<6'))}  {visible(rule['rule'])}: "
            f"{CHANGE_WORDS[rule['change']]} ({counts['before']:,} to {counts['after']:,})"
        )
    yield (
        ", ".join(
            f"{number:,} {name.replace('_', ' ')}" for name, number in found["changes"].items() if number
        )
        or "nothing fails in either run"
    )


def _name(run: Mapping[str, Any]) -> str:
    return visible(f"{run.get('id')} ({run.get('as_of')})")


def _change(counts: Mapping[str, int]) -> str:
    if not counts["delta"]:
        return f"{counts['after']:,}"
    return f"{counts['before']:,} to {counts['after']:,} ({counts['delta']:+,})"
