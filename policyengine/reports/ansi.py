"""Colour and hyperlinks by hand: importing a terminal library would cost more than the scan.

Colour: ``NO_COLOR`` set and not empty turns it off (https://no-color.org), else ``CLICOLOR_FORCE`` turns it
on, else it needs a terminal that is not ``dumb`` (https://bixense.com/clicolors/). Hyperlinks (OSC 8) are
written only to terminals known to show them; others print them as rubbish.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TextIO
from urllib.parse import quote

from policyengine.reports.base import TerminalOptions

_CODES = {
    "critical": "1;35", "high": "1;31", "medium": "1;33", "low": "1;36", "unknown": "1;34",
    "ok": "1;32", "error": "1;31", "bold": "1", "dim": "2", "gutter": "34", "caret": "1;31",
}  # fmt: skip
_LINKING_PROGRAMS = frozenset(
    {"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby", "rio", "WarpTerminal"}
)
_LINKING_TERMS = frozenset({"xterm-kitty", "xterm-ghostty", "alacritty", "foot", "foot-extra", "contour"})
MIN_WIDTH, MAX_WIDTH = 40, 160


class Paint:
    """Wraps text in ANSI codes, or not."""

    __slots__ = ("_color", "_links")

    def __init__(self, options: TerminalOptions) -> None:
        self._color = options.color
        self._links = options.hyperlinks

    def __call__(self, role: str, text: str) -> str:
        """Return ``text`` in the colour of ``role``."""
        return f"\x1b[{_CODES[role]}m{text}\x1b[0m" if self._color and text else text

    def link(self, target: str | None, text: str) -> str:
        """Return ``text`` as a hyperlink to an https or file URL; ``target`` is encoded."""
        if not self._links or not target or not target.startswith(("https://", "file://")):
            return text
        # in the name of a file `#` and `?` are no punctuation; `[` could begin a command for a log reader
        safe = ":/" if target.startswith("file://") else ":/?#@!$&'()*+,;=%~"
        url = quote(target.encode("utf-8", "replace"), safe=safe)
        return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\"


def detect(out: TextIO, env: Mapping[str, str], options: TerminalOptions | None = None) -> TerminalOptions:
    """Return options that fit the stream ``out`` and the environment ``env``."""
    tty = _is_tty(out)
    dumb = env.get("TERM") == "dumb"
    return replace(
        options or TerminalOptions(),
        width=_width(out, env, tty),
        color=_color(env, tty and not dumb),
        hyperlinks=_hyperlinks(env, tty and not dumb),
        unicode="utf" in (getattr(out, "encoding", None) or "utf-8").lower(),
    )


def _is_tty(out: TextIO) -> bool:
    try:
        return out.isatty()
    except (AttributeError, ValueError):
        return False


def _on(env: Mapping[str, str], name: str) -> bool:
    return env.get(name, "") not in ("", "0")


def _color(env: Mapping[str, str], terminal: bool) -> bool:
    if env.get("NO_COLOR"):
        return False
    if _on(env, "CLICOLOR_FORCE") or _on(env, "FORCE_COLOR"):
        return True
    return terminal and env.get("CLICOLOR") != "0"


def _hyperlinks(env: Mapping[str, str], terminal: bool) -> bool:
    if "FORCE_HYPERLINK" in env:
        return _on(env, "FORCE_HYPERLINK")
    # tmux and screen pass hyperlinks on only in some versions and settings.
    if not terminal or env.get("CI") or env.get("TMUX") or env.get("TERM", "").startswith("screen"):
        return False
    if env.get("TERM_PROGRAM") in _LINKING_PROGRAMS or env.get("TERM") in _LINKING_TERMS:
        return True
    if any(env.get(name) for name in ("WT_SESSION", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "DOMTERM")):
        return True
    vte = env.get("VTE_VERSION", "")
    return vte.isdigit() and int(vte) >= 5000


def _width(out: TextIO, env: Mapping[str, str], tty: bool) -> int:
    columns = env.get("COLUMNS", "")
    if columns.isdigit() and len(columns) < 6 and int(columns) > 0:
        width = int(columns)
    else:
        width = 100
        if tty:
            with suppress(OSError, ValueError, AttributeError):
                width = os.get_terminal_size(out.fileno()).columns or width
    return max(MIN_WIDTH, min(MAX_WIDTH, width))
