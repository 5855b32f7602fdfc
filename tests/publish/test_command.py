"""`policyengine publish` as a user runs it: scan a snapshot, publish the run, look into Security Hub and S3."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from policyengine.model.resource import Resource
from policyengine.sources.snapshot.writer import write_snapshot
from tests.cli.conftest import Result, command

from .cloud import OTHER, OWN, ROLE, client, enable, stored
from .test_object_lock import bundle

RULE = "s3-bucket-public-access-block"
OPEN = dict.fromkeys(
    ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), False
)
SHUT = dict.fromkeys(OPEN, True)
EVERYTHING = ((OWN, "eu-west-1", "*"), (OTHER, "eu-west-1", "*"))


def scan(
    folder: Path, day: int, buckets: dict[str, dict[str, bool]], *, types: tuple[Any, ...] = EVERYTHING
) -> Path:
    """Return the run directory of a scan of buckets, of which one whose name begins with `o` is the other account's."""
    resources = [
        Resource(
            "AWS::S3::Bucket", name, OTHER if name.startswith("o") else OWN, "eu-west-1",
            {"BucketName": name, "PublicAccessBlockConfiguration": block}, arn=f"arn:aws:s3:::{name}",
        )
        for name, block in buckets.items()
    ]  # fmt: skip
    snapshot = folder / f"snapshot-{day}"
    resources.sort(key=lambda resource: resource.identity)
    write_snapshot(snapshot, resources, created="2026-01-01T00:00:00Z", coverage=frozenset(types))
    run = folder / f"run-{day}"
    done = command(
        folder,
        "scan",
        str(snapshot),
        "--rule",
        RULE,
        "-q",
        "-o",
        str(run),
        "--as-of",
        f"2026-01-{day:02}T00:00:00Z",
    )
    assert done.code in (0, 1), done.err
    return run


def publish(folder: Path, *args: str) -> Result:
    return command(folder, "publish", *args, env=dict(os.environ))


@pytest.fixture
def hub(aws: str) -> str:
    enable((OWN, "eu-west-1"), (OTHER, "eu-west-1"))
    return aws


def test_runs_one_after_the_other(hub: str, tmp_path: Path) -> None:
    first = scan(tmp_path, 1, {"a": OPEN, "b": OPEN, "c": SHUT, "o1": OPEN})
    before = publish(tmp_path, str(first), "--security-hub", "--account-role", ROLE, "--dry-run")
    assert before.code == 0 and before.out.count("would send new: FAILED") == 3
    assert stored() == {} and stored(OTHER) == {}
    done = publish(tmp_path, str(first), "--security-hub", "--account-role", ROLE)
    assert (done.code, done.err) == (0, "")
    assert "3 new sent; 0 unchanged" in done.out
    assert set(stored()) == {"a", "b"} and set(stored(OTHER)) == {"o1"}
    one = stored()["a"]
    assert one["Title"] == "S3 buckets block public access" and one["GeneratorId"] == f"policyengine/{RULE}"
    assert one["Remediation"]["Recommendation"]["Text"]
    again = publish(tmp_path, str(first), "--security-hub", "--role-name", ROLE)
    assert "nothing sent; 3 unchanged" in again.out

    second = scan(tmp_path, 2, {"a": SHUT, "c": SHUT, "o1": OPEN})
    done = publish(tmp_path, str(second), "--security-hub", "--role-name", ROLE)
    assert (done.code, done.err) == (0, "")
    assert "1 repaired and archived, 1 gone and archived sent; 1 unchanged" in done.out
    states = {name: (f["RecordState"], f["Compliance"]["Status"]) for name, f in stored().items()}
    assert states == {"a": ("ARCHIVED", "PASSED"), "b": ("ARCHIVED", "FAILED")}


def test_a_run_that_did_not_look_leaves_alone(hub: str, tmp_path: Path) -> None:
    publish(tmp_path, str(scan(tmp_path, 1, {"a": OPEN, "b": OPEN})), "--security-hub")
    partial = scan(tmp_path, 2, {"a": OPEN}, types=((OWN, "eu-west-1", "AWS::EC2::Instance"),))
    done = publish(tmp_path, str(partial), "--security-hub")
    assert done.code == 0
    assert "1 left as they are: the run did not read all AWS::S3::Bucket in" in done.out
    assert stored()["b"]["RecordState"] == "ACTIVE"


