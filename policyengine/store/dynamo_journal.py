"""The journal in a DynamoDB table: an item for each entry, and the head, which every transaction moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from policyengine.store.actions import Entry, Json, Note, StoreError
from policyengine.store.chain import START, Head
from policyengine.store.dynamo_table import (
    NEW,
    Cancelled,
    Item,
    Table,
    attempts,
    check_size,
    key,
    number,
    number_in,
    text,
)
from policyengine.store.records import FORMAT, linked, text_of, value_of

_PART: Final = 1_000_000
"""Entries in one partition."""
_TEXTS: Final = ("at", "action", "kind", "prev", "hash")


class Journal:
    """The journal of a table. Every method raises StoreError."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def head(self) -> Head:
        """Return number and hash of the last entry. Raises StoreError where the table is in another format."""
        found = self._table.get("journal", "head")
        if found is None:
            return START
        version = number_in(found, "format")
        if version != FORMAT:
            raise StoreError(
                f"{self._table} has version {version}; expected {FORMAT}: use the policyengine that wrote it"
            )
        return int(number_in(found, "seq")), found["hash"]["S"]

    def note(self, note: Note) -> Entry:
        """Append one entry."""
        why: object = None
        for _ in attempts():
            head = self.head()
            try:
                self._table.transact(self.appends(head, (note,)))
            except Cancelled as problem:
                why = problem
                continue
            return linked(head, (note,))[0]
        raise self._table.busy(why)

    def appends(self, head: Head, notes: Iterable[Note]) -> list[Json]:
        """Return the parts of a transaction that write notes behind ``head`` and nowhere else."""
        entries = linked(head, notes)
        if not entries:
            return []
        last = key("journal", "head") | {"seq": number(entries[-1].seq), "hash": text(entries[-1].hash)}
        last["format"] = number(FORMAT)
        was = {"seq": number(head[0]), "hash": text(head[1])}
        moved = (
            self._table.put(last, NEW)
            if head == START
            else self._table.put(last, "#seq = :seq AND #hash = :hash", was)
        )
        return [moved, *(self._table.put(_item(entry), NEW) for entry in entries)]

    def read(self, after: int) -> Iterator[Entry]:
        """Yield the entries with a greater number, in order."""
        for part in range((after + 1) // _PART, self.head()[0] // _PART + 1):
            values = {"pk": text(f"journal#{part:06}"), "sk": text(f"{after:012}")}
            for item in self._table.query("#pk = :pk AND #sk > :sk", values):
                yield self._entry(item)

    def _entry(self, item: Item) -> Entry:
        seq = int(item["sk"]["S"])
        body = value_of(item["body"]["S"], f"entry {seq} of the journal in {self._table}")
        at, action, kind, prev, hash = (item[name]["S"] for name in _TEXTS)
        return Entry(seq, at, action, kind, body, prev, hash)


def _item(entry: Entry) -> Item:
    item = key(f"journal#{entry.seq // _PART:06}", f"{entry.seq:012}")
    item["body"] = text(text_of(entry.body, "a note of the journal"))
    for name in _TEXTS:
        item[name] = text(getattr(entry, name))
    check_size(item, "a note of the journal")
    return item
