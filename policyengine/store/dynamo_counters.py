"""Counters in a DynamoDB table: all are added to in one transaction, each under the condition that it has room."""

from __future__ import annotations

from typing import Final

from policyengine.store.actions import Count, Json, UnfitError
from policyengine.store.dynamo_table import (
    MOST_ITEMS,
    NEW,
    TTL_ATTRIBUTE,
    Cancelled,
    Item,
    Table,
    attempts,
    in_key,
    key,
    number,
    number_in,
)
from policyengine.store.records import SLACK, first_over

_SET: Final = f"SET #amount = :amount, #until = :until, #{TTL_ATTRIBUTE} = :ttl"
_ADD: Final = "ADD #amount :amount"
_PROLONG: Final = f"{_ADD} SET #until = :until, #{TTL_ATTRIBUTE} = :ttl"


def count_all(table: Table, counts: list[Count], *, now: float, seconds: float) -> Count | None:
    """Do what :meth:`ActionStore.count` says. Two that add to the same counters at a time both may, while there is room.

    Raises StoreError.
    """
    places = {count.name: (f"count#{in_key(count.name)}", "count") for count in counts}
    if len(places) > MOST_ITEMS:
        raise UnfitError(
            f"{len(places)} counters cannot be added to at once, at most {MOST_ITEMS} can; nothing was written"
        )
    if not places:
        return None
    why: object = None
    for _ in attempts():
        found = table.get_all(places.values())
        items = {name: found.get(place) for name, place in places.items()}
        live = {name: item for name, item in items.items() if item and number_in(item, "until") > now}
        full = first_over(counts, {name: int(number_in(item, "amount")) for name, item in live.items()})
        if full is not None:
            return full
        until = now + seconds
        parts = []
        for name, place in places.items():
            same = [count for count in counts if count.name == name]
            if name in live:
                parts.append(_add(table, key(*place), live[name], same, now, until))
            else:
                parts.append(_begin(table, key(*place), items[name], same, until))
        try:
            table.transact(parts)
        except Cancelled as problem:
            why = problem
            continue
        return None
    raise table.busy(why)


def _begin(table: Table, place: Item, forgotten: Item | None, counts: list[Count], until: float) -> Json:
    values = {"amount": number(sum(count.amount for count in counts)), **_kept(until)}
    if forgotten is None:
        return table.change(place, _SET, NEW, values)
    was = {"was": forgotten["amount"], "till": forgotten["until"]}
    return table.change(place, _SET, "#amount = :was AND #until = :till", {**values, **was})


def _add(table: Table, place: Item, item: Item, counts: list[Count], now: float, until: float) -> Json:
    """The condition asks for room and not for what was read, and time is never taken from a counter."""
    room, total = [], 0
    for count in counts:
        total += count.amount
        room.append(count.most - total)
    values = {"amount": number(total), "room": number(min(room)), "now": number(now)}
    condition = "#until > :now AND #amount <= :room"
    if number_in(item, "until") >= until:
        return table.change(place, _ADD, condition, values)
    return table.change(place, _PROLONG, f"{condition} AND #until <= :until", {**values, **_kept(until)})


def _kept(until: float) -> Item:
    return {"until": number(until), "ttl": number(int(until + SLACK))}
