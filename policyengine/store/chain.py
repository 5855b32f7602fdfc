"""The journal's hash chain: each entry's hash is over the hash before it and over everything it says.

Whoever has an entry's number and hash (a bundle of evidence, a ticket) can tell later whether anything up to it was
changed, taken out or put in. Who can write to the store can write a whole new chain: only a hash kept elsewhere tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from policyengine.model.canonical_json import digest
from policyengine.store.actions import Entry, Note

Head = tuple[int, str]
"""Number and hash of a last entry."""
START: Final[Head] = (0, f"sha256:{'0' * 64}")
"""What stands before the first entry, which has number 1."""


class Problem(NamedTuple):
    """The first thing that is wrong with a journal. ``kind`` is ``gap`` (entries are missing), ``order`` (entries
    changed places, or one is there twice), ``changed`` (an entry does not say what was written), ``link`` (it does not
    belong to the one before it) or ``end`` (the journal ends before its head)."""

    seq: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"entry {self.seq}: {self.text}"


def hash_of(entry: Entry) -> str:
    """Return ``sha256:…`` over the canonical JSON of all members but ``hash``. Raises TypeError, ValueError for a body
    that is no JSON."""
    return digest({name: value for name, value in entry._asdict().items() if name != "hash"})


def link(head: Head, notes: Iterable[Note]) -> list[Entry]:
    """Return the entries of notes that follow ``head``. Raises TypeError, ValueError as :func:`hash_of`."""
    entries: list[Entry] = []
    for note in notes:
        seq, prev = head
        entry = Entry(seq + 1, note.at, note.action, note.kind, note.body, prev, "")
        entry = entry._replace(hash=hash_of(entry))
        entries.append(entry)
        head = (entry.seq, entry.hash)
    return entries


def verify(entries: Iterable[Entry], *, after: Head = START, head: Head | None = None) -> Problem | None:
    """Return the first problem of entries that follow ``after``; ``head`` is where they have to end, where known.

    ``head`` has to be read before the entries: a journal may grow meanwhile.
    """
    waiting = iter(entries)
    last = after
    for entry in waiting:
        problem = _problem(entry, last, waiting)
        if problem is not None:
            return problem
        if head is not None and entry.seq == head[0] and entry.hash != head[1]:
            return Problem(entry.seq, "changed", "its hash is not the one kept as the journal's last")
        last = (entry.seq, entry.hash)
    if head is not None and last[0] < head[0]:
        missing = _span(last[0] + 1, head[0])
        return Problem(last[0] + 1, "end", f"the journal ends before it; {missing} kept as its last")
    return None


def _problem(entry: Entry, last: Head, later: Iterator[Entry]) -> Problem | None:
    seq, prev = last
    if entry.seq <= seq:
        return Problem(entry.seq, "order", f"it stands after entry {seq}")
    if entry.seq > seq + 1:
        if any(other.seq == seq + 1 for other in later):
            return Problem(seq + 1, "order", f"it stands after entry {entry.seq}")
        return Problem(seq + 1, "gap", f"{_span(seq + 1, entry.seq - 1)} missing")
    if _own_hash(entry) != entry.hash:
        return Problem(entry.seq, "changed", "it does not say what was written: its hash is another")
    if entry.prev != prev:
        return Problem(
            entry.seq, "link", f"it follows another entry {seq} than the one that is there; one was replaced"
        )
    return None


def _own_hash(entry: Entry) -> str:
    """ "" where a changed entry is nothing that has a hash."""
    try:
        return hash_of(entry)
    except (TypeError, ValueError, RecursionError):
        return ""


def _span(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"
