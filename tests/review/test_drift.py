"""What is declared joined with what runs, and where the verdicts differ."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from policyengine.cli.main import main
from policyengine.engine.rule import BoundRule
from policyengine.model.errors import InputError
from policyengine.model.resource import Resource
from policyengine.review.actors import last_acts
from policyengine.review.joining import LOGICAL_ID, STACK, Join, join, live_of
from policyengine.sources.snapshot.writer import write_snapshot
from policyengine.sources.trail import read_logs, read_trail

ACCOUNT, REGION = "111122223333", "eu-west-1"
VOLUME, BUCKET = "AWS::EC2::Volume", "AWS::S3::Bucket"
COVERED = frozenset({(ACCOUNT, REGION, VOLUME), (ACCOUNT, REGION, BUCKET)})


def running(
    type: str, id: str, properties: dict[str, Any], stack: str | None = None, logical: str = ""
) -> Resource:
    tags = {STACK: stack, LOGICAL_ID: logical} if stack else {}
    return Resource(type, id, ACCOUNT, REGION, properties, tags=tags, arn=f"arn:aws:x:::{id}")


def declared(type: str, id: str, properties: dict[str, Any] | None = None) -> Resource:
    return Resource(type, id, None, None, properties or {}, file="template.yaml")


def joined(code: list[Resource], live: list[Resource], **options: Any) -> Join:
    return join(code, map(live_of, live), options.pop("coverage", COVERED), **options)


def test_stack_and_logical_id() -> None:
    found = joined([declared(VOLUME, "Data")], [running(VOLUME, "vol-1", {}, "app", "Data")])
    assert [(pair.live[3], pair.how) for pair in found.joined] == [("vol-1", "stack and logical id")]
    assert not found.strangers


def test_two_stacks_of_one_template_are_told_apart_by_name_only() -> None:
    live = [running(VOLUME, "vol-1", {}, "blue", "Data"), running(VOLUME, "vol-2", {}, "green", "Data")]
    assert joined([declared(VOLUME, "Data")], live).lost[0].why == "ambiguous"
    assert joined([declared(VOLUME, "Data")], live, stack="green").joined[0].live[3] == "vol-2"


def test_the_naming_property() -> None:
    found = joined([declared(BUCKET, "Logs", {"BucketName": "my-logs"})], [running(BUCKET, "my-logs", {})])
    assert [(pair.live[3], pair.how) for pair in found.joined] == [("my-logs", "name")]


def test_what_never_arrived_and_what_nobody_collected() -> None:
    code = [declared(BUCKET, "Logs", {"BucketName": "my-logs"}), declared("AWS::SQS::Queue", "Q")]
    assert [lost.why for lost in joined(code, []).lost] == ["missing", "not_collected"]


def test_what_no_code_declares() -> None:
    live = [running(VOLUME, "vol-1", {}), running(VOLUME, "vol-2", {}, "other", "X")]
    assert [identity[3] for identity in joined([], live).strangers] == ["vol-1"]


TEMPLATE = """
Resources:
  Data:
    Type: AWS::EC2::Volume
    Properties: {AvailabilityZone: eu-west-1a, Size: 1, Encrypted: true}
  Lost:
    Type: AWS::S3::Bucket
    Properties: {BucketName: never-arrived}
