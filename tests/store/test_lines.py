"""Lines of files of ours: all of them, or as many as a damaged file gives."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.cli.keep import add_lines
from policyengine.model.merkle import Merkle
from policyengine.store.lines import StreamError, line_batches, read_lines, readable_lines


@given(st.lists(st.sampled_from([b"", b"a", b"\n", b"bc\n", b"\n\nd", b"\nee"]), max_size=12))
def test_lines_are_the_same_however_they_are_cut_into_blocks(blocks: list[bytes]) -> None:
    text = b"".join(blocks)
    expected = text.split(b"\n")[: None if text and not text.endswith(b"\n") else -1]
    assert [line for batch in line_batches(blocks) for line in batch] == expected


def test_a_damaged_part_has_the_leaves_that_can_be_read(tmp_path: Path) -> None:
    """What is exported later are these lines: the root has to be theirs, and its size their number."""
    whole = [hashlib.sha256(str(number).encode()).hexdigest().encode() for number in range(20_000)]
    part = tmp_path / "0001.ndjson.gz"
    packed = gzip.compress(b"\n".join(whole))
    part.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(StreamError, match="is cut short"):
        list(read_lines(part))
    left = list(readable_lines(part))
    assert 1_000 < len(left) < len(whole)
    assert left[:-1] == whole[: len(left) - 1]
    tree, expected = Merkle(), Merkle()
    add_lines(tree, part)
    for line in left:
        expected.add(line)
    assert (tree.size, tree.root()) == (expected.size, expected.root())
