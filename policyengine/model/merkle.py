"""Merkle trees of RFC 6962 (RFC 9162 section 2.1) with SHA-256: a root over lines, and proofs that a line is in it.

``leaf = H(0x00 ‖ line)`` and ``node = H(0x01 ‖ left ‖ right)``, so that no node can be passed off as a line. A tree of
*n* leaves splits at the largest power of two below *n*; the root of no leaves is ``H("")``.

:class:`Merkle` is fed lines in order and holds one small block and one hash a level, however many lines come: a million
take about a second. A line is the bytes of one record **without** its line feed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Final

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
"""Root of no leaves (RFC 9162 section 2.1.1)."""

_BLOCK_LEVELS: Final = 10
_BLOCK: Final = 1 << _BLOCK_LEVELS
"""Leaves that are hashed up to one node at a time; a whole level at once is what makes it quick."""
_MAX_PATH: Final = 64


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that a leaf is the ``index``-th (from 0) of ``size``: the siblings from the leaf up to the root
    (RFC 9162 section 2.1.3). ``size`` is a claim: hold it against the number that was signed with the root."""

    index: int
    size: int
    path: tuple[bytes, ...]


def leaf_hash(line: bytes) -> bytes:
    """Return the hash of a line (without line feed), 32 bytes."""
    return sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two nodes, 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


def root_of(lines: Iterable[bytes]) -> bytes:
    """Return the root over lines, 32 bytes."""
    tree = Merkle()
    tree.add_many(lines)
    return tree.root()


class Merkle:
    """A tree that is fed leaf by leaf. ``root()`` may be asked at any time; more leaves may follow.

    ``mark()`` before a leaf is added makes :meth:`proof` possible for it, in the same pass.
    """

    __slots__ = ("_leaves", "_paths", "_peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        """Leaves so far."""
        self._leaves: list[bytes] = []  # hashes of leaves after the last whole block
        self._peaks: list[tuple[int, int, bytes]] = []  # (first leaf, height, hash), heights strictly fall
        self._paths: dict[int, list[bytes]] = {}  # marked leaf -> siblings so far, from the leaf up

    def add(self, line: bytes) -> None:
        """Add one line."""
        leaves = self._leaves
        leaves.append(sha256(b"\x00" + line).digest())
        self.size += 1
        if len(leaves) == _BLOCK:
            self._close_block()

    def add_many(self, lines: Iterable[bytes]) -> None:
        """Add lines in order; quicker than one call a line."""
        self.add_hashes(sha256(b"\x00" + line).digest() for line in lines)

    def add_hashes(self, hashes: Iterable[bytes]) -> None:
        """Add leaves whose hashes (:func:`leaf_hash`) were computed elsewhere, in another process for example."""
        waiting = iter(hashes)
        leaves = self._leaves
        while True:
            before = len(leaves)
            leaves.extend(islice(waiting, _BLOCK - before))
            self.size += len(leaves) - before
            if len(leaves) < _BLOCK:
                return
            self._close_block()

    def mark(self) -> int:
        """Keep the proof of the leaf that is added next; return its index."""
        self._paths[self.size] = []
        return self.size

    def root(self) -> bytes:
        """Return the root over all leaves so far, 32 bytes."""
        right = _fold(self._leaves)
        for _, _, peak in reversed(self._peaks):
            right = peak if right is None else node_hash(peak, right)
        return EMPTY_ROOT if right is None else right

    def proof(self, index: int) -> Proof:
        """Return the proof of a leaf that was marked, for the tree as it is now. Raises KeyError for a leaf that was
        not marked or not added."""
        if index >= self.size:
            raise KeyError(index)
        path = list(self._paths[index])
        block = self.size - len(self._leaves)
        right: bytes | None = None
        if index >= block:
            path += _path_in(self._leaves, index - block)
        else:
            right = _fold(self._leaves)
        for start, height, peak in reversed(self._peaks):
            if index >= start + (1 << height):
                path.append(peak)
            elif index < start:
                right = peak if right is None else node_hash(peak, right)
            elif right is not None:
                path.append(right)
        return Proof(index, self.size, tuple(path))

    def _close_block(self) -> None:
        start = self.size - _BLOCK
        marked = [index for index in self._paths if index >= start]
        for index in marked:
            self._paths[index] += _path_in(self._leaves, index - start)
        node = _fold(self._leaves)
        assert node is not None
        self._leaves.clear()
        height = _BLOCK_LEVELS
        peaks = self._peaks
        while peaks and peaks[-1][1] == height:
            left_start, _, left = peaks.pop()
            for index, path in self._paths.items():
                if index >= start:
                    path.append(left)
                elif index >= left_start:
                    path.append(node)
            node = node_hash(left, node)
            start = left_start
            height += 1
        peaks.append((start, height, node))


def verify_inclusion(leaf: bytes, proof: Proof, root: bytes) -> bool:
    """True if ``leaf`` (a leaf's hash) is where ``proof`` says in the tree with ``root``.

    RFC 9162 section 2.1.3.2. A path that is longer or shorter than the tree's is refused, and so is an index outside.
    """
    index, size, path = proof.index, proof.size, proof.path
    if not 0 <= index < size or len(path) > _MAX_PATH or any(len(node) != HASH_SIZE for node in path):
        return False
    last = size - 1
    node = leaf
    for sibling in path:
        if last == 0:
            return False
        if index & 1 or index == last:
            node = node_hash(sibling, node)
            while not index & 1 and index:
                index >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        index >>= 1
        last >>= 1
    return last == 0 and node == root


def _fold(level: Sequence[bytes]) -> bytes | None:
    """Root over hashes of leaves; a node without a sibling goes up as it is, which is RFC 6962's split."""
    if not level:
        return None
    while len(level) > 1:
        odd = level[-1:] if len(level) & 1 else ()
        pairs = iter(level)
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
        level.extend(odd)
    return level[0]


def _path_in(level: Sequence[bytes], index: int) -> list[bytes]:
    path: list[bytes] = []
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        index >>= 1
        nodes = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        if len(level) & 1:
            nodes.append(level[-1])
        level = nodes
    return path
