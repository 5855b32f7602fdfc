"""``policyengine history show``: what became of findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from policyengine.cli.errors import EXIT_OK
from policyengine.cli.history.options import db_option, format_option, print_csv, print_lines, table

_MOST = 200
"""Findings shown on the terminal; the other formats have all."""


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0; 2 no history, or an option of no use.",
)
@db_option
@click.option("--rule", "rules", multiple=True, metavar="ID", help="only this rule; may repeat")
@click.option("--account", "accounts", multiple=True, metavar="ID", help="only this account; may repeat")
@click.option("--resource", "resources", multiple=True, metavar="ID", help="only this resource; may repeat")
@click.option("--finding", "findings", multiple=True, metavar="ID", help="only this finding; may repeat")
@click.option("--status", "statuses", multiple=True, metavar="STATUS",
              help="open, fixed, gone, not_applicable, unknown, not_looked_at or not_asked; may repeat")  # fmt: skip
@click.option("--since", metavar="TIME", help="only what failed at this time or later")
@format_option("terminal", "json", "csv")
def show(db: Path, form: str, **chosen: Any) -> int:
    """Show every finding that failed at least once: since when, until when, how long it took, how often it came back.

    A run is a moment: what failed in one and passed in the next was repaired at some time between them, and both bounds are
    given. UNKNOWN, and runs that did not look at it, end no failure.
    """
    from policyengine.history.period import opened

    with opened(db) as history:
        rows = _rows(history, chosen)
        if form == "json":
            print_lines({"schema": "policyengine/history/v1", "runs": len(history.runs)}, "findings", rows)
        elif form == "csv":
            print_csv(rows)
        else:
            _terminal(rows, narrowed=any(chosen.values()))
    return EXIT_OK


def _rows(history: Any, chosen: dict[str, Any]) -> Iterator[dict[str, Any]]:
    from policyengine.history.moments import moment
    from policyengine.history.reading import STATUSES
    from policyengine.model.errors import UsageError
    from policyengine.rules.names import unknown

    for status in chosen["statuses"]:
        if status not in STATUSES:
            raise UsageError(unknown("status", status, STATUSES))
    since = moment(chosen["since"]) if chosen["since"] else None
    for life in history.lives(chosen["rules"]):
        account, region, _, id_ = life.identity
        last = history.run(life.episodes[-1].last).at
        if (
            _not_among(account, chosen["accounts"])
            or _not_among(id_, chosen["resources"])
            or _not_among(life.id, chosen["findings"])
            or _not_among(life.status, chosen["statuses"])
            or (since is not None and moment(last) < since)
        ):
            continue
        yield _row(history, life, account, region, id_)


def _not_among(value: str, wanted: Sequence[str]) -> bool:
    return bool(wanted) and value not in wanted


def _row(history: Any, life: Any, account: str, region: str, id_: str) -> dict[str, Any]:
    from policyengine.history.moments import seconds_between

    at = [run.at for run in history.runs]
    first, last = life.episodes[0], life.episodes[-1]
    shortest = seconds_between(at[last.begins - 1], at[last.last - 1])
    longest = (
        seconds_between(at[last.before - 1], at[last.ends - 1])
        if last.before is not None and last.ends is not None
        else ""
    )
    about = history.pack(history.run(last.last).pack).get(life.rule, {})
    return {
        "finding": life.id, "rule": life.rule, "severity": about.get("severity") or "",
        "account": account, "region": region, "type": life.type, "resource": id_, "status": life.status,
        "first_seen": at[first.begins - 1], "last_seen": at[last.last - 1],
        "ended": at[last.ends - 1] if last.ends is not None else "",
        "reopened": len(life.episodes) - 1,
        "seconds_to_fix": seconds_between(at[last.begins - 1], at[last.ends - 1]) if last.ended == "fixed" else "",
        "failed_at_least_seconds": shortest, "failed_at_most_seconds": longest,
        "observations": life.observations, "failures": life.failures,
    }  # fmt: skip


def _terminal(rows: Iterator[dict[str, Any]], *, narrowed: bool) -> None:
    from policyengine.history.moments import in_words

    counts: Counter[str] = Counter()
    shown: list[tuple[Any, ...]] = []
    for row in rows:
        counts[row["status"]] += 1
        if len(shown) < _MOST:
            fixed = row["seconds_to_fix"]
            shown.append(
                (row["status"].replace("_", " "), row["severity"], row["rule"], row["resource"], row["account"],
                 row["first_seen"], row["last_seen"], in_words(fixed) if fixed != "" else "", row["reopened"] or "",
                 f"{row['failures']}/{row['observations']}")
            )  # fmt: skip
    if shown:
        table(
            ("status", "severity", "rule", "resource", "account", "first seen", "last seen", "time to fix", "re-opened",
             "failed"),
            shown,
        )  # fmt: skip
    more = sum(counts.values()) - len(shown)
    if more:
        print(f"and {more:,} more: --format csv has all")
    print(
        ", ".join(f"{times:,} {status.replace('_', ' ')}" for status, times in sorted(counts.items()))
        or (
            "no failure that was asked for: are account, rule and id spelt as in the history?"
            if narrowed
            else "nothing failed"
        )
    )
