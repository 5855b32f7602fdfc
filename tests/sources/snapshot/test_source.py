"""Directories and files of lines: streaming, hashes, versions, shards, type scans, hostile input."""

from __future__ import annotations

import json
import pickle
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policyengine.model.errors import InputError
from policyengine.reports.base import RunError
from policyengine.reports.json_report import error_json
from policyengine.sources.snapshot import files, open_snapshot
from policyengine.sources.snapshot import source as source_module

from .helpers import OPTIONS, compressed, line, read, record, state, write_file, write_folder

PLACE = {"account": "111122223333", "region": "eu-west-1"}
COVERAGE = [
    {**PLACE, "types": ["AWS::EC2::VPC", "AWS::EC2::Subnet"]},
    {"account": "111122223333", "region": "us-east-1", "types": ["*"]},
]


def test_a_directory_gives_its_parts_in_order_and_its_coverage(tmp_path: Path) -> None:
    parts = {"b.ndjson": line(id="1") + b"\n", "a.ndjson.zst": compressed(line(id="2") + b"\n")}
    found, source = read(write_folder(tmp_path, parts, coverage=COVERAGE))
    assert [r.id for r in found] == ["1", "2"]
    assert source.errors == []
    assert source.coverage == {
        ("111122223333", "eu-west-1", "AWS::EC2::VPC"),
        ("111122223333", "eu-west-1", "AWS::EC2::Subnet"),
        ("111122223333", "us-east-1", "*"),
    }
    assert [r.id for r in source.resources()] == ["1", "2"], "a source can be read again"


@pytest.mark.parametrize("pack", [lambda data: data, compressed])
def test_a_single_file_is_a_snapshot_that_covers_nothing(tmp_path: Path, pack) -> None:
    path = write_file(tmp_path, pack(line(id="1") + b"\n\n  \r\n" + line(id="2") + b"\r\n" + line(id="3")))
    found, source = read(path)
    assert [r.id for r in found] == ["1", "2", "3"]
    assert (source.errors, source.coverage) == ([], frozenset())


def test_several_zstd_frames_are_one_file(tmp_path: Path) -> None:
    data = line(id="1") + b"\n" + line(id="2")
    found, source = read(write_file(tmp_path, compressed(data[:50]) + compressed(data[50:])))
    assert [r.id for r in found] == ["1", "2"]
    assert source.errors == []


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    found, source = read(write_file(tmp_path, b"\xef\xbb\xbf" + line()))
    assert [r.id for r in found] == ["sg-1"]
    assert source.errors == []


def test_a_bad_line_names_file_and_line_and_the_others_are_given(tmp_path: Path) -> None:
    path = write_file(tmp_path, [line(id="1"), b"{oops", b"", line(id=5), line(id="2")])
    found, source = read(path)
    assert [r.id for r in found] == ["1", "2"]
    assert [str(e).split(" ")[0] for e in source.errors] == ["s.ndjson:2:", "s.ndjson:4:"]
    assert {e.code for e in source.errors} == {"bad_line"}
    list(source.resources())
    assert len(source.errors) == 2, "reading again does not repeat an error"


def test_a_bad_line_withdraws_the_coverage_of_its_account_and_region(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {"a.ndjson": b"{oops\n"}, coverage=COVERAGE, place=PLACE)
    _, source = read(folder)
    assert source.coverage == {("111122223333", "us-east-1", "*")}
    _, source = read(write_folder(tmp_path, {"a.ndjson": b"{oops\n"}, coverage=COVERAGE))
    assert source.coverage == frozenset(), "a part of nobody knows where"


def test_a_changed_part_is_an_error_naming_it(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {"a.ndjson": line() + b"\n"}, coverage=COVERAGE, place=PLACE)
    (folder / "resources/a.ndjson").write_bytes(line(id="sg-2") + b"\n")
    found, source = read(folder)
    assert [r.id for r in found] == ["sg-2"]
    [error] = source.errors
    assert error.code == "hash_mismatch"
    assert f"{tmp_path.name}/resources/a.ndjson: does not have the SHA-256" in str(error)
    assert ("111122223333", "eu-west-1", "AWS::EC2::VPC") not in source.coverage


def test_a_type_scan_finds_a_changed_part_too(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {"a.ndjson": line() + b"\n"})
    (folder / "resources/a.ndjson").write_bytes(line(id="sg-2") + b"\n")
    source = open_snapshot(folder, OPTIONS)
    assert list(source.scan_types(["AWS::EC2::VPC"])) == []
    assert [e.code for e in source.errors] == ["hash_mismatch"]


def test_a_missing_part_is_an_error_and_the_others_are_read(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {"a.ndjson": line(id="1"), "b.ndjson": line(id="2")}, coverage=COVERAGE)
    (folder / "resources/a.ndjson").unlink()
    found, source = read(folder)
    assert [r.id for r in found] == ["2"]
    assert "resources/a.ndjson: cannot be read: no such file or directory" in str(source.errors[0])
    assert source.coverage == frozenset()


