"""What is found where a journal was tampered with."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.store.actions import Entry
from policyengine.store.chain import START, hash_of, link, verify
from tests.store.model import note

ENTRIES = link(START, [note(f"a{n}", "call", n=n, text="ü") for n in range(6)])
HEAD = (ENTRIES[-1].seq, ENTRIES[-1].hash)


def rewritten(entry: Entry, **changes: Any) -> Entry:
    """An entry whose own hash is right again."""
    entry = entry._replace(**changes)
    return entry._replace(hash=hash_of(entry))


def without(*seqs: int) -> list[Entry]:
    return [e for e in ENTRIES if e.seq not in seqs]


TAMPERED = [
    ("an entry taken out", without(3), 3, "gap"),
    ("two entries taken out", without(3, 4), 3, "gap"),
    ("the first taken out", without(1), 1, "gap"),
    ("the last taken out", without(6), 6, "end"),
    ("all taken out", [], 1, "end"),
    ("two that changed places", [ENTRIES[0], ENTRIES[2], ENTRIES[1], *ENTRIES[3:]], 2, "order"),
    ("one twice", [*ENTRIES[:3], ENTRIES[2], *ENTRIES[3:]], 3, "order"),
    ("another body", [*ENTRIES[:2], ENTRIES[2]._replace(body={"n": 9}), *ENTRIES[3:]], 3, "changed"),
    ("a body that is no JSON", [*ENTRIES[:2], ENTRIES[2]._replace(body={"n": {1}}), *ENTRIES[3:]], 3, "changed"),
    ("another time", [ENTRIES[0]._replace(at="2026-11-20T09:00:00Z"), *ENTRIES[1:]], 1, "changed"),
    ("another action", [ENTRIES[0]._replace(action="b"), *ENTRIES[1:]], 1, "changed"),
    ("another kind", [ENTRIES[0]._replace(kind="answer"), *ENTRIES[1:]], 1, "changed"),
    ("another hash", [*ENTRIES[:2], ENTRIES[2]._replace(hash=START[1]), *ENTRIES[3:]], 3, "changed"),
    ("rewritten with its hash", [*ENTRIES[:2], rewritten(ENTRIES[2], body={}), *ENTRIES[3:]], 4, "link"),
    ("the last rewritten with its hash", [*ENTRIES[:5], rewritten(ENTRIES[5], body={})], 6, "changed"),
    ("numbers moved up", [rewritten(e, seq=e.seq - 1) for e in ENTRIES[1:]], 1, "link"),
]  # fmt: skip


@pytest.mark.parametrize(("entries", "seq", "kind"), [t[1:] for t in TAMPERED], ids=[t[0] for t in TAMPERED])
def test_tampering_is_named(entries: list[Entry], seq: int, kind: str) -> None:
    problem = verify(entries, head=HEAD)
    assert problem is not None and (problem.seq, problem.kind) == (seq, kind)
    assert str(problem).startswith(f"entry {seq}: ")


def test_a_whole_journal_has_no_problem() -> None:
    assert verify(ENTRIES, head=HEAD) is None
    assert verify([], head=START) is None
    assert verify(ENTRIES[3:], after=(3, ENTRIES[2].hash), head=HEAD) is None
    assert verify(ENTRIES, head=(4, ENTRIES[3].hash)) is None, "it may grow after its head was read"


def test_a_part_that_follows_another_journal_is_found() -> None:
    problem = verify(ENTRIES[3:], after=(3, START[1]))
    assert problem is not None and (problem.seq, problem.kind) == (4, "link")


def test_the_hash_can_be_made_by_anybody() -> None:
    """Pinned: whoever checks a bundle of evidence years later computes exactly this."""
    first = link(START, [note("act-1", "call", b=1, a="ü")])[0]
    text = (
        '{"action":"act-1","at":"2026-11-21T09:00:00+00:00","body":{"a":"ü","b":1},"kind":"call",'
        f'"prev":"sha256:{"0" * 64}","seq":1}}'
    )
    from hashlib import sha256

    assert first.hash == f"sha256:{sha256(text.encode()).hexdigest()}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON, min_size=1, max_size=5), st.data())
def test_any_change_of_one_entry_is_found(bodies: list[Any], data: st.DataObject) -> None:
    entries = link(START, [note(f"a{n}", "note", body=body) for n, body in enumerate(bodies)])
    assert verify(entries, head=(entries[-1].seq, entries[-1].hash)) is None
    at = data.draw(st.integers(0, len(entries) - 1))
    changed = data.draw(st.sampled_from(["body", "kind", "prev", "at", "action"]))
    value: Any = {"other": data.draw(JSON)} if changed == "body" else "other"
    entries[at] = entries[at]._replace(**{changed: value})
    problem = verify(entries)
    assert problem is not None and (problem.seq, problem.kind) == (at + 1, "changed")
