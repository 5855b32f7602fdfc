"""Merkle trees: the vectors of certificate-transparency, RFC 9162's own definition, and laws."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.model.merkle import (
    EMPTY_ROOT,
    Merkle,
    Proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_inclusion,
)

# https://github.com/google/certificate-transparency/blob/master/cpp/merkletree/merkle_tree_test.cc
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {  # (index, size): siblings, from the same file (whose leaves count from 1)
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
SIZES = [0, 1, 2, 3, 5, 1023, 1024, 1025, 2047, 2048, 2049, 3071, 3073, 5000]


def by_definition(hashes: list[bytes]) -> bytes:
    """MTH of RFC 9162 section 2.1.1, as it is written."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node_hash(by_definition(hashes[:split]), by_definition(hashes[split:]))


def lines_of(size: int) -> list[bytes]:
    return [b"%d" % number for number in range(size)]


@pytest.mark.parametrize(("size", "root"), list(enumerate(ROOTS)))
def test_roots_of_certificate_transparency(size: int, root: str) -> None:
    assert root_of(LEAVES[:size]).hex() == root


@pytest.mark.parametrize("at", list(PATHS))
def test_paths_of_certificate_transparency(at: tuple[int, int]) -> None:
    index, size = at
    tree = Merkle()
    tree.add_many(LEAVES[:index])
    assert tree.mark() == index
    tree.add_many(LEAVES[index:size])
    assert [node.hex() for node in tree.proof(index).path] == PATHS[at]


@pytest.mark.parametrize("size", SIZES)
def test_root_is_the_definition(size: int) -> None:
    lines = lines_of(size)
    expected = by_definition([leaf_hash(line) for line in lines])
    one_by_one = Merkle()
    for line in lines:
        one_by_one.add(line)
    many = Merkle()
    many.add_hashes(leaf_hash(line) for line in lines)
    assert root_of(lines) == one_by_one.root() == many.root() == expected
    assert one_by_one.size == many.size == size


@pytest.mark.parametrize("size", SIZES[1:])
def test_every_leaf_can_be_proved(size: int) -> None:
    lines = lines_of(size)
    tree = Merkle()
    wanted = sorted({0, 1, size // 2, size - 2, size - 1, 1023, 1024, 1025, 2047} & set(range(size)))
    for number, line in enumerate(lines):
        if number in wanted:
            tree.mark()
        tree.add(line)
    root = tree.root()
    for index in wanted:
        proof = tree.proof(index)
        assert verify_inclusion(leaf_hash(lines[index]), proof, root)
        assert len(proof.path) <= size.bit_length()


def test_a_proof_may_be_asked_before_the_tree_is_whole() -> None:
    tree = Merkle()
    tree.mark()
    for size in range(1, 2500):
        tree.add(b"%d" % size)
        assert verify_inclusion(leaf_hash(b"1"), tree.proof(0), tree.root()), size


def test_only_marked_leaves_have_a_proof() -> None:
    tree = Merkle()
    tree.add(b"a")
    tree.mark()
    for index in (0, 1, 2):
        with pytest.raises(KeyError):
            tree.proof(index)


lines = st.lists(
    st.binary(min_size=1, max_size=8).filter(lambda line: line != b"one"), unique=True, max_size=40
)


@given(lines, st.data())
def test_law_a_proof_shows_one_leaf_at_one_place(content: list[bytes], data: st.DataObject) -> None:
    content = [*content, b"one"]
    index = data.draw(st.integers(0, len(content) - 1))
    tree = Merkle()
    tree.add_many(content[:index])
    tree.mark()
    tree.add_many(content[index:])
    root, proof = tree.root(), tree.proof(index)
    leaf = leaf_hash(content[index])
    assert verify_inclusion(leaf, proof, root)
    assert not verify_inclusion(leaf_hash(content[index] + b"x"), proof, root)
    for other in range(-1, len(content) + 1):
        if other != index:
            assert not verify_inclusion(leaf, replace(proof, index=other), root)
    assert not verify_inclusion(leaf, replace(proof, path=(*proof.path, leaf)), root)
    for at in range(len(proof.path)):
        changed = list(proof.path)
        changed[at] = leaf_hash(b"other")
        assert not verify_inclusion(leaf, replace(proof, path=tuple(changed)), root)
        assert not verify_inclusion(leaf, replace(proof, path=proof.path[:at] + proof.path[at + 1 :]), root)


@given(st.lists(st.binary(max_size=4), unique=True, min_size=2, max_size=30), st.data())
def test_law_any_change_changes_the_root(content: list[bytes], data: st.DataObject) -> None:
    root = root_of(content)
    index = data.draw(st.integers(0, len(content) - 1))
    assert root_of(content[:index] + content[index + 1 :]) != root
    assert root_of([*content[:index], b"other", *content[index:]]) != root
    assert root_of([*content[:index], content[index] + b"x", *content[index + 1 :]]) != root
    assert root_of([content[-1], *content[:-1]]) != root


@settings(max_examples=50)
@given(st.lists(st.integers(0, 1500), max_size=5))
def test_law_how_lines_are_handed_over_does_not_matter(cuts: list[int]) -> None:
    content = lines_of(1500)
    tree = Merkle()
    for start, end in pairwise(sorted([0, *cuts, 1500])):
        tree.add_many(content[start:end])
        tree.root()
    assert tree.root() == root_of(content)


def test_a_node_is_no_leaf() -> None:
    """The prefixes of RFC 9162 section 2.1.1: two leaves' node is not the leaf of the two hashes joined."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert root_of([b"a", b"b"]) != root_of([left + right])
    line = left + right
    root = root_of([b"a", b"b", b"c"])
    assert not verify_inclusion(leaf_hash(line), Proof(0, 2, (leaf_hash(b"c"),)), root)


def test_nothing_is_in_an_empty_tree() -> None:
    assert not verify_inclusion(EMPTY_ROOT, Proof(0, 0, ()), EMPTY_ROOT)


def test_hashes_of_another_size_are_refused() -> None:
    leaf = leaf_hash(b"a")
    assert not verify_inclusion(leaf, Proof(0, 2, (b"short",)), sha256(b"\x01" + leaf + b"short").digest())
