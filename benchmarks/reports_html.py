"""The HTML report of 121,000 findings beside a plain page with a row for each, in the same Chromium.

The plain page is what a report without an idea about size is: one table row a finding with everything a reader may
want of it, as Prowler's HTML has it (https://github.com/prowler-cloud/prowler/issues/1928: 121,117 findings, 142 MB,
does not open), without its style sheets and scripts from elsewhere. ``python -m benchmarks.reports_html`` prints the
section; ``python -m benchmarks.reports_html --write KIND FILE`` is the process that is measured.
"""

from __future__ import annotations

import argparse
import html
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TextIO

from benchmarks.html_data import Organisation
from benchmarks.measure import Cost, interleaved, median, run
from benchmarks.table import Row, Section, show, verdict
from policyengine.model.finding import Finding
from policyengine.reports.base import Context

SIZE: Final = 121_000
TENTH: Final = SIZE // 10
PATIENCE: Final = 60
"""Seconds that a page may take to open."""
CHROMIUM: Final = "/usr/bin/chromium"
ARGUMENTS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_FRAMES: Final = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))"


def write(kind: str, path: str, size: int = SIZE) -> None:
    """Write a page: ``ours``, ``plain``, or ``none``, which only makes the findings."""
    made = Organisation(size)
    if kind == "none":
        for _ in made.findings():
            pass
        return
    with Path(path).open("w", encoding="utf-8", newline="") as out:
        if kind == "plain":
            plain(out, made.findings(), made.context())
            return
        from policyengine.reports.html.report import HtmlReport

        report = HtmlReport(out, made.context())
        report.begin(made.run())
        for finding in made.findings():
            report.add(finding)
        report.end(made.run())


def plain(out: TextIO, findings: Iterator[Finding], context: Context) -> None:
    """Write one row a finding."""
    heads = (
        "Status",
        "Severity",
        "Service",
        "Region",
        "Account",
        "Check",
        "Title",
        "Resource",
        "What",
        "Risk",
        "Fix",
        "Compliance",
    )
    out.write("<!DOCTYPE html><html lang=en><meta charset=utf-8><title>plain</title><table><thead><tr>")
    out.write("".join(f"<th>{head}</th>" for head in heads) + "</tr></thead><tbody>\n")
    for finding in findings:
        rule = context.rules[finding.rule]
        controls = "".join(
            f"<p>&#8226;{html.escape(name)}: {', '.join(ids)}</p>" for name, ids in finding.frameworks.items()
        )
        cells = (
            finding.verdict, finding.severity, finding.resource_type, finding.region, finding.account, finding.rule,
            finding.title, finding.arn, finding.message, rule.why, rule.fix,
        )  # fmt: skip
        out.write(
            "<tr>"
            + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells)
            + f"<td>{controls}</td></tr>\n"
        )
    out.write("</tbody></table></html>\n")


def _written(kind: str, path: Path) -> Cost:
    cost = run([sys.executable, "-m", "benchmarks.reports_html", "--write", kind, path])
    if cost.code:
        raise SystemExit(f"writing failed:\n{cost.output}")
    return cost


class Times:
    """Milliseconds in the browser: until two frames after everything is ready, of a sort, of a search."""

    def __init__(self, ready: float, steps: dict[str, float]) -> None:
        self.ready = ready
        self.steps = steps


