"""The pack of a checkout is kept under the stamps of its files: a change of any of them is seen."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from policyengine.model.errors import RuleError
from policyengine.rules import packs
from policyengine.rules.packs import load_packs

RULE = """\
id: {id}
title: The queue is number {title}
family: encryption
pillar: security
severity: high
applies_to: AWS::SQS::Queue
why: A queue keeps what it is given for days.
fix: Turn the encryption on.
message: the queue is not encrypted
references: ["https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"]
require:
  field: SqsManagedSseEnabled
  equals: true
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rules = tmp_path / "rules" / "sqs"
    rules.mkdir(parents=True)
    _write(rules / "queue-one.yaml", "One")
    return rules.parent


def _write(path: Path, title: str) -> None:
    path.write_text(RULE.format(id=path.stem, title=title))


def _settled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the files be old enough for their stamps to be believed."""
    later = time.time() + 10
    monkeypatch.setattr("policyengine.rules.stamps.time.time", lambda: later)


def _titles(folder: Path) -> list[str]:
    return [form["title"].split()[-1] for form in load_packs([folder], bundled=False).rules]


def _unread(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path) -> bytes:
        raise AssertionError("a rule file was read")

    monkeypatch.setattr(packs, "_text", refuse)


def test_files_left_alone_are_not_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _settled(folder, monkeypatch)
    first = load_packs([folder], bundled=False)
    _unread(monkeypatch)
    assert load_packs([folder], bundled=False) == first


def test_fresh_files_are_read_again(folder: Path) -> None:
    assert _titles(folder) == ["One"]
    path = folder / "sqs" / "queue-one.yaml"
    about = path.stat()
    path.write_text(path.read_text().replace("One", "Two"))
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert _titles(folder) == ["Two"]


def test_a_change_that_keeps_size_and_time_is_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _settled(folder, monkeypatch)
    assert _titles(folder) == ["One"]
    path = folder / "sqs" / "queue-one.yaml"
    about = path.stat()
    time.sleep(0.02)
    path.write_text(path.read_text().replace("One", "Two"))
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert _titles(folder) == ["Two"]


def test_files_that_come_and_go_are_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _settled(folder, monkeypatch)
    assert _titles(folder) == ["One"]
    _write(folder / "sqs" / "queue-two.yaml", "Two")
    assert _titles(folder) == ["One", "Two"]
    (folder / "sqs" / "queue-one.yaml").unlink()
    assert _titles(folder) == ["Two"]


def test_a_folder_that_is_gone_is_an_error_though_it_was_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _settled(folder, monkeypatch)
    empty = folder / "sqs" / "empty"
    empty.mkdir()
    load_packs([folder, empty], bundled=False)
    empty.rmdir()
    with pytest.raises(RuleError, match="is not a folder"):
        load_packs([folder, empty], bundled=False)


def test_a_damaged_stamp_or_pack_is_not_believed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _settled(folder, monkeypatch)
    first = load_packs([folder], bundled=False)
    for path in (folder.parent / "cache").rglob("*.*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1] + b"?")
            assert load_packs([folder], bundled=False) == first
