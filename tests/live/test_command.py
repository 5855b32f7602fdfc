"""Bad input, each as a real process: a clear message, what was collected stays usable, the exit code is true."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live import commands, populate, server
from tests.live.conftest import _free_port

pytest.importorskip("moto")

REGIONS = "us-east-1,eu-west-1"
RULES = ("ebs-volume-encrypted", "iam-role-not-administrator", "kms-key-rotation", "s3-tls-only")
LIVE = ["--live", "--regions", REGIONS, "--rate", "10000", *commands.rules(RULES)]
ORG = ["--org", *LIVE[1:]]


class World:
    """A server with an organisation whose last account is suspended."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.made = populate.organization(endpoint, 4, REGIONS.split(","))
        self.clients = populate.Clients(endpoint)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with server.running(_free_port()) as endpoint:
        yield World(endpoint)


def _manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def _lines(folder: Path) -> list[str]:
    """Resources of a snapshot without what changes with the clock."""
    from policyengine.sources.base import SourceOptions
    from policyengine.sources.snapshot import open_snapshot

    source = open_snapshot(folder, SourceOptions())
    found = [f"{r.account} {r.region} {r.type} {r.id}" for r in source.resources()]
    assert found == sorted(found)
    return found


def test_no_credentials(world: World, tmp_path: Path) -> None:
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    ended = commands.run(world.endpoint, tmp_path, "scan", *LIVE, more=nobody)
    assert ended.code == 2
    assert "AWS does not accept the credentials" in ended.err
    assert "aws sso login" in ended.err
    unknown = commands.run(world.endpoint, tmp_path, "scan", *LIVE, "--profile", "nobody")
    assert (unknown.code, "--profile" in unknown.err) == (2, True), unknown.err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "AWS cannot be reached: EndpointConnectionError"),
        ({"AWS_CONFIG_FILE": __file__}, "the AWS configuration cannot be used: ConfigParseError"),
        ({"AWS_DEFAULT_REGION": "no region"}, "the AWS configuration cannot be used: InvalidRegionError"),
        ({"AWS_PROFILE": "nobody"}, "The config profile (nobody) could not be found; name one"),
    ],
)
def test_what_is_not_about_credentials_does_not_blame_them(
    world: World, tmp_path: Path, more: dict[str, str], said: str
) -> None:
    ended = commands.run(world.endpoint, tmp_path, "scan", *LIVE, more=more)
    assert ended.code == 2
    assert said in ended.err
    assert "does not accept" not in ended.err


@pytest.mark.parametrize(("kind", "hint"), [("skewed", "clock of this machine"), ("expired", "renew")])
def test_credentials_that_are_refused_say_why(world: World, tmp_path: Path, kind: str, hint: str) -> None:
    faults = [{"operation": "*", "kind": kind}]
    ended = commands.run(world.endpoint, tmp_path, "scan", *LIVE, faults=faults)
    assert ended.code == 2
    assert hint in ended.err