"""


def log(*records: dict[str, Any]) -> dict[str, Any]:
    return {"Records": list(records)}


def record(time: str, actor: str, volume: str = "vol-1", **more: Any) -> dict[str, Any]:
    return {
        "eventTime": time, "eventSource": "ec2.amazonaws.com", "eventName": "ModifyVolume", "readOnly": False,
        "sourceIPAddress": "198.51.100.7", "userIdentity": {"arn": actor}, "requestParameters": {"volumeId": volume}, **more,
    }  # fmt: skip


ALICE, BOB = f"arn:aws:iam::{ACCOUNT}:user/alice", f"arn:aws:iam::{ACCOUNT}:user/bob"


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    trail = tmp_path / "trail.json.gz"
    trail.write_bytes(
        gzip.compress(
            json.dumps(
                log(
                    record("2026-11-01T00:00:00Z", ALICE),
                    record("2026-11-02T00:00:00Z", BOB),
                    record("2026-11-03T00:00:00Z", ALICE, errorCode="AccessDenied"),
                    record("2026-11-04T00:00:00Z", ALICE, volume="vol-2"),
                    record("2026-11-05T00:00:00Z", ALICE, readOnly=True),
                )
            ).encode()
        )
    )
    live = [
        running(VOLUME, "vol-1", {"Encrypted": False}, "app", "Data"),
        running(VOLUME, "vol-9", {"Encrypted": True}),
    ]
    write_snapshot(tmp_path / "s", live, created="2026-11-21T09:00:00Z", coverage=COVERED)
    arguments = [
        "--against",
        str(tmp_path / "s"),
        "--trail",
        str(trail),
        "--unmanaged",
        "--rule",
        "ebs-volume-encrypted",
    ]
    with pytest.raises(SystemExit) as ended:
        main(["drift", str(tmp_path / "template.yaml"), *arguments])
    shown = capsys.readouterr().out
    assert ended.value.code == 1
    assert "drifted: high ebs-volume-encrypted" in shown
    assert "PASS declared, FAIL in 111122223333/eu-west-1 (vol-1, by stack and logical id)" in shown
    assert f"last changed 2026-11-02T00:00:00Z by {BOB} (ec2:ModifyVolume from 198.51.100.7)" in shown
    assert "never arrived: AWS::S3::Bucket Lost" in shown
    assert "in no code: 111122223333/eu-west-1  AWS::EC2::Volume vol-9" in shown
    assert "1 declared resources run; 1 verdicts drifted" in shown


def test_a_rule_that_crashes_is_no_good_news(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its verdict is not known on either side, so that nothing seems to have drifted."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    live = [running(VOLUME, "vol-1", {"Encrypted": False}, "app", "Data")]
    write_snapshot(tmp_path / "s", live, created="2026-11-21T09:00:00Z", coverage=COVERED)

    def crash(*_args: Any) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(BoundRule, "_make_decide", lambda _rule: crash)
    arguments = ["--against", str(tmp_path / "s"), "--rule", "ebs-volume-encrypted"]
    with pytest.raises(SystemExit) as ended:
        main(["drift", str(tmp_path / "template.yaml"), *arguments])
    assert ended.value.code == 4
    assert "error: rule `ebs-volume-encrypted` crashed on 1 resources" in capsys.readouterr().out


@pytest.mark.parametrize("slip", [("--stack", "ap"), ("--account", "999988887777")])
def test_nothing_compared_is_no_good_news(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], slip: tuple[str, str]
) -> None:
    """A slip in the name of the stack must not read like "nothing drifted"."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    live = [running(VOLUME, "vol-1", {"Encrypted": False}, "app", "Data")]
    write_snapshot(tmp_path / "s", live, created="2026-11-21T09:00:00Z")
    with pytest.raises(SystemExit) as ended:
        main(["drift", str(tmp_path / "template.yaml"), "--against", str(tmp_path / "s"), *slip])
    assert ended.value.code == 4
    assert "error: nothing was compared" in capsys.readouterr().out


def test_a_file_that_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(InputError, match="no log file of CloudTrail"):
        last_acts(read_logs([tmp_path / "x.json"]), {"a": {"b"}})


@pytest.mark.parametrize("read", [lambda path: list(read_logs([path])), lambda path: list(read_trail(path))])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (gzip.compress(b'{"Records": []}', mtime=0)[:-9], "cannot be read"),  # cut short
        (
            gzip.compress(b'{"Records": []}', mtime=0)[:10] + b"\xff" * 20,
            "cannot be read",
        ),  # zlib's own error
        (b'{"Records": [', "ends before its JSON does"),
        (b'{"Records": [{"a": 1, "a": 2}]}', "stands twice"),
    ],
)
def test_a_broken_log_is_refused_with_its_place(tmp_path: Path, read: Any, data: bytes, said: str) -> None:
    path = tmp_path / "log.json.gz"
    path.write_bytes(data)
    with pytest.raises(InputError, match=said) as refused:
        read(path)
    assert str(path) in str(refused.value)


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: no such file"):
        list(read_logs([tmp_path / "none.json"]))
