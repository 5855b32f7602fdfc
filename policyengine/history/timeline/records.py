"""What a sweep over time is given, and what it keeps of each resource. Times are to the second, as AWS Config's are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from policyengine.history.runs import Identity
from policyengine.model.resource import Resource

Kind = Literal["state", "deleted", "not_recorded"]
Why = Literal[
    "first_record", "created", "changed", "related", "clock", "after_gap", "deleted", "gap", "period_end", "period_start"
]  # fmt: skip
"""``first_record``: recording begins there, nothing earlier is known. ``created``: AWS Config discovered a new resource.
``changed``: its own configuration. ``related``: that of another resource. ``clock``: time passed. ``after_gap``: nobody
recorded it before. ``gap``: nobody records it from there on."""
GAPS: Final = {
    "not_recorded": "AWS Config did not record it", "stopped": "the recorder was stopped",
    "deleted_recorder": "the recorder was deleted", "type": "the recorder left out its type",
}  # fmt: skip


class Record(NamedTuple):
    """One configuration item. ``key`` is AWS Config's identity, what the items of a resource have in common; ``resource`` is of
    kind ``state`` only. ``discovered``: the item says that the resource was new to AWS Config."""

    at: datetime
    order: tuple[int, str]
    key: Identity
    kind: Kind
    resource: Resource | None = None
    created: str | None = None
    discovered: bool = False
    daily: bool = False
    events: tuple[str, ...] = ()
    arn: str | None = None


class Stop(NamedTuple):
    """From ``at`` on, AWS Config records nothing of these types in an account and region; all types where it is None.
    ``but``: the types are those that are still recorded."""

    at: datetime
    account: str
    region: str
    why: str
    types: frozenset[str] | None = None
    but: bool = False
    daily: bool = False
    """It goes on being recorded, but once a day."""

    def is_about(self, account: str, region: str, type_: str) -> bool:
        """Whether a resource, by AWS Config's name of its type, is not recorded any more."""
        if (account, region) != (self.account, self.region):
            return False
        return self.types is None or (type_ in self.types) != self.but


class Value(NamedTuple):
    """A value that a rule read, before and after: JSON, None where there was none."""

    path: str
    was: Any
    now: Any


@dataclass(slots=True)
class Cause:
    """Why a verdict began or ended. ``after``: the change lies after this time, where that is known, and at ``at`` or before.
    ``texts`` and ``events`` are what CloudTrail may call it by; ``account`` is where."""

    why: Why
    at: datetime
    after: datetime | None = None
    values: Sequence[Value] = ()
    related: Sequence[Identity] = ()
    created: str | None = None
    account: str = ""
    texts: frozenset[str] = frozenset()
    events: tuple[str, ...] = ()
    act: dict[str, Any] | None = None


@dataclass(slots=True)
class Interval:
    """A time in which a rule had one verdict, from ``begin`` to ``end``, which is not part of it."""

    rule: str
    verdict: str
    begin: datetime
    begins: Cause
    message: str
    reason: str
    end: datetime | None = None
    ends: Cause | None = None


@dataclass(slots=True)
class Stretch:
    """A time in which a resource was recorded, or not: ``word`` is CONTINUOUS or DAILY, or why not."""

    begin: datetime
    word: str
    end: datetime | None = None


@dataclass(slots=True)
class Tracked:
    """One resource on its way through time. ``resource`` is None while it is not there, or nobody records it."""

    key: Identity
    identity: Identity
    type: str
    arn: str | None
    resource: Resource | None = None
    at: datetime | None = None
    """When its newest item was captured."""
    before: datetime | None = None
    """When the one before was."""
    judged: datetime | None = None
    verdicts: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)
    open: dict[str, Interval] = field(default_factory=dict)
    intervals: list[Interval] = field(default_factory=list)
    recorded: list[Stretch] = field(default_factory=list)
    gaps: list[Stretch] = field(default_factory=list)
    rules: set[str] = field(default_factory=set)
    restless: frozenset[str] = frozenset()
    """Rules that may look at others as time passes."""

    @property
    def gap(self) -> Stretch | None:
        """The gap that it is in."""
        return self.gaps[-1] if self.gaps and self.gaps[-1].end is None else None
