"""Which accounts texts name: the ids in ARNs and patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_DIGITS: Final = re.compile(r"[0-9]+")


def account_of(arn: str) -> str:
    """Return the account an ARN (or a pattern of ARNs) names, as written; "" where it has none."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) > 5 else ""


def names_accounts(texts: Iterable[str]) -> frozenset[str]:
    """Return the account ids that texts name; ``*`` among them where a pattern names a part of one."""
    found: set[str] = set()
    for text in texts:
        for match in _DIGITS.finditer(text):
            before = text[match.start() - 1] if match.start() else ":"
            after = text[match.end()] if match.end() < len(text) else ":"
            if before not in ":*?" or after not in ":*?":
                continue
            whole = before == after == ":"
            if not whole:
                found.add("*")
            elif len(match.group()) == 12:
                found.add(match.group())
    return frozenset(found)