def test_a_session_that_expires_in_the_middle_is_gone_on_with(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "snapshot"
    faults = [{"operation": "kms:DescribeKey", "kind": "expired", "after": 1}]
    ended = commands.run(world.endpoint, tmp_path, "snapshot", *LIVE, "-o", str(folder), faults=faults)
    assert ended.code == 4
    assert "ExpiredToken" in ended.out
    assert "--resume" in ended.out
    again = commands.run(world.endpoint, tmp_path, "snapshot", *LIVE, "-o", str(folder), "--resume")
    assert again.code == 0, again.err + again.out
    clean = tmp_path / "clean"
    assert commands.run(world.endpoint, tmp_path, "snapshot", *LIVE, "-o", str(clean), "-q").code == 0
    assert _lines(folder) == _lines(clean)


def test_a_role_that_cannot_be_assumed_costs_that_account_only(world: World, tmp_path: Path) -> None:
    closed = world.made.accounts[2]
    faults = [{"operation": "sts:AssumeRole", "kind": "denied", "contains": f"%3A{closed}%3A"}]
    report = commands.scan(world.endpoint, tmp_path, *ORG, faults=faults, code=4)
    assert not report["run"]["complete"]
    assert {f["resource"]["account"] for f in report["findings"]} == {*world.made.accounts} - {closed}
    ended = commands.run(world.endpoint, tmp_path, "snapshot", *ORG, "-o", str(tmp_path / "s"), faults=faults)
    assert ended.code == 4
    assert "sts:AssumeRole: AccessDenied" in ended.out
    assert closed in ended.out
    (lost,) = _manifest(tmp_path / "s")["collection"]["accounts_not_read"]
    assert (lost["account"], lost["operation"]) == (closed, "sts:AssumeRole")


@pytest.mark.slow
def test_a_suspended_account_is_left_out_and_said(world: World, tmp_path: Path) -> None:
    api = world.clients("organizations")
    made = api.create_account(AccountName="closing", Email="closing@example.com")["CreateAccountStatus"]
    api.close_account(AccountId=made["AccountId"])
    folder = tmp_path / "snapshot"
    ended = commands.run(world.endpoint, tmp_path, "snapshot", *ORG, "-o", str(folder))
    assert ended.code == 0, ended.err
    assert f"account {made['AccountId']} is " in ended.out
    notes = " ".join(_manifest(folder)["collection"]["notes"])
    assert f"account {made['AccountId']} is " in notes


def test_a_region_that_is_off_is_left_out_with_evidence(world: World, tmp_path: Path) -> None:
    # moto says that every opt-in region is off
    folder = tmp_path / "snapshot"
    arguments = ["--live", "--regions", "us-east-1,me-south-1", *commands.rules(RULES[:1])]
    ended = commands.run(world.endpoint, tmp_path, "snapshot", *arguments, "-o", str(folder))
    assert ended.code == 0, ended.err
    skipped = {each["region"]: each for each in _manifest(folder)["collection"]["skipped"]}
    assert skipped["me-south-1"]["evidence"] == "ec2:DescribeRegions: not-opted-in"
    assert "left out: 1 region not enabled (ec2:DescribeRegions: not-opted-in): me-south-1" in ended.out


@pytest.mark.parametrize("what", [("scan",), ("snapshot", "-o", "there")])
def test_a_region_that_does_not_exist_is_no_empty_account(
    world: World, tmp_path: Path, what: tuple[str, ...]
) -> None:
    """A slip of the pen must not look like an account in which nothing runs."""
    command, *more = (str(tmp_path / word) if word == "there" else word for word in what)
    arguments = ["--live", "--regions", "us-east-1,eu-wst-1", *commands.rules(RULES[:1]), *more]
    ended = commands.run(world.endpoint, tmp_path, command, *arguments)
    assert ended.code == 2
    assert "--regions `eu-wst-1` is no region of the partition aws" in ended.err
    assert "eu-west-1" in ended.err
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_place_that_is_taken_is_told_before_anything_is_asked(
    world: World, tmp_path: Path, kind: str
) -> None:
    target = tmp_path / "taken"
    if kind == "file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "README").write_text("mine")
    ended = commands.run(
        world.endpoint, tmp_path, "snapshot", "--live", *commands.rules(RULES[:1]), "-o", str(target),
        faults=[{"operation": "*", "kind": "expired"}],
    )  # fmt: skip
    assert ended.code == 2
    assert "name a folder that is new or empty" in ended.err
    assert not (tmp_path / ".taken.partial").exists()


@pytest.mark.slow
def test_a_disabled_service_is_unknown_and_the_rest_is_read(world: World, tmp_path: Path) -> None:
    faults = [{"operation": "kms:ListKeys", "kind": "opt-in"}]
    report = commands.scan(world.endpoint, tmp_path, *LIVE, faults=faults, code=4)
    assert {f["rule"] for f in report["findings"] if f["verdict"] != "UNKNOWN"} >= {*RULES} - {
        "kms-key-rotation"
    }
    assert all(f["verdict"] == "UNKNOWN" for f in report["findings"] if f["rule"] == "kms-key-rotation")


def test_an_scp_that_blinds_is_recognised(world: World, tmp_path: Path) -> None:
    faults = [{"operation": "ec2:DescribeVolumes", "kind": "scp"}]
    live = commands.run(world.endpoint, tmp_path, "scan", *LIVE, faults=faults)
    assert live.code == 4
    assert "policyengine permissions --format scp-exemption" in " ".join(live.out.split())
    ended = commands.run(
        world.endpoint, tmp_path, "snapshot", *LIVE, "-o", str(tmp_path / "s"), faults=faults
    )
    assert (ended.code, "policyengine permissions --format scp-exemption" in ended.out) == (4, True)


def _limited(size: int) -> Any:
    def limit() -> None:
        signal.signal(
            signal.SIGXFSZ, signal.SIG_IGN
        )  # writing fails with EFBIG, as a full disk does with ENOSPC
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.mark.parametrize("size", [pytest.param(100, marks=pytest.mark.slow), 3000])
def test_a_full_disk_leaves_no_half_snapshot(world: World, tmp_path: Path, size: int) -> None:
    folder = tmp_path / "snapshot"
    arguments = ["snapshot", *LIVE, "-o", str(folder)]
    (tmp_path / "policyengine").mkdir()
    (tmp_path / "policyengine" / "redaction.key").write_bytes(b"0123456789abcdef")
    done = subprocess.run(  # our own interpreter and module
        commands.command(*arguments), env=commands.environ(world.endpoint, tmp_path), capture_output=True,
        text=True, timeout=120, check=False, preexec_fn=_limited(size),
    )  # fmt: skip
    assert done.returncode in (2, 4), done.stderr
    assert "cannot be written" in done.stderr
    assert "File too large" in done.stderr
    assert not folder.exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".snapshot-")]
    if size > 1000:
        again = commands.run(world.endpoint, tmp_path, *arguments, "--resume")
        assert again.code == 0, again.err


