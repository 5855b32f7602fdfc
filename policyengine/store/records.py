"""What both stores share: records as texts, times that compare, conditions of a search, limits of counters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypeVar

from policyengine.store.actions import (
    ENDED,
    EXPIRED,
    REFUSED,
    Action,
    ConflictError,
    Count,
    Entry,
    Lease,
    Note,
    StoreError,
    UnfitError,
)
from policyengine.store.chain import Head, link

T = TypeVar("T")
FORMAT: Final = 1
"""Version of the layout, the same for both stores. Another one is refused."""
SLACK: Final = 86_400.0
"""Seconds that forgotten counters stay in the store: the clocks of those who use it differ."""
_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")


def text_of(value: Any, what: str) -> str:
    """Return a value as JSON in ASCII (a lone surrogate stays one). Raises UnfitError for what is no JSON."""
    return fit(
        lambda: json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False),
        what,
    )


def fit(make: Callable[[], T], what: str) -> T:
    """Return what a function makes of a value that may be no JSON. Raises UnfitError."""
    try:
        return make()
    except (TypeError, ValueError, RecursionError) as problem:
        raise UnfitError(f"{what} cannot be kept, and nothing was written: {problem}") from None


def value_of(text: str, where: str) -> Any:
    """Return the value of a stored text. Raises StoreError where it is damaged."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise StoreError(f"{where} is damaged: it is no JSON") from None


def action_of(text: str, where: str) -> Action:
    """Return the action of a stored text. Raises StoreError where it is damaged."""
    form = value_of(text, where)
    try:
        return Action.from_json(form)
    except (TypeError, KeyError, AttributeError):
        raise StoreError(f"{where} is damaged, or of a newer version: it is no action") from None


def check_action(action: Action) -> None:
    """Raise UnfitError for an id that would not sort alike in both stores."""
    if not _ID.fullmatch(action.id):
        raise UnfitError(
            f"`{action.id}` is no id of an action: expected 1 to 128 letters, digits, `.`, `_` or `-`"
        )


def linked(head: Head, notes: Iterable[Note]) -> list[Entry]:
    """Return the entries of notes. Raises UnfitError for a body that is no JSON."""
    return fit(lambda: link(head, notes), "a note of the journal")


def instant(text: str, what: str) -> str:
    """Return an ISO 8601 time as a text that sorts as times do, in UTC with microseconds. Raises UnfitError."""
    return fit(lambda: _in_utc(text), what)


def _in_utc(text: str) -> str:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"`{text}` has no time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def holds_key(holder: Action, until: float, now: float) -> bool:
    """Whether a key is taken by the action that took it, until ``until``."""
    if holder.state in (REFUSED, EXPIRED):
        return False
    return holder.state not in ENDED or now < until


def first_over(counts: Iterable[Count], kept: Mapping[str, int]) -> Count | None:
    """Return the first counter that would pass its limit, one name's amounts summed up; ``kept`` is what they are."""
    sums = dict(kept)
    for count in counts:
        sums[count.name] = sums.get(count.name, 0) + count.amount
        if sums[count.name] > count.most:
            return count
    return None


def not_newest(lease: Lease) -> str:
    """Words for a lease that cannot be used any more."""
    return (
        f"the lease {lease.fence} of `{lease.resource}` is not held any more: another was taken since, it has run out, "
        "or it was given back"
    )


def check_lease(lease: Lease | None, action: Action) -> None:
    """Raise ConflictError for the lease of another resource: its token says nothing about this one."""
    if lease is not None and lease.resource != action.resource:
        raise ConflictError(
            f"the lease is of `{lease.resource}`, and the action {action.id} of `{action.resource}`"
        )


def changed_since(action: Action, version: int) -> str:
    """Words for a version that is not the one that was read."""
    return f"the action {action.id} was changed by somebody else: it is at version {version}, not {action.version}"


class Wanted(NamedTuple):
    """Conditions of a search; ``since`` is an :func:`instant`. Empty ones are none."""

    states: frozenset[str]
    resource: str
    rule: str
    since: str

    @classmethod
    def of(cls, states: Iterable[str], resource: str, rule: str, since: str) -> Wanted:
        """Return the conditions. Raises UnfitError where ``since`` is no time."""
        return cls(frozenset(states), resource, rule, instant(since, "`since`") if since else "")

    def admits(self, action: Action) -> bool:
        """Whether an action is one of those looked for."""
        return (
            (not self.states or action.state in self.states)
            and self.resource in ("", action.resource)
            and self.rule in ("", action.rule)
            and instant(action.updated_at, f"the action {action.id}") >= self.since
        )
