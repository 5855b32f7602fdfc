"""Remediations in a DynamoDB table: what one method writes is one transaction, or one item (``store/dynamo_table.py``).

Every transaction moves the journal's head from what was read, so that of two at a time one is cancelled; it reads again,
and either finds what speaks against it or goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from policyengine.aws.account import Account
from policyengine.store.actions import (
    ENDED,
    Action,
    ConflictError,
    Count,
    Entry,
    Json,
    Lease,
    NoSuchActionError,
    Note,
    StoreError,
)
from policyengine.store.chain import Head
from policyengine.store.dynamo_counters import count_all
from policyengine.store.dynamo_journal import Journal
from policyengine.store.dynamo_table import (
    MOST_BYTES,
    MOST_ITEMS,
    NEW,
    Cancelled,
    Item,
    Table,
    attempts,
    check_size,
    in_key,
    key,
    number,
    number_in,
    text,
)
from policyengine.store.records import (
    Wanted,
    action_of,
    changed_since,
    check_action,
    check_lease,
    holds_key,
    instant,
    not_newest,
    text_of,
    value_of,
)

_ROOM_FOR_THE_END: Final = 200_000
"""Bytes kept free in an action as long as nothing was done: what was done must never be what there is no room for."""


class DynamoActions:
    """The ActionStore of a table; safe to use from many threads and processes. An action has at most 400 KB, and 200 KB
    until its first step was begun: more is UnfitError before anything is written."""

    def __init__(self, account: Account, table: str, region: str) -> None:
        self._table = Table(account, table, region)
        self._journal = Journal(self._table)
        self._checked = False

    # -- actions ------------------------------------------------------------------------------------------

    def claim(self, action: Action, note: Note, *, until: float, now: float) -> Action:
        """See :meth:`ActionStore.claim`."""
        check_action(action)
        new = replace(action, version=1)
        item, pointer, taken = _item(new), _pointer(new.id), key(f"key#{in_key(new.key)}", "key")
        taken |= {"action": text(new.id), "resource": text(new.resource), "until": number(until)}
        table = self._table
        why: object = None
        for _ in attempts():
            head = self.head()
            held = table.get(taken["pk"]["S"], "key")
            holder = None
            if held is not None:
                holder = self._there(held["resource"]["S"], held["action"]["S"])
                if holds_key(holder, number_in(held, "until"), now):
                    return holder
            if table.get(pointer["pk"]["S"], "action"):
                raise ConflictError(f"there is an action {new.id} already, with another key")
            parts = [
                table.put({**pointer, "resource": text(new.resource)}, NEW),
                table.put(item, NEW),
                self._take(taken, held),
                *self._moves(new),
                *self._journal.appends(head, (note,)),
            ]
            if holder is not None:  # a freed key is taken only while its action stays as it is
                parts.append(
                    table.check(_key_of(holder), "#version = :version", {"version": number(holder.version)})
                )
            try:
                table.transact(parts)
            except Cancelled as problem:
                why = problem
                continue
            return new
        raise table.busy(why)

    def _take(self, taken: Item, held: Item | None) -> Json:
        if held is None:
            return self._table.put(taken, NEW)
        was = {"was": held["action"], "till": held["until"]}
        return self._table.put(taken, "#action = :was AND #until = :till", was)

    def get(self, action: str) -> Action:
        """See :meth:`ActionStore.get`."""
        pointer = self._ready().get(_pointer(action)["pk"]["S"], "action")
        if pointer is None:
            raise NoSuchActionError(f"there is no action `{action}` in {self._table}")
        return self._there(pointer["resource"]["S"], action)

    def save(
        self, action: Action, notes: Iterable[Note], lease: Lease | None = None, *, until: float | None = None
    ) -> Action:
        """See :meth:`ActionStore.save`."""
        check_lease(lease, action)
        new, notes = replace(action, version=action.version + 1), tuple(notes)
        was = {"was": number(action.version), "key": text(action.key), "rule": text(action.rule)}
        written = self._table.put(_item(new), "#version = :was AND #key = :key AND #rule = :rule", was)
        why: object = None
        for _ in attempts():
            head = self.head()
            parts = [written, *self._moves(new), *self._journal.appends(head, notes)]
            if lease is not None:
                held = {"fence": number(lease.fence), "owner": text(lease.owner)}
                parts.append(self._table.check(_lease_key(lease.resource), _HELD, held))
            if until is not None:
                parts += self._prolonged(new, until)
            try:
                self._table.transact(parts)
            except Cancelled as problem:
                self._refuse(action, lease)
                why = problem
                continue
            return new
        raise self._table.busy(why)

    def _prolonged(self, action: Action, until: float) -> list[Json]:
        place = f"key#{in_key(action.key)}"
        held = self._table.get(place, "key")
        if held is None or held["action"]["S"] != action.id:
            return []
        values = {"until": number(until), "action": text(action.id)}
        return [self._table.change(key(place, "key"), "SET #until = :until", "#action = :action", values)]

    def _refuse(self, action: Action, lease: Lease | None) -> None:
        """Raise what speaks against a write that was cancelled, if anything does."""
        found = self._table.get(*_place(action.resource, action.id))
        stored = None if found is None else self._action(found)
        if stored is None or (stored.key, stored.rule) != (action.key, action.rule):
            raise NoSuchActionError(
                f"there is no action `{action.id}` for `{action.resource}` in {self._table}"
            )
        if stored.version != action.version:
            raise ConflictError(changed_since(action, stored.version))
        if lease is not None:
            held = self._table.get(f"resource#{in_key(lease.resource)}", "lease") or {}
            if (held.get("fence"), held.get("owner")) != (number(lease.fence), text(lease.owner)):
                raise ConflictError(not_newest(lease))

    def find(
        self, *, states: Iterable[str] = (), resource: str = "", rule: str = "", since: str = ""
    ) -> Iterator[Action]:
        """See :meth:`ActionStore.find`. With ``resource`` its actions are read, with states that have not ended those
        that have not, otherwise everything that was written since, from the last on."""
        wanted = Wanted.of(states, resource, rule, since)
        if resource:
            yield from self._sorted(self._of_resource(wanted))
        elif wanted.states and not wanted.states & ENDED:
            yield from self._sorted(self._open(wanted))
        else:
            yield from self._in_time(wanted)

    def _sorted(self, found: Iterable[Action]) -> list[Action]:
        return sorted(found, key=lambda a: (instant(a.updated_at, "the action"), a.id), reverse=True)

    def _of_resource(self, wanted: Wanted) -> Iterator[Action]:
        values = {"pk": text(f"resource#{in_key(wanted.resource)}"), "sk": text("action#")}
        values["since"] = text(wanted.since or "0")
        found = self._ready().query(
            "#pk = :pk AND begins_with(#sk, :sk)", values, FilterExpression="#updated >= :since"
        )
        return (action for item in found if wanted.admits(action := self._action(item)))

    def _open(self, wanted: Wanted) -> Iterator[Action]:
        pointers = self._ready().query("#pk = :pk", {"pk": text("open")})
        for page in _batches(pointers):
            places = [_place(each["resource"]["S"], each["sk"]["S"]) for each in page]
            found = self._table.get_all(places)
            actions = (self._action(found[place]) for place in places if place in found)
            yield from (action for action in actions if wanted.admits(action))

    def _in_time(self, wanted: Wanted) -> Iterator[Action]:
        """Of the writes of an action only the last leads to it: the others are of another version."""
        values = {"pk": text("moved"), "sk": text(wanted.since or "0")}
        more: Json = {"ScanIndexForward": False}
        if wanted.states:
            marks = {f"s{n}": text(state) for n, state in enumerate(sorted(wanted.states))}
            values |= marks
            more["FilterExpression"] = f"#state IN ({', '.join(f':{name}' for name in marks)})"
        for page in _batches(self._ready().query("#pk = :pk AND #sk >= :sk", values, **more)):
            places = [_place(each["resource"]["S"], each["sk"]["S"].split("#")[1]) for each in page]
            found = self._table.get_all(places)
            for pointer, place in zip(page, places, strict=True):
                if place in found and found[place]["version"] == pointer["version"]:
                    action = self._action(found[place])
                    if wanted.admits(action):
                        yield action

    # -- leases, counters, flags --------------------------------------------------------------------------

    def lease(self, resource: str, owner: str, *, seconds: float, now: float) -> Lease | None:
        """See :meth:`ActionStore.lease`."""
        until = now + seconds
        values = {"owner": text(owner), "until": number(until), "now": number(now), "one": number(1)}
        found = self._ready().update(
            _lease_key(resource), values, "SET #owner = :owner, #until = :until ADD #fence :one",
            "attribute_not_exists(#owner) OR #owner = :owner OR #until <= :now",
        )  # fmt: skip
        return None if found is None else Lease(resource, owner, int(number_in(found, "fence")), until)

    def renew(self, lease: Lease, *, seconds: float, now: float) -> Lease:
        """See :meth:`ActionStore.renew`."""
        until = now + seconds
        values = {"fence": number(lease.fence), "owner": text(lease.owner), "until": number(until)}
        values["now"] = number(now)
        condition = f"{_HELD} AND #until > :now"
        if self._table.update(_lease_key(lease.resource), values, "SET #until = :until", condition) is None:
            raise ConflictError(not_newest(lease))
        return lease._replace(until=until)

    def release(self, lease: Lease) -> None:
        """See :meth:`ActionStore.release`. The item stays, so that fences only grow."""
        values = {"fence": number(lease.fence), "owner": text(lease.owner), "zero": number(0)}
        self._table.update(_lease_key(lease.resource), values, "SET #until = :zero REMOVE #owner", _HELD)

    def count(self, counts: Iterable[Count], *, now: float, seconds: float) -> Count | None:
        """See :meth:`ActionStore.count`. At most 100 counters at a time."""
        return count_all(self._ready(), list(counts), now=now, seconds=seconds)

    def read_flag(self, name: str) -> Json | None:
        """See :meth:`ActionStore.read_flag`."""
        found = self._ready().get(f"flag#{in_key(name)}", "flag")
        if found is None:
            return None
        value: Json = value_of(found["doc"]["S"], f"the flag `{name}` in {self._table}")
        return value

    def write_flag(self, name: str, value: Json, *, was: Json | None) -> bool:
        """See :meth:`ActionStore.write_flag`. A transaction of one: a repeated request must not find its own write."""
        item = {**key(f"flag#{in_key(name)}", "flag"), "doc": text(text_of(value, f"the flag `{name}`"))}
        check_size(item, f"the flag `{name}`")
        before = None if was is None else text(text_of(was, f"the flag `{name}`"))
        part = (
            self._ready().put(item, NEW)
            if before is None
            else self._ready().put(item, "#doc = :was", {"was": before})
        )
        why: object = None
        for _ in attempts():
            try:
                self._table.transact([part])
            except Cancelled as problem:
                found = self._table.get(item["pk"]["S"], "flag")
                if (found and found["doc"]) != before:
                    return False
                why = problem
                continue
            return True
        raise self._table.busy(why)

    # -- the journal --------------------------------------------------------------------------------------

    def note(self, note: Note) -> Entry:
        """See :meth:`ActionStore.note`."""
        return self._journal.note(note)

    def journal(self, after: int = 0) -> Iterator[Entry]:
        """See :meth:`ActionStore.journal`."""
        return self._journal.read(after)

    def head(self) -> Head:
        """See :meth:`ActionStore.head`."""
        head = self._journal.head()
        self._checked = True
        return head

    # -- items --------------------------------------------------------------------------------------------

    def _ready(self) -> Table:
        """The table, of which it was seen once that it is in a format we know."""
        if not self._checked:
            self.head()
        return self._table

    def _moves(self, action: Action) -> list[Json]:
        """The parts of a transaction by which :meth:`find` finds an action."""
        resource = text(action.resource)
        place = key("open", action.id)
        updated = instant(action.updated_at, f"the action {action.id}")
        moved = key("moved", f"{updated}#{action.id}#{action.version:09}")
        moved |= {"resource": resource, "state": text(action.state), "version": number(action.version)}
        ended = action.state in ENDED
        return [
            self._table.delete(place) if ended else self._table.put({**place, "resource": resource}),
            self._table.put(moved),
        ]

    def _there(self, resource: str, id: str) -> Action:
        found = self._table.get(*_place(resource, id))
        if found is None:
            raise StoreError(f"{self._table} is damaged: the action {id} is named in it and not there")
        return self._action(found)

    def _action(self, item: Item) -> Action:
        return action_of(item["doc"]["S"], f"the action {item['sk']['S'][7:]} in {self._table}")


_HELD: Final = "#fence = :fence AND #owner = :owner"


def _place(resource: str, id: str) -> tuple[str, str]:
    return f"resource#{in_key(resource)}", f"action#{id}"


def _key_of(action: Action) -> Item:
    return key(*_place(action.resource, action.id))


def _pointer(id: str) -> Item:
    return key(f"action#{in_key(id)}", "action")


def _lease_key(resource: str) -> Item:
    return key(f"resource#{in_key(resource)}", "lease")


def _item(action: Action) -> Item:
    what = f"the action {action.id}"
    item = _key_of(action) | {
        "doc": text(text_of(action.to_json(), what)),
        "version": number(action.version),
        "state": text(action.state),
        "rule": text(action.rule),
        "key": text(action.key),
        "updated": text(instant(action.updated_at, what)),
    }
    check_size(item, what, MOST_BYTES if action.done else MOST_BYTES - _ROOM_FOR_THE_END)
    return item


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == MOST_ITEMS:
            yield batch
            batch = []
    if batch:
        yield batch