def _begun(world: World, tmp_path: Path, folder: Path) -> subprocess.Popen[str]:
    """Start a slow collection and wait until some of it is in place."""
    arguments = ["snapshot", *ORG, "--rate", "4", "-o", str(folder)]
    process = subprocess.Popen(  # our own interpreter and module
        commands.command(*arguments), env=commands.environ(world.endpoint, tmp_path),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    tasks = folder.parent / f".{folder.name}.partial" / "tasks"
    for _ in range(600):
        if tasks.is_dir() and len(list(tasks.glob("*.json"))) >= 3:
            return process
        time.sleep(0.05)
    process.kill()
    raise AssertionError(process.communicate())


@pytest.mark.parametrize("times", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_control_c_keeps_what_is_collected(world: World, tmp_path: Path, times: int) -> None:
    folder = tmp_path / "snapshot"
    process = _begun(world, tmp_path, folder)
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "--resume goes on" in err
    assert "Traceback" not in err
    _resumed(world, tmp_path, folder)


@pytest.mark.slow
def test_control_c_in_a_scan_leaves_nothing_behind(world: World, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    process = subprocess.Popen(  # our own interpreter and module
        commands.command("scan", *ORG, "--rate", "4"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=commands.environ(world.endpoint, tmp_path, {"TMPDIR": str(tmp_path / "tmp")}),
    )  # fmt: skip
    for _ in range(600):
        if list((tmp_path / "tmp").glob("*/.snapshot.partial/tasks/*.json")):
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert not out
    assert "`policyengine snapshot` can go on where it was stopped" in err
    assert not list((tmp_path / "tmp").iterdir())


def test_a_killed_collection_leaves_nothing_half_and_is_gone_on_with(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "snapshot"
    process = _begun(world, tmp_path, folder)
    process.kill()
    process.communicate(timeout=60)
    _resumed(world, tmp_path, folder)


def _resumed(world: World, tmp_path: Path, folder: Path) -> None:
    assert not folder.exists()
    kept = len(list((tmp_path / ".snapshot.partial" / "tasks").glob("*.json")))
    ended = commands.run(world.endpoint, tmp_path, "snapshot", *ORG, "-o", str(folder), "--resume")
    assert ended.code == 0, ended.err
    assert kept >= 3
    clean = tmp_path / "clean"
    assert commands.run(world.endpoint, tmp_path, "snapshot", *ORG, "-o", str(clean), "-q").code == 0
    assert _lines(folder) == _lines(clean)
    calls = [_manifest(path)["collection"]["calls"] for path in (folder, clean)]
    assert sum(calls[0].values()) < sum(calls[1].values())
    assert not (tmp_path / ".snapshot.partial").exists()


@pytest.mark.slow
def test_an_organisation_that_may_not_be_listed(world: World, tmp_path: Path) -> None:
    faults = [{"operation": "organizations:ListAccounts", "kind": "denied"}]
    ended = commands.run(world.endpoint, tmp_path, "scan", *ORG, faults=faults)
    assert ended.code == 2
    assert "management account or of a delegated administrator" in ended.err


def test_drift_from_what_runs_now(world: World, tmp_path: Path) -> None:
    """`drift --live` collects what its rules need, compares, and leaves nothing of it behind."""
    good, bare = (f"{kind}-{server.MANAGEMENT}-eu-west-1" for kind in ("good", "bare"))
    template = tmp_path / "template.json"
    buckets = {"Good": good, "Bare": bare, "Never": "never-arrived-there"}
    template.write_text(json.dumps({"Resources": _declared_as_they_should_be(buckets)}))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    ended = commands.run(
        world.endpoint, tmp_path, "drift", str(template), "--region", "eu-west-1", "--live", "--regions", REGIONS, "--rate", "10000",
        "-q", *commands.rules(("s3-tls-only",)), more={"TMPDIR": str(scratch)},
    )  # fmt: skip
    assert ended.code == 1, ended.err + ended.out
    (drifted,) = (line for line in ended.out.splitlines() if line.startswith("drifted:"))
    assert "s3-tls-only  template.json:1 Bare: PASS declared, FAIL in " in drifted
    assert f"{server.MANAGEMENT}/eu-west-1 ({bare}, by name)" in drifted
    assert "never arrived: AWS::S3::Bucket Never" in ended.out
    assert not list(scratch.iterdir())


def _declared_as_they_should_be(buckets: dict[str, str]) -> dict[str, Any]:
    resources: dict[str, Any] = {}
    for logical, name in buckets.items():
        arns = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
        statement = {
            "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": arns,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }  # fmt: skip
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        resources[logical] = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}
        resources[f"{logical}Policy"] = {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": logical}, "PolicyDocument": policy},
        }
    return resources