def test_a_part_that_is_not_listed_is_not_read_and_told(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {"a.ndjson": line(id="1")})
    write_file(folder / "resources", line(id="2"), "z.ndjson")
    found, source = read(folder)
    assert [r.id for r in found] == ["1"]
    assert "z.ndjson is not in the manifest" in source.notes[0]


def test_lines_are_counted_against_the_manifest(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {"a.ndjson": line(id="1")}, place={"resources": 2})
    assert "holds 1 lines, the manifest says 2" in str(read(folder)[1].errors[0])


@pytest.mark.parametrize("version", ["1", "1.0", "1.7", "1.0.3", 1, 1.2])
def test_versions_1_are_read(tmp_path: Path, version) -> None:
    found, source = read(write_folder(tmp_path, {"a.ndjson": line()}, version=version))
    assert len(found) == 1
    assert source.errors == []


def test_a_later_minor_version_may_have_new_fields(tmp_path: Path) -> None:
    novel = line(novel=1)
    assert read(write_folder(tmp_path, {"a.ndjson": novel}, version="1.1", novel={}))[1].errors == []
    assert read(write_folder(tmp_path, {"a.ndjson": novel}, version="1.0"))[1].errors != []


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("2", "snapshot version `2` is not supported: this policyengine reads versions 1.x"),
        ("2.0", "version `2.0` is not supported"),
        (3, "version `3` is not supported"),
        ("0.9", "version `0.9` is not supported"),
        ("one", "`version` is `one`, expected `1.0`"),
        (None, "`version` is missing"),
        ([], "`version` is a list"),
        (True, "`version` is a boolean"),
    ],
)
def test_other_versions_are_refused(tmp_path: Path, version, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(write_folder(tmp_path, {}, version=version))
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path.name}/manifest.json: ")


@pytest.mark.parametrize(
    "path", ["../out.ndjson", "/etc/passwd", "resources/../../out.ndjson", "c:\\x", "a\0b"]
)
def test_a_part_that_leaves_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    folder = write_folder(tmp_path / "snap", {})
    write_file(tmp_path, line(), "out.ndjson")
    parts = [{"path": path, "sha256": "0" * 64}]
    (folder / "manifest.json").write_text(json.dumps({"version": "1.0", "parts": parts}))
    with pytest.raises(InputError, match="leaves the snapshot's folder; refused"):
        open_snapshot(folder, OPTIONS)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "snap", {"a.ndjson": line()})
    outside = write_file(tmp_path, line(), "out.ndjson")
    (folder / "resources/a.ndjson").unlink()
    (folder / "resources/a.ndjson").symlink_to(outside)
    with pytest.raises(InputError, match="leaves the snapshot's folder"):
        open_snapshot(folder, OPTIONS)


MANIFESTS = [
    (b"", "is the file truncated?"),
    (b"{", "is the file truncated?"),
    (b"[]", "is a list, expected an object"),
    (b"\x00\xff", "no UTF-8"),
    (b'{"version":"1.0","version":"1.0"}', "the key `version` stands twice"),
    (b'{"version":"1.0"}', "`parts` is missing, expected a list"),
    (b'{"version":"1.0","parts":{}}', "`parts` is an object"),
    (b'{"version":"1.0","parts":["a"]}', "`parts[0]` is a string, expected an object"),
    (b'{"version":"1.0","parts":[{"path":"a"}]}', "`parts[0].sha256` must be 64"),
    (b'{"version":"1.0","parts":[{"path":"a","sha256":"%s","bytes":-1}]}' % (b"0" * 64), "`parts[0].bytes`"),
    (b'{"version":"1.0","parts":[],"coverage":[{"account":"1"}]}', "`coverage[0]` needs"),
    (b'{"version":"1.0","parts":[],"coverage":[{"account":"1","region":"r","types":"*"}]}', "must be a list"),
    (b'{"version":"1.1","parts":[],"covered":{}}', "`covered` is an object"),
    (
        b'{"version":"1.1","parts":[],"covered":[{"types":"*","places":[]}]}',
        "`covered[0].types` must be a list",
    ),
    (b'{"version":"1.1","parts":[],"covered":[{"types":["*"]}]}', "`covered[0].places` is missing"),
    (
        b'{"version":"1.1","parts":[],"covered":[{"types":[],"places":[["1"]]}]}',
        "`covered[0].places` must be pairs",
    ),
    (
        b'{"version":"1.1","parts":[],"covered":[{"types":[],"places":[["1",2]]}]}',
        "`covered[0].places` must be pairs",
    ),
    (b'{"version":"1.0","parts":[],"errors":[{}]}', "`errors[0].message`"),
    (b'{"version":"1.0","parts":[],"created":5}', "`created` is a number"),
    (b'{"version":"1.0","parts":' + b"[" * 100_000, "nested deeper than 200"),
]


