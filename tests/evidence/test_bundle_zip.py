"""The zip: a function of its members, which every reader of zips reads alike; ZIP64 where sizes need it."""

from __future__ import annotations

import io
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.evidence import bundle_zip, standalone, standalone_zip
from policyengine.evidence.bundle_zip import Read, Stored, compare, paths_problem, tail, write

MEMBERS = {"A.txt": b"hello", "b/c.bin": b"", "b/d.bin": bytes(range(256)) * 5}
FOUR_GIB = 1 << 32


def written(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    write(out, ((name, len(data), zlib.crc32(data), io.BytesIO(data)) for name, data in members.items()))
    return out.getvalue()


def listed(members: dict[str, bytes]) -> list[tuple[str, int]]:
    return [(name, len(data)) for name, data in members.items()]


def check(data: bytes, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == members
        assert opened.namelist() == list(members)
        for info in opened.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.compress_type == zipfile.ZIP_STORED
            assert info.external_attr >> 16 == 0o100644
    found = list(compare(io.BytesIO(data), listed(members)))
    assert all(isinstance(one, Read) for one in found), found
    begins, digests = standalone.compare_zip(io.BytesIO(data), listed(members))
    assert digests == {one.member.path: one.sha256 for one in found if isinstance(one, Read)}
    assert begins == {one.member.path: one.member.data for one in found if isinstance(one, Read)}


def test_every_reader_reads_the_same() -> None:
    check(written(MEMBERS), MEMBERS)
    check(written({}), {})


names = st.dictionaries(
    st.from_regex(r"m[a-z0-9]{1,4}\.[a-z]{1,3}", fullmatch=True), st.binary(max_size=50), max_size=6
)


@given(names)
def test_law_what_is_written_is_what_is_expected(members: dict[str, bytes]) -> None:
    ordered = dict(sorted(members.items()))
    data = written(ordered)
    assert data == written(ordered)
    check(data, ordered)


@pytest.mark.parametrize(("most_32", "most_16"), [(4, 99), (200, 99), (0xFFFF_FFFF, 2), (1000, 3)])
def test_zip64_of_both_verifiers(monkeypatch: pytest.MonkeyPatch, most_32: int, most_16: int) -> None:
    """The limits from which sizes, places and numbers go into ZIP64 fields, lowered in both: they agree."""
    for module in (bundle_zip, standalone_zip):
        monkeypatch.setattr(module, "MAX_32", most_32)
        monkeypatch.setattr(module, "MAX_16", most_16)
    data = written(MEMBERS)
    assert b"PK\6\6" in data
    assert b"PK\6\7" in data
    assert all(isinstance(one, Read) for one in compare(io.BytesIO(data), listed(MEMBERS)))
    standalone.compare_zip(io.BytesIO(data), listed(MEMBERS))


def test_headers_of_huge_members_are_those_that_zipfile_reads(tmp_path: Path) -> None:
    """A sparse file of 5 GiB with a member beyond the fourth: read by ``zipfile``, and by ``unzip`` where it is."""
    path = tmp_path / "huge.zip"
    big = Stored(0, "big.bin", FOUR_GIB + 5, 0)
    small = Stored(big.end, "small.txt", 5, zlib.crc32(b"hello"))
    with path.open("wb") as out:
        out.write(bundle_zip.local_header(big))
        out.seek(big.end)
        out.write(bundle_zip.local_header(small) + b"hello")
        out.writelines(tail([big, small]))
    with zipfile.ZipFile(path) as opened:
        assert [(info.filename, info.file_size, info.header_offset) for info in opened.infolist()] == [
            ("big.bin", FOUR_GIB + 5, 0),
            ("small.txt", 5, big.end),
        ]
        assert opened.read("small.txt") == b"hello"
    with path.open("rb") as file:
        data = file.read(len(bundle_zip.local_header(big)))
    assert data == standalone_zip.local_header("big.bin", FOUR_GIB + 5, 0)
    assert standalone_zip.central_entry("small.txt", 5, small.crc, big.end) in b"".join(tail([big, small]))


def test_many_members_are_read() -> None:
    members = {f"{number:06}.txt": b"" for number in range(65_600)}
    data = written(members)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert len(opened.namelist()) == 65_600
    assert sum(isinstance(one, Read) for one in compare(io.BytesIO(data), listed(members))) == 65_600


def test_unzip_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(written(MEMBERS))
    try:
        done = subprocess.run(["unzip", "-t", str(path)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("unzip is not installed")
    assert done.returncode == 0, done.stdout


def test_a_member_that_changes_while_it_is_written() -> None:
    for data in (b"hell", b"hello!"):
        with pytest.raises(ValueError, match="changed while it was written"):
            write(io.BytesIO(), [("a", 5, zlib.crc32(b"hello"), io.BytesIO(data))])


@pytest.mark.parametrize(
    ("paths", "where"),
    [
        (["a", "a"], "a"),
        (["b", "a"], "a"),
        (["A", "a"], "a"),
        (["README", "readme"], "readme"),
        (["a", "a/b"], "a"),
        (["A", "a/b"], "A"),
        (["a/b", "a/b/c"], "a/b"),
        (["../x"], "../x"),
    ],
)
def test_members_that_cannot_stand_beside_each_other(paths: list[str], where: str) -> None:
    problem = paths_problem(paths)
    assert problem is not None
    assert problem[0] == where
    with pytest.raises(standalone.Wrong):
        standalone.check_paths(paths)


def test_members_that_can() -> None:
    paths = sorted(["a/b", "a/c", "ab", "a-b", "b/a", "README.txt", "_x", "1"])
    assert paths_problem(paths) is None
    standalone.check_paths(paths)
