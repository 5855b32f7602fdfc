"""``policyengine milestones``: names for runs, and any two compared."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import click

from policyengine.cli.errors import EXIT_OK
from policyengine.cli.history.options import db_option, format_option, print_json, table

_ALL: Final = 10**9
_SEVERITIES: Final = ("critical", "high", "medium", "low", "unknown")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def milestones() -> None:
    """Name runs of the history, and compare any two.

    \b
      policyengine milestones add "audit 2026" runs/2026-11-21
      policyengine milestones compare "audit 2025" "audit 2026"
    """


@milestones.command()
@click.argument("name")
@click.argument("run")
@db_option
@click.option("--note", default="", metavar="TEXT", help="what the milestone is about")
def add(name: str, run: str, db: Path, note: str) -> int:
    """Give the run RUN (a directory, an id or the beginning of one) of the history the name NAME."""
    from policyengine.history.database import open_history
    from policyengine.history.milestones import name_run
    from policyengine.history.reading import History

    with closing(open_history(db)) as connection:
        found = name_run(connection, History(connection), name, run, note)
    from policyengine.cli.outputs import say

    say(f"{found.at} {found.id}: {name}")
    return EXIT_OK


@milestones.command("list")
@db_option
@format_option("terminal", "json")
def list_(db: Path, form: str) -> int:
    """List the milestones, in the order of their runs."""
    from policyengine.history.period import opened

    with opened(db) as history:
        notes = dict(history.db.execute("SELECT name, note FROM milestones").fetchall())
        rows = [
            {"name": name, "run": history.run(n).id, "at": history.run(n).at, "note": notes[name]}
            for name, n in history.milestones.items()
        ]
    if form == "json":
        print_json(rows)
    elif rows:
        table(
            ("at", "name", "run", "note"), [(row["at"], row["name"], row["run"], row["note"]) for row in rows]
        )
    else:
        print("no milestones yet: `policyengine milestones add NAME RUN`")
    return EXIT_OK


@milestones.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@db_option
@format_option("terminal", "json")
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, metavar="N",
              help="on the terminal list up to N of each; 0 lists all")  # fmt: skip
def compare(before: str, after: str, db: Path, form: str, limit: int) -> int:
    """Say what became of findings from A to B: milestones, ids of runs, or run directories."""
    from policyengine.history.milestones import compare_sides, count_moves, side
    from policyengine.history.period import opened

    def told(history: Any) -> None:
        one, other = side(history, before), side(history, after)
        most = _ALL if form == "json" or not limit else limit
        counts, lists = count_moves(compare_sides(one, other), most)
        shown = [{"name": each.name, "run": each.run, "at": each.at} for each in (one, other)]
        if form == "json":
            print_json(_document(shown, counts, lists))
        else:
            _terminal(shown, counts, lists)

    if db.exists():
        with opened(db) as history:
            told(history)
    else:
        told(None)
    return EXIT_OK


def _document(sides: list[dict[str, str]], counts: dict[str, Counter[str]], lists: Any) -> dict[str, Any]:
    return {
        "schema": "policyengine/milestones/v1", "before": sides[0], "after": sides[1],
        "counts": {
            "all": dict(counts["became"]),
            **{what: _nested(counts[what]) for what in ("severity", "pillar")},
        },
        **{became: [_json(move) for move in moves] for became, moves in lists.items()},
    }  # fmt: skip


def _nested(counts: Counter[str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for name, times in counts.items():
        group, _, became = name.partition(":")
        found.setdefault(group, {})[became] = times
    return found


def _json(move: Any) -> dict[str, Any]:
    account, region, _, id_ = move.identity
    return {"finding": move.id, "rule": move.rule, "severity": move.severity, "pillar": move.pillar, "type": move.type,
            "account": account, "region": region, "resource": id_}  # fmt: skip


def _terminal(sides: list[dict[str, str]], counts: dict[str, Counter[str]], lists: Any) -> None:
    from policyengine.cli.outputs import say
    from policyengine.history.milestones import BECAME

    for name, each in zip(("from", "to"), sides, strict=True):
        say(f"{name} {each['name']}: {each['at']} {each['run']}")
    used = [became for became in BECAME if counts["became"][became]]
    if not used:
        print("no failure on either side")
        return
    for what, order in (("severity", _SEVERITIES), ("pillar", ())):
        groups = {name.partition(":")[0] for name in counts[what]}
        ordered = [each for each in order if each in groups] or sorted(groups)
        print()
        table(
            (what, *(became.replace("_", " ") for became in used)),
            [(group, *(counts[what][f"{group}:{became}"] for became in used)) for group in ordered],
        )
    for became in used:
        moves = lists[became]
        print(f"\n{became.replace('_', ' ')}:")
        for move in moves:
            account, region, _, id_ = move.identity
            say(f"  {move.severity} {move.rule}  {account}/{region}  {move.type} {id_}")
        if counts["became"][became] > len(moves):
            print(f"  and {counts['became'][became] - len(moves):,} more: --limit 0 lists all")
