"""Texts that stand for what nobody knows: the account of code, its region, a name; and how sentences say so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

ACCOUNT: Final = "098765432109"
"""Stands for the account of code that is bound to none."""
REGION: Final = "eu-north-9"
"""Stands for the region of such code; AWS has none of this name."""
NAME_PREFIX: Final = "zz-"
"""What names begin with that stand for any that nothing names."""
ANYBODY: Final = "example"
"""The name of principals that stand for any of an account."""
_NAME: Final = re.compile(r"(?<![A-Za-z0-9_.-])zz-[A-Za-z0-9-]+")
_MOST: Final = 3


def made_up(texts: Iterable[str]) -> str:
    """Return `` (098765432109 stands for the account, zz-logs for a name)``; nothing where all is real."""
    found = list(texts)
    said = [
        f"{text} stands for the {what}"
        for text, what in ((ACCOUNT, "account"), (REGION, "region"))
        if any(text in one for one in found)
    ]
    names = list(dict.fromkeys(name for one in found for name in _NAME.findall(one)))[:_MOST]
    if names:
        verb = "stands" if len(names) == 1 else "stand"
        said.append(f"{' and '.join(names)} {verb} for {'a name' if len(names) == 1 else 'names'}")
    return f" ({', '.join(said)})" if said else ""
