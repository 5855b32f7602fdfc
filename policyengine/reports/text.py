"""Untrusted text made safe to show: nothing a resource is called can move the cursor or hide.

Names, values and messages come from templates and accounts that an attacker may have written.
:func:`visible` leaves printable characters alone and spells out all others, so that ANSI escapes,
right-to-left overrides, zero-width and other format characters can be seen instead of obeyed.
"""

from __future__ import annotations

import json
import re
from typing import Any

from policyengine.model.finding import Evidence, plain
from policyengine.model.values import ABSENT, OpenList, Unresolved

_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e"}
# Log processors obey `::command` at the start of a line (GitHub) and `##[`, `##vso[`,
# `##teamcity[` anywhere in it, so a value must not be able to form one.
LOG_COMMAND = re.compile(r"##(?=\[|vso\[|teamcity\[)")


def visible(text: str) -> str:
    """Return ``text`` on one line with every non-printable character spelt out."""
    if text.isprintable():
        return text
    return "".join(ch if ch.isprintable() else _spell(ch) for ch in text)


def _spell(ch: str) -> str:
    if ch in _ESCAPES:
        return _ESCAPES[ch]
    code = ord(ch)
    if ch.isspace() and code >= 0xA0 and code not in (0x2028, 0x2029):
        return " "
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def cut(text: str, limit: int, mark: str = "…") -> str:
    """Return ``text`` with at most ``limit`` characters, the end replaced by a mark and a count."""
    if len(text) <= limit:
        return text
    tail = f"{mark} ({len(text):,} characters)"
    return text[: max(1, limit - len(tail))] + tail


def without_log_commands(line: str) -> str:
    """Return a log line that no CI system takes for a command."""
    if "##" in line:
        line = LOG_COMMAND.sub("# #", line)
    if line.lstrip().startswith("::"):
        line = line.replace("::", ": :", 1)
    return line


def show_value(value: Any, limit: int = 160) -> str:
    """Return one line for a model value or a JSON value, cut to ``limit`` characters."""
    if value is ABSENT or value is None:
        return "nothing"
    if isinstance(value, Unresolved):
        return visible(cut(f"not known: {value.describe()}", limit))
    if isinstance(value, str):
        return cut(visible(value[: limit * 4]), limit) if value else '""'
    if isinstance(value, dict) and set(value) in ({"unresolved"}, {"unresolved", "detail"}):
        return _show_stored(value, limit)
    if isinstance(value, OpenList):
        return cut(visible(f"{_compact(list(value))} and perhaps more"), limit)
    return cut(visible(_compact(value)), limit)


def _show_stored(value: dict[str, Any], limit: int) -> str:
    try:
        stored = Unresolved(str(value["unresolved"]), str(value.get("detail", "")))
    except ValueError:
        return cut(visible(_compact(value)), limit)
    return show_value(stored, limit)


def _compact(value: Any) -> str:
    try:
        return json.dumps(plain(value), ensure_ascii=False, default=str, separators=(", ", ": "))
    except (TypeError, ValueError, RecursionError):
        return str(type(value).__name__)


def observed(evidence: Evidence, limit: int = 160) -> str:
    """Return the observed value with its provenance, e.g. ``1 (AWS default)``."""
    shown = show_value(evidence.observed, limit)
    return f"{shown} ({visible(cut(evidence.provenance, 120))})" if evidence.provenance else shown


def display_width(text: str) -> int:
    """Return the number of terminal columns that ``text`` takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(ch) else 2 if east_asian_width(ch) in "WF" else 1 for ch in text)


def wrap(text: str, width: int) -> list[str]:
    """Return lines of at most ``width`` columns; a word longer than a line is broken."""
    width = max(width, 10)
    lines: list[str] = []
    line, used = "", 0
    for word in text.split():
        size = display_width(word)
        if line and used + 1 + size > width:
            lines.append(line)
            line, used = "", 0
        while size > width:
            head = _fit(word, width)
            lines.append(head)
            word = word[len(head) :]
            size = display_width(word)
        line, used = (f"{line} {word}", used + 1 + size) if line else (word, size)
    return [*lines, line] if line else lines


def _fit(word: str, width: int) -> str:
    used = 0
    for index, ch in enumerate(word):
        used += display_width(ch)
        if used > width:
            head = word[: max(index, 1)]
            nice = max(head.rfind(mark) for mark in "./:,_-") + 1
            return head[:nice] if nice > len(head) // 2 else head
    return word


def plural(count: int, noun: str, many: str | None = None) -> str:
    """Return e.g. ``1 finding``, ``2,000 findings``."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"