@pytest.mark.parametrize(("data", "message"), MANIFESTS, ids=[m[:30] for _, m in MANIFESTS])
def test_a_broken_manifest_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "manifest.json").write_bytes(data)
    with pytest.raises(InputError) as caught:
        open_snapshot(tmp_path, OPTIONS)
    assert message in str(caught.value) or "UTF-16 or binary" in str(caught.value)


def test_collector_errors_of_the_manifest_are_errors_of_the_source(tmp_path: Path) -> None:
    error = {
        "message": "denied", "code": "access_denied", "account": "1", "region": "r", "operation": "op",
        "types": ["AWS::S3::Bucket"],
    }  # fmt: skip
    _, source = read(write_folder(tmp_path, {}, errors=[error]))
    [found] = pickle.loads(pickle.dumps(source.errors))
    assert (found.code, found.account, found.region, found.operation) == ("access_denied", "1", "r", "op")
    assert found.types == ("AWS::S3::Bucket",)
    assert error_json(RunError.of(found))["types"] == ["AWS::S3::Bucket"]


def test_errors_of_the_collector_are_told_apart_by_place_and_call(tmp_path: Path) -> None:
    """Ten calls that are denied with the same words are ten errors, not one."""
    errors = [
        {"message": "AccessDenied", "code": "access_denied", "account": "1" * 12, "region": region, "operation": f"s3:Get{n}"}
        for region in ("eu-west-1", "us-east-1")
        for n in range(5)
    ]  # fmt: skip
    _, source = read(write_folder(tmp_path, {}, errors=errors))
    assert len(source.errors) == 10
    assert str(source.errors[0]).endswith("manifest.json: 111111111111 eu-west-1 s3:Get0: AccessDenied")


# -- hostile files --------------------------------------------------------------------------------


def test_a_truncated_zstd_file_gives_what_was_whole_and_one_error(tmp_path: Path) -> None:
    data = b"".join(line(id=str(i)) + b"\n" for i in range(20_000))
    path = write_file(tmp_path, compressed(data)[:-100], "s.ndjson.zst")
    found, source = read(path)
    assert 0 < len(found) < 20_000
    assert [str(e) for e in source.errors] == ["s.ndjson.zst: is truncated: the last zstd frame does not end"]


def test_a_damaged_zstd_file_is_one_error(tmp_path: Path) -> None:
    _, source = read(write_file(tmp_path, files.ZSTD_MAGIC + b"garbage" * 10))
    assert "is no valid zstd file" in str(source.errors[0])


def test_a_zstd_bomb_is_bounded_in_memory_and_output(tmp_path: Path) -> None:
    path = write_file(tmp_path, compressed(bytes(3 << 30 >> 3), 19), "bomb.ndjson.zst")
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    found, source = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == []
    assert "expands to more than 1000 times its size; refused" in str(source.errors[-1])
    assert peak < 128 << 20


def test_a_line_over_the_limit_is_an_error_and_the_next_one_is_read(tmp_path: Path) -> None:
    path = write_file(tmp_path, [line(id="1"), b"x" * (17 << 20), line(id="2"), b"y" * (17 << 20)])
    found, source = read(path)
    assert [r.id for r in found] == ["1", "2"]
    assert [str(e) for e in source.errors] == [
        "s.ndjson:2: the line is over the limit of 16 MiB",
        "s.ndjson:4: the line is over the limit of 16 MiB",
    ]


def test_many_bad_lines_do_not_fill_the_memory(tmp_path: Path) -> None:
    _, source = read(write_file(tmp_path, b"{\n" * 5000))
    assert len(source.errors) == source_module.MAX_ERRORS + 1
    assert "the others are not listed" in str(source.errors[-1])


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: no such file"):
        open_snapshot(tmp_path / "none.ndjson", OPTIONS)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    one = line(properties={"A": "x" * 200}) + b"\n"
    path = write_file(tmp_path, one * 60_000)
    source = open_snapshot(path, OPTIONS)
    tracemalloc.start()
    assert sum(1 for _ in source.resources()) == 60_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20 < path.stat().st_size


# -- shards ---------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 60), max_size=12),
    st.integers(1, 300),
    st.sampled_from([b"\n", b"\r\n", b"\n\n"]),
    st.booleans(),
)
def test_ranges_give_every_line_once_and_in_order(tmp_path: Path, sizes, width, newline, ends) -> None:
    lines = [line(id=str(i), properties={"A": "é" * size}) for i, size in enumerate(sizes)]
    path = write_file(tmp_path, newline.join(lines) + (newline if ends else b""))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source_module, "RANGE", width)
        source = pickle.loads(pickle.dumps(open_snapshot(path, OPTIONS)))
        shards = source.shards()
    assert [r.id for s in shards for r in source.read_shard(s)] == [str(i) for i in range(len(sizes))]
    assert source.errors == []