@pytest.mark.slow
def test_a_run_with_a_call_that_failed_leaves_alone(hub: str, tmp_path: Path) -> None:
    publish(tmp_path, str(scan(tmp_path, 1, {"a": OPEN, "b": OPEN})), "--security-hub")
    snapshot = tmp_path / "snapshot-9"
    error = {
        "code": "access_denied",
        "message": "denied",
        "account": OWN,
        "region": "eu-west-1",
        "operation": "s3:X",
    }
    resources = [Resource("AWS::S3::Bucket", "a", OWN, "eu-west-1", {"PublicAccessBlockConfiguration": OPEN}, arn="arn:aws:s3:::a")]  # fmt: skip
    write_snapshot(
        snapshot, resources, created="2026-01-01T00:00:00Z", coverage=frozenset(EVERYTHING), errors=[error]
    )
    done = command(tmp_path, "scan", str(snapshot), "--rule", RULE, "-q", "-o", "run-9", "--as-of", "2026-01-09T00:00:00Z")  # fmt: skip
    assert done.code == 4
    done = publish(tmp_path, "run-9", "--security-hub")
    assert "the run could not read everything in" in done.out
    assert stored()["b"]["RecordState"] == "ACTIVE"


@pytest.mark.slow
def test_a_report_without_a_run_directory_archives_nothing(hub: str, tmp_path: Path) -> None:
    publish(tmp_path, str(scan(tmp_path, 1, {"a": OPEN, "b": OPEN})), "--security-hub")
    snapshot = tmp_path / "snapshot-2"
    write_snapshot(
        snapshot,
        [Resource("AWS::S3::Bucket", "a", OWN, "eu-west-1", {"PublicAccessBlockConfiguration": SHUT}, arn="arn:aws:s3:::a")],
        created="2026-01-01T00:00:00Z", coverage=frozenset(EVERYTHING),
    )  # fmt: skip
    report = tmp_path / "findings.json"
    command(tmp_path, "scan", str(snapshot), "--rule", RULE, "--format", f"json={report}", "--as-of", "2026-01-02T00:00:00Z")  # fmt: skip
    done = publish(tmp_path, str(report), "--security-hub")
    assert done.code == 0 and "1 repaired and archived sent" in done.out
    assert stored()["b"]["RecordState"] == "ACTIVE"


@pytest.mark.slow
def test_an_account_that_cannot_be_entered_is_exit_4(hub: str, tmp_path: Path) -> None:
    run = scan(tmp_path, 1, {"a": OPEN, "o1": OPEN})
    done = publish(tmp_path, str(run), "--security-hub")
    assert done.code == 4
    assert f"error: {OTHER}/eu-west-1: sts:AssumeRole: NoRole" in done.err
    assert "error: 1 findings are not published" in done.err
    assert set(stored()) == {"a"}
    only = publish(tmp_path, str(run), "--security-hub", "--accounts", OWN)
    assert only.code == 0 and "left out by --accounts or --regions" in only.out


@pytest.mark.slow
def test_where_security_hub_is_not_enabled_is_exit_4(aws: str, tmp_path: Path) -> None:
    done = publish(tmp_path, str(scan(tmp_path, 1, {"a": OPEN})), "--security-hub", "--accounts", OWN)
    assert done.code == 4 and "InvalidAccessException" in done.err and "has to be enabled" in done.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "say where to"),
        (("--security-hub", "--s3", "s3://b"), "say where to"),
        (("--security-hub",), "name what to publish"),
        (("RUN", "--security-hub", "--retain-days", "3"), "--retain-days goes with --s3"),
        (("RUN", "--s3", "s3://b", "--retain-days", "3"), "is no file"),
        (("FILE", "--s3", "s3://b"), "say how long to keep it"),
        (
            ("FILE", "--s3", "s3://b", "--retain-days", "3", "--retain-until", "2099-01-01"),
            "say how long to keep it",
        ),
        (("FILE", "--s3", "s3://b", "--retain-until", "2001-01-01"), "has passed"),
        (("FILE", "--s3", "s3://b", "--retain-until", "soon"), "is no date"),
        (("FILE", "--s3", "http://b", "--retain-days", "3"), "is no place in S3"),
        (("FILE", "--s3", "s3://b", "--retain-days", "3", "--role-name", "x"), "goes with --security-hub"),
        (("FILE", "--security-hub"), "is no run"),
    ],
)
def test_what_does_not_go_together_is_said(
    aws: str, tmp_path: Path, args: tuple[str, ...], words: str
) -> None:
    (tmp_path / "RUN").mkdir()
    (tmp_path / "FILE").write_text("x")
    done = publish(tmp_path, *args)
    assert done.code == 2 and words in done.err, done.err


