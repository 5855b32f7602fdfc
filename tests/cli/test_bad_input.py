"""Bad input: a message with the place, the right exit code, the other targets still evaluated."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import BUCKET, Run

LINE = json.dumps(BUCKET)


def text(content: str) -> Callable[[Path], None]:
    return lambda path: path.write_text(content) and None  # type: ignore[func-returns-value]  # write_text's count


def data(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None  # type: ignore[func-returns-value]  # write_bytes' count


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

UNREADABLE = {
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
    "words.txt": (text("only words\n"), ""),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_file_is_an_input_error_and_the_others_are_evaluated(
    run: Run, tmp_path: Path, snapshot: Path, name: str
) -> None:
    make, said = UNREADABLE[name]
    make(tmp_path / name)
    found = run("scan", name, snapshot.name, "--format", "json")
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


def test_properties_of_the_wrong_type_everywhere_never_crash_a_rule(run: Run, tmp_path: Path) -> None:
    from policyengine.catalog import registry

    wrong: list[object] = [0, "x", True, [], {}, [[]], [{"a": 1}], {"a": {"b": []}}]
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


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(run: Run, tmp_path: Path, snapshot: Path) -> None:
    (tmp_path / "locked.yaml").write_text("Resources: {}")
    (tmp_path / "locked.yaml").chmod(0)
    found = run("scan", "locked.yaml", snapshot.name, "--format", "json")
    assert found.code == 2
    assert any("permission" in e.lower() for e in found.errors())


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
    found = run("scan", "cycle.yaml", "--format", "json", timeout=20)
    assert found.code in (0, 1, 2)
    assert not [f for f in found.document["findings"] if f["reason"] == "internal_error"]


def test_nothing_to_evaluate_is_an_input_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = run("scan", "empty")
    assert found.code == 2
    assert "no resource in `empty`" in found.out + found.err
