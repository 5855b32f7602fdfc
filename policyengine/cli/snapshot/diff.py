"""``policyengine snapshot diff``: what changed between two snapshots."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import click

from policyengine.cli.errors import EXIT_OK
from policyengine.sources.base import SourceOptions
from policyengine.sources.paths import printable

_WORDS: Final = {
    "added": "new", "removed": "gone", "changed": "changed",
    "appeared": "here, and the older snapshot does not cover it",
    "not_collected": "not collected: the newer snapshot does not cover it",
}  # fmt: skip
_SHOWN: Final = 5
_LENGTH: Final = 80
_ERRORS: Final = 20


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["terminal", "ndjson"]), default="terminal", show_default=True,
    help="ndjson: one change a line, with every value",
)  # fmt: skip
@click.option(
    "--type", "types", multiple=True, metavar="TYPE", help="only resources of this type; may repeat"
)
def diff(before: Path, after: Path, form: str, types: tuple[str, ...]) -> int:
    """Say what changed from snapshot BEFORE to snapshot AFTER.

    A resource that is missing where the other snapshot was not collected whole is said to be not collected, never
    gone. Memory does not grow with the snapshots.
    """
    from policyengine.sources.snapshot import open_snapshot
    from policyengine.sources.snapshot.compare import compare

    old, new = (open_snapshot(path, SourceOptions()) for path in (before, after))
    for source in (old, new):
        for error in source.errors[:_ERRORS]:
            print(f"warning: {printable(str(error))}", file=sys.stderr)
        if len(source.errors) > _ERRORS:
            print(
                f"warning: {source.target}: and {len(source.errors) - _ERRORS:,} more errors", file=sys.stderr
            )
    counts: Counter[str] = Counter()
    for change in compare(old, new):
        if types and change.type not in types:
            continue
        counts[change.kind] += 1
        print(_as_json(change) if form == "ndjson" else _as_text(change))
    if form == "terminal":
        total = ", ".join(
            f"{counts[kind]:,} {_WORDS[kind].partition(',')[0]}" for kind in _WORDS if counts[kind]
        )
        print(total or "no difference")
    return EXIT_OK


def _as_json(change: Any) -> str:
    record = change._asdict()
    record["differences"] = [difference._asdict() for difference in change.differences]
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _as_text(change: Any) -> str:
    head = f"{change.account}/{change.region}  {change.type} {printable(change.id)}: {_WORDS[change.kind]}"
    lines = [head]
    lines += [
        f"    {printable(each.path)}: {_value(each.before)} -> {_value(each.after)}"
        for each in change.differences[:_SHOWN]
    ]
    left = len(change.differences) - _SHOWN
    if left > 0:
        lines.append(f"    and {left}{'+' if change.more else ''} more values")
    return "\n".join(lines)


def _value(value: Any) -> str:
    if value is None:
        return "(nothing)"
    text = printable(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 1]}…"
