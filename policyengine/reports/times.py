"""Times of a run as formats want them."""

from __future__ import annotations

from datetime import UTC, date, datetime


def moment(text: str) -> str:
    """Return an RFC 3339 time in UTC, with `Z`: not every format takes every offset.

    A date is its first moment. Raises ValueError for anything else.
    """
    if len(text) == len("2026-01-31"):
        return f"{date.fromisoformat(text).isoformat()}T00:00:00Z"
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"`{text}` has no time zone")
    return found.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
