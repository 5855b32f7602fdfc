"""JSON that any parser accepts, whatever the findings hold.

Output is ASCII: bytes do not depend on the terminal's encoding, and control characters, ANSI
escapes and right-to-left marks stay spelt out when somebody prints the file, and ``##vso[…]`` is
escaped, because log processors obey it wherever it stands in a line. Lone surrogates, which strict
parsers refuse, become U+FFFD; ``NaN`` and infinities, which are not JSON, become strings.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from policyengine.reports.text import LOG_COMMAND

_BIGGEST = 1 << 256  # longer integers are refused by some parsers, and by Python's own str()

_TIGHT = (",", ":")


def compact(value: Any) -> str:
    """Return one line of JSON, keys in the order given."""
    text = _dumped(value)
    # outside strings JSON has no `#`, and inside none follows a backslash
    return LOG_COMMAND.sub(r"#\\u0023", text) if "##" in text else text


def _dumped(value: Any) -> str:
    try:
        text = json.dumps(value, allow_nan=False, separators=_TIGHT)
        if "\\ud" not in text:
            return text
    except (TypeError, ValueError, RecursionError):
        pass
    return json.dumps(cleaned(value), allow_nan=False, separators=_TIGHT)


def cleaned(value: Any, depth: int = 0) -> Any:
    """Return ``value`` as plain JSON data without lone surrogates, NaN or foreign types."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return cleaned_text(value)
    if isinstance(value, int):
        return int(value) if abs(value) < _BIGGEST else hex(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth > 200:
        return "nested too deeply to show"
    if isinstance(value, Mapping):
        return {cleaned_text(str(k)): cleaned(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(v, depth + 1) for v in value]
    if isinstance(value, set | frozenset):
        return sorted((cleaned(v, depth + 1) for v in value), key=repr)
    return cleaned_text(str(value))


def cleaned_text(text: str) -> str:
    """Return ``text`` with each lone surrogate replaced by U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
