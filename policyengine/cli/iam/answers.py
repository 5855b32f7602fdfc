"""Answers as JSON lines and as text: witnesses, reasons, statements."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_INCOMPLETE, EXIT_OK, EXIT_UNKNOWN, show_error
from policyengine.iam.reason import WHY
from policyengine.iam.search import Witness
from policyengine.model.errors import PolicyEngineError

HELP: Final = {"help_option_names": ["-h", "--help"]}
FORMAT = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text, or JSON lines (docs/iam.md)",
)
STRICT = click.option("--strict", is_flag=True, help="exit 3 when something could not be decided")
SHOWN: Final = 20
"""Errors that are shown one by one."""


_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode


def json_line(value: Mapping[str, Any]) -> None:
    """Print one JSON line."""
    sys.stdout.write(_ENCODE(value) + "\n")


def show(lines: Iterable[str]) -> None:
    """Print the lines of a page; what policies hold cannot move the cursor or end a line."""
    from policyengine.reports.text import visible

    for line in lines:
        click.echo(visible(line))


def witness_json(witness: Witness) -> dict[str, Any]:
    """Return a witness as the findings have it: principal, action, resource, context."""
    context = {k: v if isinstance(v, str) else list(v) for k, v in witness.context.items()}
    return {
        "principal": witness.principal,
        "action": witness.action,
        "resource": witness.resource,
        "context": context,
    }


def witness_lines(witness: Witness, indent: str = "  ") -> list[str]:
    """Return a witness as a reader reads it: who does what to which, under what circumstances."""
    lines = [f"{indent}{witness.action} on {witness.resource}", f"{indent}  by {witness.principal}"]
    pairs = [f"{k} = {v if isinstance(v, str) else ', '.join(v)}" for k, v in witness.context.items()]
    if pairs:
        lines.append(f"{indent}  with {'; '.join(pairs)}")
    return lines


def why_texts(why: Iterable[str]) -> list[str]:
    """Return what stood in the way of an answer, in words."""
    return [WHY.get(code, code) for code in why]


def some(items: Sequence[str], most: int = 5, what: str = "more") -> str:
    """Return the first of many items, and how many others there are."""
    text = ", ".join(items[:most])
    return f"{text} and {len(items) - most:,} {what}" if len(items) > most else text


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return ``3 accounts``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def show_errors(errors: Sequence[PolicyEngineError]) -> None:
    """Print errors to standard error, the first of many one by one."""
    sys.stdout.flush()
    for error in errors[:SHOWN]:
        show_error(error)
    if len(errors) > SHOWN:
        print(f"error: {len(errors) - SHOWN:,} more errors", file=sys.stderr)


def exit_code(*, incomplete: bool, found: bool, unknown: bool, strict: bool) -> int:
    """Return the exit code by the precedence of DESIGN section 6: 4, 1, 3, 0."""
    if incomplete:
        return EXIT_INCOMPLETE
    if found:
        return EXIT_FAIL
    return EXIT_UNKNOWN if strict and unknown else EXIT_OK
