"""What a run says of the controls of a framework: the pages of ``policyengine frameworks show --run``."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, VERDICTS
from policyengine.reports.ansi import Paint
from policyengine.reports.base import TerminalOptions
from policyengine.reports.controls import STATUS_WORDS, STATUSES, ControlResult
from policyengine.reports.csv_report import cell
from policyengine.reports.extras import FrameworkInfo
from policyengine.reports.frameworks import NOT_JUDGED, remains_words
from policyengine.reports.text import plural, visible, wrap

SCHEMA: Final = "policyengine/framework-results/v1"
COLUMNS: Final = (
    "framework", "control", "status", "why", "decides", "population", *VERDICTS, "waived", "resources", "rules",
    "rules not asked", "remains",
)  # fmt: skip
_ROLES: Final = {
    "failed": "error", "unknown": "unknown", "accepted": "medium", "no_failure_found": "bold", "satisfied": "ok",
    "not_tested": "dim", "not_decided": "dim",
}  # fmt: skip
_HEADS: Final = "".join(f"  {head:>9}" for head in ("judged", "pass", "fail", "unknown", "n/a", "waived"))


def result_json(result: ControlResult) -> dict[str, Any]:
    """Return the control of ``policyengine/framework-results/v1``."""
    return {
        "control": result.control,
        "status": result.status,
        "why": result.sentence,
        "decides": result.decides,
        "decided": result.decided,
        "population": result.population,
        "verdicts": dict(result.verdicts),
        "waived": result.waived,
        "resources": None if result.resources is None else dict(result.resources),
        "resources_waived": result.resources_waived,
        "rules": [_rule_json(result, rule, decides) for rule, decides in result.rules],
        "unasked": list(result.unasked),
    }


def _rule_json(result: ControlResult, rule: str, decides: str) -> dict[str, Any]:
    """``verdicts`` and ``waived`` are null for a rule that was not asked."""
    count = result.by_rule.get(rule)
    verdicts, waived = (None, None) if count is None else (dict(count.verdicts), count.waived)
    return {"rule": rule, "decides": decides, "verdicts": verdicts, "waived": waived}


def results_json(
    framework: FrameworkInfo, results: Sequence[ControlResult], run: Mapping[str, Any]
) -> dict[str, Any]:
    """Return ``policyengine/framework-results/v1``; ``run`` is the contract's run object."""
    keys = ("id", "as_of", "finished_at", "engine_version", "rule_pack", "scope", "complete")
    found = Counter(result.status for result in results)
    return {
        "schema": SCHEMA,
        "framework": {"id": framework.id, "title": framework.title, "version": framework.version},
        "run": {key: run.get(key) for key in keys},
        "counts": {status: found[status] for status in STATUSES},
        "controls": [result_json(result) for result in results],
    }


def remaining(framework: FrameworkInfo, result: ControlResult) -> str:
    """Return with whom the rest of a control remains, "" where rules decide it wholly."""
    if result.decides == "whole":
        return ""
    remains = framework.remains.get(result.control)
    return NOT_JUDGED if remains is None else remains_words(remains)


def results_csv(framework: FrameworkInfo, results: Sequence[ControlResult]) -> str:
    """Return one row a control (RFC 4180), every cell quoted and safe to open in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for result in results:
        resources = "" if result.resources is None else str(sum(result.resources.values()))
        rules = "; ".join(f"{rule} ({decides})" for rule, decides in result.rules)
        writer.writerow(
            [
                *(cell(t) for t in (result.framework, result.control, result.status, result.sentence)),
                result.decides,
                result.population,
                *(result.verdicts[verdict] for verdict in VERDICTS),
                result.waived,
                resources,
                cell(rules),
                cell("; ".join(result.unasked)),
                remaining(framework, result),
            ]
        )
    return out.getvalue()


def results_page(
    framework: FrameworkInfo, results: Sequence[ControlResult], run: Mapping[str, Any], look: TerminalOptions
) -> Iterator[str]:
    """Yield a line for each control, with verdicts that add up to its population."""
    paint = Paint(look)
    yield paint("bold", f"{visible(framework.title)} {visible(framework.version)} ({visible(framework.id)})")
    yield visible(f"run {run.get('id')} as of {run.get('as_of')}")
    yield ""
    width = max(len(result.control) for result in results)
    words = max(len(label) for label, _ in STATUS_WORDS.values())
    yield f"{'':<{width}}  {'':<{words}}{_HEADS}"
    for result in results:
        head = f"{result.control:<{width}}  {paint(_ROLES[result.status], format(result.label, f'<{words}'))}"
        if not result.population:
            rest = f" (rest: {remaining(framework, result)})" if result.status == "not_decided" else ""
            yield f"{head}  {result.sentence}{rest}"
            continue
        yield head + _numbers(result.verdicts, result.waived)
    yield ""
    found = Counter(result.label for result in results)
    listed = [f"{label} {found[label]:,}" for label, _ in STATUS_WORDS.values() if found[label]]
    yield from wrap(f"{plural(len(results), 'control')}: {', '.join(listed)}.", look.width)
    if run.get("complete") is not True:
        yield paint("error", "INCOMPLETE RUN: nothing is satisfied, because what is missing may fail")


def result_page(
    framework: FrameworkInfo, result: ControlResult, titles: Mapping[str, str], look: TerminalOptions
) -> Iterator[str]:
    """Yield the page of one control; ``titles``: rule id -> title."""
    paint = Paint(look)
    yield paint("bold", f"{result.control} of {visible(framework.title)} {visible(framework.version)}")
    yield from wrap(f"{paint(_ROLES[result.status], result.label)}: {result.sentence}", look.width)
    verdicts = ", ".join(f"{result.verdicts[verdict]:,} {verdict}" for verdict in VERDICTS)
    yield f"judged: {plural(result.population, 'time')}: {verdicts}; {result.waived:,} of the FAILs waived"
    if result.resources is not None:
        counts = ", ".join(f"{result.resources[v]:,} {v}" for v in VERDICTS if result.resources[v])
        total = sum(result.resources.values())
        yield f"resources by worst verdict: {total:,}" + (f" ({counts})" if counts else "")
    yield from _rule_lines(result, titles)
    rest = remaining(framework, result)
    if rest:
        yield f"remains: {rest}"


def _rule_lines(result: ControlResult, titles: Mapping[str, str]) -> Iterator[str]:
    """A line for each rule, what it is about below it, and the sum, which is the control's."""
    if not result.rules:
        return
    width = max(len(rule) for rule, _ in result.rules)
    yield ""
    yield f"  {'':<5}  {'':<{width}}{_HEADS}"
    for rule, decides in result.rules:
        count = result.by_rule.get(rule)
        rest = "  not asked in this run" if count is None else _numbers(count.verdicts, count.waived)
        yield f"  {decides:<5}  {rule:<{width}}{rest}"
        if title := visible(titles.get(rule, "")):
            yield f"         {title}"
    yield f"  {'sum':<5}  {'':<{width}}{_numbers(result.verdicts, result.waived)}"
    yield ""


def _numbers(verdicts: Mapping[str, int], waived: int) -> str:
    """The cells below :data:`_HEADS`."""
    told = (sum(verdicts.values()), *(verdicts[v] for v in (PASS, FAIL, UNKNOWN, NOT_APPLICABLE)), waived)
    return "".join(f"  {number:>9,}" for number in told)
