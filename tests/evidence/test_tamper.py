"""Nothing of a bundle's bytes can be changed: whoever tries is found, and told where."""

from __future__ import annotations

import shutil
import struct
import zipfile
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from policyengine.evidence.manifest import ENVELOPE, MANIFEST
from policyengine.evidence.problems import MISMATCH, Problem, exit_code
from tests.evidence.tampering import (
    CSV,
    Bundle,
    Members,
    kinds,
    members_of,
    places,
)  # fmt: skip


def test_unchanged_it_verifies(bundle: Bundle) -> None:
    assert bundle.problems(bundle.path) == []
    shutil.copy(bundle.path, bundle.target)
    assert bundle.problems(expect_head=bundle.head.manifest_sha256) == []
    bundle.other(lambda members: None)
    assert bundle.target.read_bytes() == bundle.path.read_bytes(), (
        "the tools of these tests write what the writer does"
    )
    assert bundle.signed_again(lambda members, manifest: None) == []
    assert bundle.target.read_bytes() == bundle.path.read_bytes()


def regions(path: Path) -> list[tuple[int, str]]:
    """(end, whose bytes these are) over the whole file."""
    with zipfile.ZipFile(path) as opened:
        infos = opened.infolist()
        found = [(info.header_offset, info.filename) for info in infos]
        ends = [start for start, _ in found[1:]] + [opened.start_dir]
        result = [(end, name) for end, (_, name) in zip(ends, found, strict=True)]
        at = opened.start_dir
        for info in infos:
            at += 46 + len(info.filename)
            result.append((at, info.filename))
    return [*result, (path.stat().st_size, "the zip")]


def flip(bundle: Bundle, numbers: range) -> None:
    """Flip one bit of each of these bytes and see that it is found, at its place."""
    data = bytearray(bundle.path.read_bytes())
    whose = regions(bundle.path)
    for at in numbers:
        data[at] ^= 1 << (at % 8)
        bundle.target.write_bytes(data)
        problems = bundle.problems()
        data[at] ^= 1 << (at % 8)
        name = next(name for end, name in whose if at < end)
        expected = {name, "the zip"} if name in (ENVELOPE, MANIFEST, "the zip") else {name}
        assert exit_code(problems) in (10, 11, 14), f"byte {at} of {name}"
        assert places(problems) & expected, f"byte {at} of {name}: {problems}"


def test_flipped_bits_are_found_where_they_are(bundle: Bundle) -> None:
    size = bundle.path.stat().st_size
    flip(bundle, range(0, size, 7))
    flip(bundle, range(size - 60, size))


@pytest.mark.slow
def test_every_byte_counts(bundle: Bundle) -> None:
    flip(bundle, range(bundle.path.stat().st_size))


@pytest.mark.slow
def test_bytes_of_a_bundle_with_its_own_texts(tmp_path: Path) -> None:
    whole = Bundle(tmp_path)
    flip(whole, range(0, whole.path.stat().st_size, 17))


@pytest.mark.parametrize("number", range(5))
def test_bytes_taken_away_or_added(bundle: Bundle, number: int) -> None:
    data = bundle.path.read_bytes()
    at = len(data) * (number + 1) // 6
    for changed in (
        data[:at],
        data[:at] + data[at + 1 :],
        data[:at] + b"\0" + data[at:],
        data[at:],
        data + data[at:],
    ):
        bundle.target.write_bytes(changed)
        assert exit_code(bundle.problems()) in (10, 11, 14)


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\5\6" + b"\0" * 18, b"\0" * 1000, b"no zip at all" * 100])
def test_what_is_no_bundle_says_so(bundle: Bundle, data: bytes) -> None:
    bundle.target.write_bytes(data)
    problems = bundle.problems()
    assert exit_code(problems) == 14
    assert places(problems) == {"the zip"}


