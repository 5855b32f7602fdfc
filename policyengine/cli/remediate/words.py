"""How ``remediate`` writes to the terminal: width, colour, and lines that nothing in an account can forge."""

from __future__ import annotations

import os
import sys
import textwrap
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import click

from policyengine.reports.text import visible

if TYPE_CHECKING:
    from policyengine.reports.base import TerminalOptions

_WIDTH: Final = 110
_COLORS: Final = {"+": "green", "-": "red"}


@cache
def _terminal() -> TerminalOptions:
    from policyengine.reports.ansi import detect

    return detect(sys.stdout, os.environ)


def width() -> int:
    """Columns to fill: at most 110, fewer where the terminal (or ``COLUMNS``) has fewer."""
    return min(_WIDTH, _terminal().width)


def line(text: str, *, bold: bool = False, sign: str = "", err: bool = False) -> None:
    """Print one line as it is; ``sign`` colours it as a line of a diff. ``NO_COLOR`` and non-terminals get none."""
    shown = visible(text)
    if not err and _terminal().color and (bold or sign in _COLORS):
        shown = click.style(shown, bold=bold or None, fg=_COLORS.get(sign))
    click.echo(shown, err=err, color=True)


def say(text: str, lead: str = "", *, bold: bool = False, err: bool = False) -> None:
    """Print running text under a lead, wrapped. A word is never broken, so that it can be copied."""
    words = visible(" ".join(text.split()))
    found = textwrap.wrap(
        words, max(width() - len(lead), 30), break_long_words=False, break_on_hyphens=False
    )  # fmt: skip
    for number, part in enumerate(found or [""]):
        line((" " * len(lead) if number else lead) + part, bold=bold, err=err)


def short(at: Any) -> str:
    """Return a time without parts of a second."""
    text = str(at)
    head, dot, rest = text.partition(".")
    return f"{head}{rest.lstrip('0123456789')}".replace("+00:00", "Z") if dot else text.replace("+00:00", "Z")
