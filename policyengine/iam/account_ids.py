"""Which accounts texts name: the ids in ARNs and patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

_DIGITS: Final = re.compile(r"[0-9]+")


def account_of(arn: str) -> str:
    """Return the account an ARN (or a pattern of ARNs) names, as written; "" where it has none."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) > 5 else ""


def is_account(text: str) -> bool:
    """Say whether a text is the id of an account."""
    return len(text) == 12 and text.isascii() and text.isdigit()


def whose(resource: str, context: Mapping[str, Any]) -> bool:
    """Say whether the owner that a context tells of a resource is the account its ARN names, if it names one.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceaccount
    """
    told = next((v for k, v in context.items() if k.lower() == "aws:resourceaccount"), None)
    own = account_of(resource)
    return told is None or not is_account(own) or told in (own, (own,))


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
