"""``policyengine diff``: what became of the findings from one run to a later one."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_OK
from policyengine.sources.paths import printable

if TYPE_CHECKING:
    from policyengine.history.compare import Change

_ORDER: Final = {
    "new": "new", "accepted": "new and accepted", "ended": "not accepted any more", "fixed": "fixed",
    "gone": "gone with the resource", "not_asked": "no longer asked", "not_looked_at": "not looked at",
    "not_determined": "no longer determined",
    "determined": "determined now", "not_applicable": "no longer applicable", "open": "still open",
}  # fmt: skip


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0; 1 with --fail-on-new when there are new failures; 2 no run.",
)
@click.argument("before", type=click.Path(path_type=Path, exists=True))
@click.argument("after", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--format", "form", type=click.Choice(["terminal", "ndjson"]), default="terminal", show_default=True,
    help="ndjson: one change a line, with its finding",
)  # fmt: skip
@click.option("--all", "show_open", is_flag=True, help="on the terminal also list what is still open")
@click.option(
    "--fail-on-new",
    is_flag=True,
    help="exit 1 when something fails that did not, or is not accepted any more",
)
def diff(before: Path, after: Path, form: str, show_open: bool, fail_on_new: bool) -> int:
    """Say which findings are new, fixed and still open from run BEFORE to run AFTER, and why.

    Runs are run directories (`scan -o DIR`), findings.json or ndjson reports. Why is told best by run directories, which
    hold their rules.
    """
    from policyengine.cli.differing import Differing
    from policyengine.history.compare import acceptance_ended

    both = Differing(before, after, tell_open=show_open or form == "ndjson")
    counts: Counter[str] = Counter()
    unasked: Counter[str] = Counter()
    unseen: Counter[str] = Counter()
    for change in both.changes():
        counts[_kind(change)] += 1
        if form == "ndjson":
            print(
                json.dumps(
                    {"change": change.kind, "why": change.why, "finding": change.finding},
                    separators=(",", ":"),
                )
            )
        elif change.kind == "not_asked":
            unasked[change.finding["rule"]] += 1
        elif change.kind == "not_looked_at":
            unseen[change.why] += 1
        elif change.kind != "open" or show_open or acceptance_ended(change):
            _say(change)
    counts["open"] += both.open
    if form == "terminal":
        for rule, times in sorted(unasked.items()):
            print(f"{_ORDER['not_asked']}: {rule}, of which {times:,} failed")
        for why, times in sorted(unseen.items()):
            print(f"{_ORDER['not_looked_at']}: {times:,} that failed; {printable(why)}")
        print(
            ", ".join(f"{counts[kind]:,} {words}" for kind, words in _ORDER.items() if counts[kind])
            or "no failure in either run"
        )
    return EXIT_FAIL if fail_on_new and (counts["new"] or counts["ended"]) else EXIT_OK


def _kind(change: Change) -> str:
    """Return what a change is counted as: what somebody accepts is not simply new, and was not simply open."""
    from policyengine.history.compare import acceptance_ended, accepted

    if change.kind == "new" and accepted(change.finding):
        return "accepted"
    return "ended" if acceptance_ended(change) else change.kind


def _say(change: Change) -> None:
    finding = change.finding
    resource, place = finding["resource"], finding.get("location")
    where = (
        f"{place['file']}:{place['line'] or 1}"
        if place is not None
        else f"{resource['account'] or ''}/{resource['region'] or ''}"
    )
    print(
        f"{_ORDER[_kind(change)]}: {finding['severity']} {finding['rule']}  {printable(where)}  "
        f"{resource['type']} {printable(resource['id'])}"
    )
    if change.kind in ("new", "open"):
        print(f"    {printable(finding['message'])}")
    if change.why:
        print(f"    = {printable(change.why)}")
