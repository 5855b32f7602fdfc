"""Bad input: a message with the place, the right exit code, the other targets still evaluated."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import zstandard

from tests.cli.conftest import BUCKET, Run

LINE = json.dumps(BUCKET)


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content)


def data(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def big(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b'{"Resources": {"A": "')
        for _ in range(270):
            file.write(b"x" * 1_000_000)
        file.write(b'"}}')


def loop(path: Path) -> None:
    path.symlink_to(path.name)


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)

UNREADABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.yaml": (text(""), "is empty"),
    "binary.yaml": (data(bytes(range(256)) * 20), ""),
    "latin.json": (data('{"Resources": {"Ä": {}}}'.encode("latin-1")), "UTF-8"),
    "truncated.json": (
        text('{"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"A": {"Type": "AWS::'),
        "1:",
    ),
    "twice.json": (
        text('{"Resources": {"A": {"Type": "AWS::S3::Bucket"}, "A": {"Type": "AWS::S3::Bucket"}}}'),
        "A",
    ),
    "twice.yaml": (text("Resources:\n  A: {Type: AWS::S3::Bucket}\n  A: {Type: AWS::S3::Bucket}\n"), "3:3"),
    "bomb.yaml": (text(BOMB), ""),
    "deep.json": (text('{"Resources":' + "[" * 10_000), "deep"),
    "deeper.json": (text("[" * 100_000), "deep"),
    "deeper.yaml": (text("Resources:\n" + "".join(" " * i + "a:\n" for i in range(1, 2_000))), "deep"),
    "big.json": (big, "large"),
    "loop.yaml": (loop, ""),
    "no-type.yaml": (text("Resources:\n  A: {Properties: {}}\n"), "no-type.yaml:2:"),
    "type-map.yaml": (text("Resources:\n  A: {Type: {Ref: X}}\n"), "type-map.yaml:2:"),
    "state.json": (
        text('{"format_version":"1.0","terraform_version":"1.5.0","values":{"root_module":{}}}'),
        "terraform show",
    ),
    "words.txt": (text("only words\n"), "is plain text"),
    "utf16.yaml": (data("Resources: {A: {}}".encode("utf-16-le")), "UTF-16 without a byte order mark"),
    "utf32.yaml": (data("Resources: {A: {}}".encode("utf-32")), "UTF-32"),
    "self.yaml": (text("Resources:\n  A: &a\n    Properties: {X: *a}\n"), "self.yaml:3:21"),
    "merges.yaml": (
        text(
            "x: &x {"
            + ",".join(f"k{i}: 1" for i in range(3000))
            + "}\n"
            + "".join(f"y{i}: {{<<: *x}}\n" for i in range(99))
        ),
        "aliases stand for more than",
    ),
    "values.json": (
        text('{"Resources": {"A": [' + "{}," * 1_100_000 + "{}]}}"),
        "holds more than 2,000,000 values",
    ),
    "template.json": (text('{"Resources": {"A": {"Type": "' + "x" * 9_000_000 + '"}}}'), "larger than 8 MiB"),
    "emoji.json": (
        text('{"Resources": {"A": "\U0001f600' + "x" * 33 * 1024 * 1024 + '"}}'),
        "is not ASCII",
    ),
    "types.json": (
        text(
            '{"Resources": {"A": {"Type": [1]}, "B": 5, "C": null, "D": {"Type": ""}, "E": {"Type": "A::B::C", "Properties": []}}}'
        ),
        "the `Type` of `A` is a list",
    ),
    "plan.json": (
        text(
            '{"format_version": "1.2", "terraform_version": "1", "planned_values": {}, "resource_changes": [7, {"change": []}]}'
        ),
        "no object",
    ),
    "part.json": (text('{"format_version":"1.2","planned_values":{"root_mod'), "is the file truncated?"),
    "gone.yaml": (lambda _path: None, "no such file"),
    "folder-loop.yaml": (lambda path: path.symlink_to(path.parent / "other"), "no such file"),
    "x" * 300 + ".yaml": (lambda _path: None, "file name too long"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_file_is_an_input_error_and_the_others_are_evaluated(
    run: Run, tmp_path: Path, snapshot: Path, name: str
) -> None:
    make, said = UNREADABLE[name]
    make(tmp_path / name)
    found = run("scan", name, snapshot.name, "--format", "json", memory=1_000_000_000)
    errors = found.errors()
    assert found.code == 2, errors
    assert errors and any(name in e and said in e for e in errors), errors
    assert found.document["run"]["complete"] is False
    assert found.document["findings"], "the snapshot beside it was evaluated"
    assert all("\n" not in e for e in errors)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "2"),
        ("[]", "2"),
        ('{"type": "AWS::S3::Bucket"}', "id"),
        (LINE.replace('"properties": {', '"properties": [').replace("}}", "]}"), "2"),
        ("\x01", "2"),
        ('{"type": 1, "id": "b", "account": "1", "region": "r", "properties": {}}', "type"),
        (LINE.replace('"logs"}', "NaN}"), "2"),
        ("[" * 100_000, "2"),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_evaluated(
    run: Run, tmp_path: Path, line: str, said: str
) -> None:
    (tmp_path / "lines.ndjson").write_text(f"{LINE}\n{line}\n{LINE.replace('logs', 'more')}\n")
    found = run("scan", "lines.ndjson", "--format", "json")
    assert found.code == 4
    (error,) = found.document["run"]["errors"]
    assert (error["location"]["file"], error["location"]["line"]) == ("lines.ndjson", 2)
    assert said in json.dumps(error)
    assert {f["resource"]["id"] for f in found.document["findings"]} == {"logs", "more"}


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param([0, [{"a": 1}]], id="two kinds"),
        pytest.param(["x", True, [], {}, [[]], {"a": {"b": []}}], id="the others", marks=pytest.mark.slow),
    ],
)
def test_properties_of_the_wrong_type_everywhere_never_crash_a_rule(
    run: Run, tmp_path: Path, wrong: list[object]
) -> None:
    from policyengine.catalog import registry

    lines = []
    for type_ in registry.covered():
        schema = registry.schema(type_)
        names = [n for n in schema.children() if n != "related"] if schema else []
        for index, value in enumerate(wrong):
            lines.append(
                {**BUCKET, "type": type_, "id": f"w{index}", "properties": dict.fromkeys(names, value)}
            )
    (tmp_path / "wrong.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = run("scan", "wrong.ndjson", "--format", "json", timeout=300)
    crashed = {f["rule"]: f["message"] for f in found.document["findings"] if f["reason"] == "internal_error"}
    assert crashed == {}
    assert found.document["run"]["errors"] == []


def test_a_walked_folder_reports_what_is_broken_and_goes_by_the_verdicts(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "stacks"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "good.yaml").write_text("Resources:\n  B: {Type: AWS::S3::Bucket}\n")
    (folder / "deep" / "broken.yaml").write_text("Resources:\n  B: {Type: AWS::S3::Bucket}\n  B: {}\n")
    (folder / "deep" / "er" / "loop").symlink_to(folder)
    (folder / "notes.txt").write_text("nothing of ours\n")
    (folder / "values.json").write_text('{"a": 1}')
    found = run("scan", "stacks", "--format", "json", "--fail-on", "never")
    assert found.code == 0
    assert any("broken.yaml:3:3" in e for e in found.errors())
    assert found.document["run"]["skipped"]
    assert run("scan", "stacks", "--fail-on", "never", "--strict").code == 2


@pytest.mark.parametrize(
    "template",
    [
        "Resources:\n  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref B}}\n  B: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref A}}\n",
        "Conditions: {X: !Condition Y, Y: !Condition X}\nResources:\n  A: {Type: AWS::SQS::Queue, Condition: X}\n",
        "Resources:\n  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref A}}\n",
    ],
)
def test_cycles_end(run: Run, tmp_path: Path, template: str) -> None:
    (tmp_path / "cycle.yaml").write_text(template)
    found = run("scan", "cycle.yaml", "--format", "json", timeout=60)
    assert found.code in (0, 1, 2)
    assert not [f for f in found.document["findings"] if f["reason"] == "internal_error"]


def test_nothing_to_evaluate_is_an_input_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = run("scan", "empty")
    assert found.code == 2
    assert "no resource in `empty`" in found.out + found.err


def zstd(blocks: Iterable[bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        compressor = zstandard.ZstdCompressor(level=3)
        with path.open("wb") as file, compressor.stream_writer(file) as stream:
            for block in blocks:
                stream.write(block)

    return write


PARTLY: dict[str, tuple[Callable[[Path], object], str]] = {
    "bomb.ndjson.zst": (zstd(b"\0" * 1_000_000 for _ in range(1500)), "expands to more than"),
    "cut.ndjson.zst": (data(zstandard.compress((LINE + "\n").encode() * 50)[:-5]), "truncated"),
    "long.ndjson": (text('{"type":"' + "x" * 17 * 1024 * 1024 + '"}\n'), "over the limit of 16 MiB"),
    "bad.ndjson": (text("{\n" * 150_000), "more than 1000 errors"),
    "deep.ndjson": (text('{"a":' * 100_000), "nested deeper than"),
    "twice.ndjson": (text(LINE.replace('"id"', '"id": "x", "id"') + "\n"), "stands twice"),
    "same.ndjson": (text((LINE + "\n") * 3000), "two resources have one identity"),
}


@pytest.mark.parametrize("name", PARTLY)
def test_a_snapshot_that_is_broken_in_part_makes_the_run_incomplete(
    run: Run, tmp_path: Path, name: str
) -> None:
    make, said = PARTLY[name]
    make(tmp_path / name)
    (tmp_path / "other.yaml").write_text("Resources:\n  B: {Type: AWS::S3::Bucket}\n")
    found = run(
        "scan", name, "other.yaml", "--rule", "s3-versioning", "--format", "json", memory=1_000_000_000
    )
    errors = found.errors()
    assert found.code == 4, errors[:3]
    assert any(said in error for error in errors), errors[:3]
    assert len(errors) < 1_100
    assert "B" in {f["resource"]["id"] for f in found.document["findings"]}


def test_a_broken_line_takes_back_what_the_snapshot_says_it_covers(run: Run, tmp_path: Path) -> None:
    """A VPC without a flow log is FAIL only where every flow log was read."""
    folder = tmp_path / "s"
    (folder / "resources").mkdir(parents=True)
    vpc = {**BUCKET, "type": "AWS::EC2::VPC", "id": "vpc-1", "properties": {"CidrBlock": "10.0.0.0/16"}}
    place = {"account": vpc["account"], "region": vpc["region"]}

    def verdict(second: str) -> str:
        (folder / "resources" / "one.ndjson").write_text(f"{json.dumps(vpc)}\n{second}\n")
        part = {"path": "resources/one.ndjson", **place}
        part["sha256"] = hashlib.sha256((folder / "resources" / "one.ndjson").read_bytes()).hexdigest()
        coverage = [{**place, "types": ["*"]}]
        manifest = {
            "version": "1.0",
            "created": "2026-11-21T09:00:00Z",
            "coverage": coverage,
            "parts": [part],
            "errors": [],
        }
        (folder / "manifest.json").write_text(json.dumps(manifest))
        found = run("scan", "s", "--rule", "vpc-flow-logs", "--format", "json")
        verdicts = {f["resource"]["id"]: f["verdict"] for f in found.document["findings"]}
        return f"{found.code} {verdicts['vpc-1']}"

    assert verdict("") == "1 FAIL"
    for broken in ("{", '{"type": "AWS::EC2::FlowLog', '{"id": "f", "type": "AWS::EC2::FlowLog"}', "\x00"):
        assert verdict(broken) == "4 UNKNOWN", broken


def test_a_deep_value_within_the_limit_is_evaluated_and_reported(run: Run, tmp_path: Path) -> None:
    for depth in (120, 195):
        nested = "[" * depth + "]" * depth
        line = LINE.replace('"BucketName": "logs"', f'"BucketEncryption": {nested}')
        (tmp_path / "deep.ndjson").write_text(line + "\n")
        found = run("scan", "deep.ndjson", "--format", "json", "-o", f"run{depth}")
        assert found.document["run"]["errors"] == []
        assert not [f for f in found.document["findings"] if f["reason"] == "internal_error"]


def test_special_files_are_read_or_refused(run: Run, tmp_path: Path, snapshot: Path) -> None:
    found = run("scan", "/dev/null", snapshot.name, "--format", "json")
    assert found.code == 2 and any("is empty" in e for e in found.errors())
    found = run("scan", "/dev/zero", snapshot.name, "--format", "json")
    assert found.code == 2 and any("larger than 128 MiB" in e for e in found.errors())
    os.mkfifo(tmp_path / "pipe.yaml")
    found = run("scan", ".", "--format", "json", "--fail-on", "never")
    assert found.code == 0 and found.document["run"]["skipped"]["no regular file"] == 1


def test_a_pipe_that_nobody_writes_to_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from policyengine.sources import discover, spool
    from policyengine.sources.base import SourceOptions

    monkeypatch.setattr(spool, "WRITER_SECONDS", 0.1)
    os.mkfifo(tmp_path / "pipe.yaml")
    (error,) = discover.open_targets([str(tmp_path / "pipe.yaml")], SourceOptions()).errors
    assert "nothing was written to it" in str(error)


def test_a_pipe_is_read(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    writer = threading.Thread(
        target=lambda: (tmp_path / "pipe.yaml").write_text("Resources:\n  B: {Type: AWS::S3::Bucket}\n")
    )
    writer.start()
    found = run("scan", "pipe.yaml", "--format", "json", "--fail-on", "never")
    writer.join()
    assert found.code == 0
    assert {f["resource"]["id"] for f in found.document["findings"]} == {"B"}


def test_a_report_never_replaces_a_device_or_a_folder(run: Run, tmp_path: Path, snapshot: Path) -> None:
    full = run("scan", snapshot.name, "--format", "json=/dev/full")
    assert full.code == 4 and "no space left on device" in full.err
    assert run("scan", snapshot.name, "--format", "json=/dev/null", "--fail-on", "never").code == 0
    for device in ("/dev/full", "/dev/null"):
        assert stat.S_ISCHR(Path(device).stat().st_mode)
    for there, said in ((".", "it is a folder"), ("no/such/file", "no such file")):
        refused = run("scan", snapshot.name, "--format", f"json={there}")
        assert refused.code == 2 and said in refused.err
    (tmp_path / "target.json").write_text("old")
    (tmp_path / "link.json").symlink_to("target.json")
    run("scan", snapshot.name, "--format", "json=link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "target.json").read_text())["schema"]
    assert not list(tmp_path.glob(".policyengine*"))


def test_a_template_with_ten_thousand_resources(run: Run, tmp_path: Path) -> None:
    lines = [
        f"  G{i}: {{Type: AWS::SQS::Queue, Properties: {{QueueName: !Ref G{(i + 1) % 10_000}}}}}"
        for i in range(10_000)
    ]
    (tmp_path / "many.yaml").write_text("Resources:\n" + "\n".join(lines) + "\n")
    found = run(
        "scan",
        "many.yaml",
        "--rule",
        "sqs-encrypted",
        "--format",
        "json",
        "--fail-on",
        "never",
        memory=1_000_000_000,
        timeout=120,
    )
    assert found.code == 2
    assert len(found.document["findings"]) == 10_000
    assert any("circle" in error for error in found.errors())
