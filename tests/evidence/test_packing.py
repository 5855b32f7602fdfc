"""gzip in one form, read back by every tool, in bounded memory; lines cut from blocks."""

from __future__ import annotations

import gzip
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.evidence import standalone
from policyengine.evidence.packing import PackedError, line_batches, unpacked
from policyengine.evidence.rows import VerdictCounts
from policyengine.store import lines
from tests.evidence.tampering import pack

chunks = st.lists(st.binary(max_size=40), max_size=8)


@given(chunks, st.integers(1, 60))
def test_law_what_is_packed_is_unpacked_however_it_is_cut(pieces: list[bytes], cut: int) -> None:
    content = b"".join(pieces)
    data = pack(content)
    assert gzip.decompress(data) == content
    blocks = [data[at : at + cut] for at in range(0, len(data), cut)]
    assert b"".join(unpacked(blocks, len(content))) == content
    member = {"path": "x", "size": len(data), "unpacked": len(content)}
    assert b"".join(standalone.unpack(io.BytesIO(b"before" + data), 6, member)) == content
    for size in {0, len(content) - 1, len(content) + 1} - {len(content), -1}:
        with pytest.raises(PackedError):
            list(unpacked(blocks, size))
        with pytest.raises(standalone.Wrong):
            list(standalone.unpack(io.BytesIO(data), 0, {**member, "unpacked": size}))


@given(st.binary(max_size=200), st.data())
def test_law_every_bit_counts(content: bytes, data: st.DataObject) -> None:
    packed = bytearray(pack(content))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    changed = bytes(packed)
    try:
        found = b"".join(unpacked([changed], len(content)))
    except PackedError:
        return
    # deflate itself has more than one text for the same content; the manifest's SHA-256 tells those apart
    assert found == content


@given(
    st.lists(st.binary(max_size=6).filter(lambda line: b"\n" not in line)), st.integers(1, 9), st.booleans()
)
def test_law_lines_are_cut_as_they_were_joined(lines: list[bytes], cut: int, ended: bool) -> None:
    text = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    expected = text.split(b"\n")
    if not expected[-1]:
        expected.pop()
    blocks = [text[at : at + cut] for at in range(0, len(text), cut)]
    assert [line for batch in line_batches(blocks) for line in batch] == expected
    assert list(standalone.lines_of(blocks, "x")) == expected


def test_a_line_without_an_end_is_not_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 1000)
    with pytest.raises(PackedError, match="a line of over"):
        list(line_batches(b"x" * 100 for _ in range(1 << 40)))


def test_memory_does_not_grow_with_the_content() -> None:
    data = pack(b"a line of forty characters, repeated often\n" * 1_000_000)
    tracemalloc.start()
    number = sum(len(batch) for batch in line_batches(unpacked([data], 43_000_000)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert number == 1_000_000
    assert peak < 12 << 20


@pytest.mark.parametrize(
    "row",
    [
        b"",
        b"{}",
        b'{"verdicts":"PF"}',
        b'{"a":1,"verdicts":"}',
        b'{"a":1,"verdicts":"P',
        b'{"a":1,"verdicts":"PFX"}',
        b'{"a":1,"verdicts":"P"} ',
    ],
)
def test_what_is_no_row(row: bytes) -> None:
    with pytest.raises(ValueError, match="no row"):
        VerdictCounts().add(row)


@given(st.lists(st.text("PFUN-", max_size=5), max_size=20))
def test_law_verdicts_are_counted(vectors: list[str]) -> None:
    counts = VerdictCounts()
    for vector in vectors:
        counts.add(f'{{"type":"x","verdicts":"{vector}"}}'.encode())
    assert counts.counts() == {letter: "".join(vectors).count(letter) for letter in "FNPU"}