@pytest.mark.slow
def test_a_run_of_the_future_is_refused(aws: str, tmp_path: Path) -> None:
    """Security Hub would ignore every run until then."""
    snapshot = tmp_path / "s"
    write_snapshot(
        snapshot, [Resource("AWS::S3::Bucket", "a", OWN, "eu-west-1", {})], created="2026-01-01T00:00:00Z"
    )
    command(
        tmp_path, "scan", str(snapshot), "--rule", RULE, "-q", "-o", "run", "--as-of", "2999-01-01T00:00:00Z"
    )
    done = publish(tmp_path, "run", "--security-hub")
    assert done.code == 2 and "which is to come" in done.err


def test_a_bundle_is_locked_and_its_receipt_is_beside_it(aws: str, tmp_path: Path) -> None:
    s3 = client("s3", "us-east-1")
    s3.create_bucket(Bucket="evidence-of-ours", ObjectLockEnabledForBucket=True)
    path = bundle(tmp_path, 1)
    place = ("--s3", "s3://evidence-of-ours/soc2/", "--retain-days", "30")
    dry = publish(tmp_path, str(path), *place, "--dry-run")
    assert dry.code == 0 and "would write s3://evidence-of-ours/soc2/bundle-1.zip" in dry.out
    assert "Versions" not in s3.list_object_versions(Bucket="evidence-of-ours")
    done = publish(tmp_path, str(path), *place)
    assert (done.code, done.err) == (0, "")
    found = s3.head_object(Bucket="evidence-of-ours", Key="soc2/bundle-1.zip")
    assert found["ObjectLockMode"] == "GOVERNANCE"
    assert 29 <= (found["ObjectLockRetainUntilDate"] - datetime.now(UTC)).days <= 30
    receipt = json.loads((tmp_path / "anchors/bundle-1.zip.s3.json").read_text())
    assert receipt["head"]["sequence"] == 1 and receipt["head_object"]["key"] == "soc2/head.json"
    again = publish(tmp_path, str(path), *place)
    assert again.code == 0 and "there already, the same" in again.out


def test_a_bucket_without_object_lock_is_refused(aws: str, tmp_path: Path) -> None:
    client("s3", "us-east-1").create_bucket(Bucket="open")
    done = publish(tmp_path, str(bundle(tmp_path, 1)), "--s3", "s3://open", "--retain-days", "3")
    assert done.code == 2 and "has no Object Lock" in done.err
    gone = publish(tmp_path, str(tmp_path / "bundle-1.zip"), "--s3", "s3://nobodys", "--retain-days", "3")
    assert gone.code == 4 and "NoSuchBucket" in gone.err


def test_permissions_are_printed_without_credentials(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"]}
    hub = json.loads(command(tmp_path, "publish", "--permissions", "--security-hub", env=env).out)
    actions = [s["Action"] for document in hub.values() for s in document["Statement"]]
    assert actions == ["securityhub:BatchImportFindings", "securityhub:GetFindings", "sts:AssumeRole"]
    place = ("--s3", "s3://evidence/soc2", "--kms-key", "arn:aws:kms:eu-west-1:111122223333:key/k")
    [s3] = json.loads(command(tmp_path, "publish", "--permissions", *place, env=env).out).values()
    assert [s["Resource"] for s in s3["Statement"] if s["Sid"] == "WriteLocked"] == [
        "arn:aws:s3:::evidence/soc2/*"
    ]