def _opened(browser: Any, path: Path, *, ours: bool) -> Times:
    from playwright import sync_api

    context = browser.new_context(offline=True, viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        start = time.perf_counter()
        try:
            page.goto(path.as_uri(), timeout=PATIENCE * 1_000)
        except sync_api.TimeoutError:
            return Times(math.inf, {})
        if ours:
            page.wait_for_selector("html[data-ready]")
        page.evaluate(_FRAMES)
        ready = (time.perf_counter() - start) * 1_000
        return Times(ready, _steps(page) if ours else {})
    finally:
        context.close()


def _steps(page: Any) -> dict[str, float]:
    """Return how long the page is busy until the frame after a step is drawn."""
    steps = {
        "sort by resource": "document.querySelector('[data-key=resource]').click()",
        "sort again": "document.querySelector('[data-key=resource]').click()",
        "show all verdicts": "document.querySelectorAll('.chips button')[3].click()",
        "scroll to the middle": "document.querySelector('.rows').scrollTop = 2e6",
        "one account": "{ const s = [...document.querySelectorAll('.tools label')].find(l => l.firstChild.data === 'Account')"
        ".querySelector('select'); s.selectedIndex = 5; s.dispatchEvent(new Event('change')); }",
        "first search": "{ document.querySelector('.chips + .status .plainbtn').click();"
        " const i = document.querySelector('.find input'); i.value = 'payments'; i.dispatchEvent(new Event('input')); }",
        "next search": "{ const i = document.querySelector('.find input'); i.value = 'payments 30 days';"
        " i.dispatchEvent(new Event('input')); }",
    }  # fmt: skip
    found = {}
    for name, step in steps.items():
        wait = 90 if "search" in name else 0  # the page waits so long for the next letter, on purpose
        found[name] = page.evaluate(
            f"""() => new Promise(done => {{ const start = performance.now();
            {step};
            setTimeout(() => requestAnimationFrame(() => setTimeout(
                () => done(performance.now() - start - {wait}))), {wait}); }})"""
        )
    return found


def measure(rounds: int = 3, *, with_peers: bool = True) -> Section:
    """Return the section; without a Chromium only size and time to write."""
    kinds = ("none", "ours", "plain") if with_peers else ("none", "ours")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        paths = {kind: Path(folder) / f"{kind}.html" for kind in kinds}
        jobs: dict[str, Callable[[], Cost]] = {
            kind: (lambda kind=kind: _written(kind, paths[kind])) for kind in kinds
        }  # type: ignore[misc]  # mypy has no default of a lambda's argument
        costs = interleaved(rounds, jobs)
        base = median([cost.wall for cost in costs["none"]])
        for kind in kinds[1:]:
            rows += _sizes(kind, paths[kind], costs[kind], base, paths)
        if with_peers:
            paths["tenth"] = Path(folder) / "tenth.html"
            write("plain", str(paths["tenth"]), TENTH)
        rows += _browser_rows({kind: path for kind, path in paths.items() if kind != "none"}, rounds)
    about = (
        f"{SIZE:,} findings of a made-up organisation, a share of each verdict, over the project's own rules and frameworks. "
        "Time to write is without the time to make the findings."
    )
    return Section("HTML report", about, rows)


def _sizes(kind: str, path: Path, costs: list[Cost], base: float, paths: dict[str, Path]) -> list[Row]:
    name = "policyengine" if kind == "ours" else "a plain row each"
    size = path.stat().st_size
    seconds = median([cost.wall for cost in costs]) - base
    relation = (
        f"{paths['plain'].stat().st_size / size:.0f} x smaller than the plain page"
        if kind == "ours" and "plain" in paths
        else ""
    )
    goal = verdict(size < 3_000_000, "under 3 MB") if kind == "ours" else "Prowler's: 142 MB"
    peak = max(cost.peak for cost in costs)
    return [
        Row(f"{name}: size", f"{size / 1e6:.2f} MB", relation, goal),
        Row(
            f"{name}: time to write",
            f"{seconds:.1f} s",
            f"{SIZE / seconds:,.0f} findings a second; peak {peak:.0f} MB",
        ),
    ]


def _browser_rows(paths: dict[str, Path], rounds: int) -> list[Row]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return []
    if not Path(CHROMIUM).exists():
        return []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        _opened(browser, paths["ours"], ours=True)  # the first page of a browser is slow
        jobs: dict[str, Callable[[], Times]] = {
            kind: (lambda kind=kind, path=path: _opened(browser, path, ours=kind == "ours"))  # type: ignore[misc]  # as above
            for kind, path in paths.items()
            if kind != "plain"
        }
        found = interleaved(rounds, jobs)
        # once is enough for what is expected not to open, and last, because the browser may be lost with it
        whole = _opened(browser, paths["plain"], ours=False).ready if "plain" in paths else None
        browser.close()
    ready = {kind: median([times.ready for times in found[kind]]) for kind in found}
    rows = [
        Row(
            "policyengine: interactive after",
            f"{ready['ours']:,.0f} ms",
            "",
            verdict(ready["ours"] < 2_000, "under 2 s"),
        )
    ]
    if whole is not None:
        shown = f"not in {PATIENCE} s" if math.isinf(whole) else f"{whole:,.0f} ms"
        rows.append(Row("a plain row each: shown after", shown, "nothing to sort or filter with"))
        rows.append(
            Row(
                f"a plain row each, {TENTH:,} findings: shown after",
                f"{ready['tenth']:,.0f} ms",
                "a tenth of them",
            )
        )
    for name in found["ours"][0].steps:
        took = median([times.steps[name] for times in found["ours"]])
        rows.append(Row(f"policyengine: {name}", f"{took:,.0f} ms", "until the frame after it is drawn"))
    return rows


def main() -> None:
    """Print the section, or write one page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", nargs=2, metavar=("KIND", "FILE"))
    options = parser.parse_args()
    if options.write:
        write(*options.write)
    else:
        show(measure(options.rounds))


if __name__ == "__main__":
    main()
