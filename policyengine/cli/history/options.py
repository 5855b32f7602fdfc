"""Options that the commands of history share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
WIDEST: Final = 120
"""Characters of a cell on the terminal."""
FILE: Final = "history.db"
"""The file where none is named, in the current folder."""


def db_option(command: F) -> F:
    """Add ``--db``."""
    return click.option(
        "--db", type=click.Path(path_type=Path, dir_okay=False), default=FILE, show_default=True, metavar="FILE",
        help="the file of history; runs of other things belong into a file of their own",
    )(command)  # fmt: skip


def period_options(command: F) -> F:
    """Add ``--from`` and ``--to``."""
    command = click.option("--to", "end", metavar="TIME", help="the end of the period (RFC 3339)")(command)
    return click.option("--from", "start", metavar="TIME", help="the beginning of the period (RFC 3339)")(
        command
    )


def as_of_option(command: F) -> F:
    """Add ``--as-of``."""
    return click.option(
        "--as-of",
        metavar="TIME",
        help="the clock (RFC 3339): what of the period lies after it has not been yet",
    )(command)


def clock_text(as_of: str | None) -> str:
    """Return the clock in RFC 3339. Raises UsageError."""
    from policyengine.cli.run import clock, now_text

    return clock(as_of)[0] or now_text()


def print_gaps(gaps: Iterable[Mapping[str, Any]], later: Mapping[str, Any] | None) -> None:
    """Print the times without a run, and what has not been yet."""
    for gap in gaps:
        print(f"gap: {gap['hours']:g} h without a run, from {gap['from']} to {gap['to']}")
    if later is not None:
        print(f"not yet: from {later['from']} to {later['to']}")


def every_option(command: F) -> F:
    """Add ``--expected-every``."""
    return click.option(
        "--expected-every", "every", default="25h", show_default=True, metavar="SPAN",
        help="a longer time without a run is a gap (s, m, h, d, w)",
    )(command)  # fmt: skip


def format_option(*names: str) -> Callable[[F], F]:
    """Add ``--format`` with these names, the first by default."""
    return click.option("--format", "form", type=click.Choice(names), default=names[0], show_default=True)


def print_json(value: Any) -> None:
    """Print a document, one for the same value."""
    json.dump(value, sys.stdout, ensure_ascii=True, indent=1, sort_keys=True)
    print()


def print_lines(head: Mapping[str, Any], name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a document whose member ``name`` is a long list: one element a line, none of them held."""
    out = sys.stdout
    out.write(json.dumps(head, sort_keys=True).removesuffix("}") + f', "{name}": [')
    for number, row in enumerate(rows):
        out.write((",\n " if number else "\n ") + json.dumps(row, sort_keys=True))
    out.write("]}\n")


def print_csv(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows of the same columns as CSV, safe from formulas."""
    import csv

    writer = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: Any) -> Any:
    """A spreadsheet takes a text that begins so for a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def table(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print a table: numbers to the right, texts to the left."""
    from policyengine.cli.outputs import say
    from policyengine.reports.text import visible

    lines = [[_short(visible(_shown(cell))) for cell in row] for row in rows]
    names = list(header)
    numeric = [bool(lines) and all(_is_number(line[at]) for line in lines) for at in range(len(names))]
    widths = [max(len(names[at]), *(len(line[at]) for line in lines), 0) for at in range(len(names))]
    for line in (names, *lines):
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ]
        say("  ".join(cells).rstrip())


def _short(text: str) -> str:
    """The other formats have all of it."""
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _shown(cell: Any) -> str:
    if cell is None:
        return ""
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)


def _is_number(text: str) -> bool:
    return not text or text.replace(",", "").removesuffix("%").replace(".", "").isdigit()