def test_a_bad_line_in_a_range_has_its_number_in_the_file(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(source_module, "RANGE", 200)
    path = write_file(tmp_path, [*(line(id=str(i)) for i in range(10)), b"{oops", line()])
    source = open_snapshot(path, OPTIONS)
    shards = source.shards()
    assert len(shards) > 3
    assert sum(len(list(source.read_shard(s))) for s in shards) == 11
    assert [e.location.line for e in source.errors if e.location] == [11]


def test_the_parts_of_a_directory_are_its_shards(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {"a.ndjson": line(id="1"), "b.ndjson": line(id="2")})
    source = open_snapshot(folder, OPTIONS)
    assert [[r.id for r in source.read_shard(s)] for s in source.shards()] == [["1"], ["2"]]


# -- type scans -----------------------------------------------------------------------------------

TYPES = ["AWS::EC2::VPC", "AWS::EC2::VPCEndpoint", "AWS::S3::Bucket", "AWS::::Account"]


def spellings(kind: str):
    """The type as JSON may write it: as it is, or with any character as an escape."""
    escape = st.sampled_from([lambda c: c, lambda c: f"\\u{ord(c):04x}", lambda c: f"\\u{ord(c):04X}"])
    return st.lists(escape, min_size=len(kind), max_size=len(kind)).map(
        lambda how: "".join(f(c) for f, c in zip(how, kind, strict=True))
    )


@st.composite
def written_lines(draw):
    kind = draw(st.sampled_from(TYPES))
    written = kind if draw(st.booleans()) else draw(spellings(kind))
    plain = record(
        type="@", properties={"A": draw(st.sampled_from([*TYPES, '"type":"AWS::S3::Bucket"', "\\"]))}
    )
    keys = draw(st.permutations(list(plain))) if draw(st.booleans()) else list(plain)
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " :\r")]))
    text = json.dumps({k: plain[k] for k in keys}, separators=separators).replace('"@"', f'"{written}"')
    return kind, draw(st.sampled_from(["", " ", "\t"])) + text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(written_lines(), max_size=6), st.sets(st.sampled_from(TYPES)))
def test_a_type_scan_never_misses_a_line_however_it_is_written(tmp_path: Path, written, wanted) -> None:
    path = write_file(tmp_path, [text.encode() for _, text in written])
    source = open_snapshot(path, OPTIONS)
    expected = [state(r) for r in source.resources() if r.type in wanted]
    assert len(expected) == sum(kind in wanted for kind, _ in written)
    assert [state(r) for r in source.scan_types(wanted)] == expected


def test_a_type_scan_does_not_parse_other_lines(tmp_path: Path) -> None:
    other = b'{"type":"AWS::EC2::VPCEndpoint", not even JSON'
    source = open_snapshot(write_file(tmp_path, [other, line(type="AWS::EC2::VPC")]), OPTIONS)
    assert [r.type for r in source.scan_types(["AWS::EC2::VPC"])] == ["AWS::EC2::VPC"]
    assert source.errors == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(st.binary(max_size=40) | st.sampled_from([line(), b"\n", b"{}"]), max_size=8), st.booleans())
def test_any_file_gives_resources_and_errors_and_never_crashes(tmp_path: Path, pieces, pack: bool) -> None:
    data = b"".join(pieces)
    found, source = read(write_file(tmp_path, compressed(data) if pack else data))
    assert all(r.id == "sg-1" for r in found)
    assert all(str(e).startswith("s.ndjson") for e in source.errors)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], True),
        ([line(id="a"), line(id="b")], True),
        ([line(id="b"), line(id="a")], False),
        ([line(id="a", region="us-east-1"), line(id="a", region="eu-west-1")], False),
        ([line(id="é"), line(id="z")], False),
        ([line(id="z"), b"{bad", line(id="\u00e9")], True),
        ([line(id="b", location={"file": "a"}), line(id="a", location={"file": "b"})], True),
        ([line(id="a", location={"file": "b"}), line(id="b", location={"file": "a"})], False),
    ],
)
def test_the_order_of_lines_is_found_out_not_believed(tmp_path: Path, lines, expected: bool) -> None:
    for shape in (lambda x: x, lambda x: json.dumps(json.loads(x), separators=(",", ":")).encode()):
        shaped = [one if one == b"{bad" else shape(one) for one in lines]
        source = open_snapshot(write_file(tmp_path, shaped), OPTIONS)
        assert source.sorted is expected
        found = [r.identity for r in source.resources()]
        assert (found == sorted(found)) is expected