def test_a_member_dropped_added_renamed_swapped_moved_or_there_twice(bundle: Bundle) -> None:
    names = [name for name in members_of(bundle.path) if name not in (ENVELOPE, MANIFEST)]
    assert len(names) > 8
    for name in names:
        for change in (dropped, renamed, emptied, longer, shorter, altered):
            problems = bundle.other(partial(change, name=name))
            assert kinds(problems) == {MISMATCH}, (change, name)
            assert name in places(problems), (change, name)
    problems = bundle.other(lambda members: {**members, "zz.txt": b"x"})
    assert "zz.txt" in places(problems)
    assert kinds(problems) == {MISMATCH}
    problems = bundle.other(lambda members: dict(sorted({**members, "a.txt": b"x"}.items())))
    assert "a.txt" in places(problems)


def dropped(members: Members, name: str) -> Members:
    return {other: data for other, data in members.items() if other != name}


def renamed(members: Members, name: str) -> Members:
    return {(f"{other}x" if other == name else other): data for other, data in members.items()}


def altered(members: Members, name: str) -> Members:
    """Other bytes of the same size, with a CRC-32 that fits: only the manifest's digest tells."""
    return {**members, name: bytes([members[name][0] ^ 1]) + members[name][1:]}


def emptied(members: Members, name: str) -> Members:
    return {**members, name: b""}


def longer(members: Members, name: str) -> Members:
    return {**members, name: members[name] + b"\n"}


def shorter(members: Members, name: str) -> Members:
    return {**members, name: members[name][:-1]}


def test_members_swapped_or_in_another_order(bundle: Bundle) -> None:
    names = [name for name in members_of(bundle.path) if name not in (ENVELOPE, MANIFEST)]
    for one, two in pairwise(names):
        problems = bundle.other(lambda m, one=one, two=two: {**m, one: m[two], two: m[one]})  # type: ignore[misc]  # mypy sees no type of a lambda's defaults
        assert places(problems) & {one, two}, (one, two)
        order = [*names]
        order[names.index(one)], order[names.index(two)] = two, one
        problems = bundle.other(lambda m, order=order: {n: m[n] for n in (ENVELOPE, MANIFEST, *order)})  # type: ignore[misc]  # as above
        assert places(problems) & {one, two}, (one, two)
    swapped = bundle.other(lambda m: {MANIFEST: m[MANIFEST], ENVELOPE: m[ENVELOPE], **m})
    assert exit_code(swapped) == 14


def test_an_entry_that_is_there_twice(bundle: Bundle) -> None:
    """Readers take the last of two entries, or the first: neither gets to choose."""
    for name in (CSV, MANIFEST, ENVELOPE):
        shutil.copy(bundle.path, bundle.target)
        with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(bundle.target, "a") as opened:
            opened.writestr(name, b"other")
        problems = bundle.problems()
        assert kinds(problems) == {MISMATCH}
        assert Problem(MISMATCH, name, "it is in the zip more than once") in problems


def test_what_zips_leave_free(bundle: Bundle) -> None:
    """Comments, gaps, bytes before, between and behind, other methods, times and systems: all are refused."""
    data = bundle.path.read_bytes()
    end = len(data) - 22
    with zipfile.ZipFile(bundle.path) as opened:
        start = opened.start_dir
        second = opened.infolist()[3].header_offset
    changed = {
        "a comment": data[:-2] + struct.pack("<H", 3) + b"hey",
        "bytes after the end": data + b"x",
        "bytes before": b"#!/bin/sh\n" + data,
        "a gap before the directory": data[:start]
        + b"gap"
        + data[start:end]
        + data[end:-6]
        + struct.pack("<I", start + 3)
        + data[-2:],
        "a gap between members": data[:second] + b"gap" + data[second:],
        "a second directory": data + data[start:],
        "another number of entries": data[: end + 8] + struct.pack("<HH", 1, 1) + data[end + 12 :],
        "another disk": data[: end + 4] + b"\1\0" + data[end + 6 :],
    }
    for name, other in changed.items():
        bundle.target.write_bytes(other)
        assert exit_code(bundle.problems()) in (10, 14), name
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        with zipfile.ZipFile(bundle.target, "w", method) as opened:
            for name, content in members_of(bundle.path).items():
                opened.writestr(name, content)
        assert exit_code(bundle.problems()) in (10, 11, 14), method
