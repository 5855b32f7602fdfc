"""What a scan met of waivers and of the baseline: exact counts, whatever findings were built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from policyengine.config.waivers import Ended
from policyengine.model.suppression import Reference

HELD: Final = "active"
EXPIRED: Final = "expired"
LAPSED: Final = "lapsed"
NOT_YET: Final = "not_yet"
OPEN: Final = "open"
STATE_OF: Final[Mapping[Ended, Literal["expired", "lapsed", "not_yet"]]] = {
    "expired": EXPIRED,
    "refused": LAPSED,
    "not_yet": NOT_YET,
}
"""What a waiver that accepts nothing on a day is for a failure that it is about."""
CHANGED: Final = "changed"


def day_of(now: datetime) -> str:
    """Return the day (UTC) that waivers are held against at a time."""
    return now.astimezone(UTC).date().isoformat()


@dataclass
class Accepted:
    """``rules``: rule -> FAILs that carry a waiver or stand in the baseline. ``debt``: how many of these are the baseline's.
    ``waivers``: (id, state) -> FAILs a waiver was about. ``why``: id -> why the first of them was not accepted. ``entries``:
    finding id of the baseline -> what became of it: ``open``, ``changed``, or the verdict it has now. ``places``: where code
    refers to a waiver that holds -> FAILs that the waiver accepts there."""

    rules: Counter[str] = field(default_factory=Counter)
    debt: int = 0
    waivers: Counter[tuple[str, str]] = field(default_factory=Counter)
    why: dict[str, str] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)
    places: dict[Reference, int] = field(default_factory=dict)

    def merge(self, other: Accepted) -> None:
        """Add those of another part of the same scan."""
        self.rules.update(other.rules)
        self.debt += other.debt
        self.waivers.update(other.waivers)
        for id_, why in other.why.items():
            self.why.setdefault(id_, why)
        self.entries.update(other.entries)
        for place, number in other.places.items():
            self.places[place] = self.places.get(place, 0) + number
