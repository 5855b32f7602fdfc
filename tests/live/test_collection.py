"""Collecting accounts: what is whole, what is lost when something fails, going on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policyengine.aws.failures import CallFailure
from policyengine.model.errors import UsageError
from policyengine.sources.base import SourceOptions
from policyengine.sources.live.collection import Collected, Collecting, Stop, Target, write
from policyengine.sources.live.plan import make_plan
from policyengine.sources.live.spool import Spool
from policyengine.sources.snapshot import open_snapshot
from tests.live.conftest import CannedAccount, failure

NOW = "2026-11-21T09:00:00Z"
REGIONS = {
    "Regions": [
        {"RegionName": "eu-west-1", "OptInStatus": "opt-in-not-required"},
        {"RegionName": "me-south-1", "OptInStatus": "not-opted-in"},
        {"RegionName": "us-east-1", "OptInStatus": "opt-in-not-required"},
    ]
}
NEEDS = {"AWS::EC2::Volume": frozenset({"Encrypted"})}


def answers(**more: Any) -> dict[str, Any]:
    return {
        "ec2:DescribeRegions": REGIONS,
        "ec2:DescribeVolumes": {"Volumes": [{"VolumeId": "vol-1", "Encrypted": False}]},
        **{name.replace("_", ":"): value for name, value in more.items()},
    }


def collecting(spool: Spool, *accounts: Any, stop: Stop | None = None, resume: bool = False) -> Collecting:
    targets = [
        Target(account.id if isinstance(account, CannedAccount) else "999999999999", "", _opener(account))
        for account in accounts
    ]
    spool.open({"accounts": [target.id for target in targets], "started": NOW}, resume=resume)
    return Collecting(make_plan(NEEDS), targets, spool, now=NOW, stop=stop, workers=2)


def _opener(account: Any) -> Callable[[], Any]:
    def open_it() -> Any:
        if isinstance(account, CallFailure):
            raise account
        return account

    return open_it


def snapshot(tmp_path: Path, spool: Spool, collected: Collected) -> Any:
    folder = write(tmp_path / "snapshot", spool, collected, created=NOW, about={})
    return open_snapshot(folder, SourceOptions())


def covered(source: Any) -> set[str]:
    return {type for _, _, type in source.coverage if type}


def test_every_enabled_region_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    collected = collecting(spool, CannedAccount(answers())).run()
    assert {(s.region, s.evidence) for s in collected.skipped} == {
        ("me-south-1", "ec2:DescribeRegions: not-opted-in")
    }
    source = snapshot(tmp_path, spool, collected)
    assert sorted((r.region, r.id) for r in source.resources()) == [
        ("eu-west-1", "vol-1"),
        ("us-east-1", "vol-1"),
    ]
    assert ("123456789012", "us-east-1", "AWS::EC2::Volume") in source.coverage
    assert not source.errors
    assert not spool.folder.exists()


def test_a_failed_listing_is_no_coverage_and_an_error(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    denied = failure("ec2:DescribeVolumes", "UnauthorizedOperation")
    collected = collecting(spool, CannedAccount(answers(ec2_DescribeVolumes=denied))).run()
    source = snapshot(tmp_path, spool, collected)
    assert list(source.resources()) == []
    assert not covered(source)
    assert {place[1] for place in source.coverage} == {
        "eu-west-1",
        "us-east-1",
    }  # places to be in doubt about
    manifest = json.loads((tmp_path / "snapshot" / "manifest.json").read_text())
    (error,) = manifest["errors"]
    assert (error["code"], error["operation"], error["types"]) == (
        "access_denied", "ec2:DescribeVolumes", ["AWS::EC2::Volume"],
    )  # fmt: skip
    assert "(2 times)" in error["message"]


def test_an_account_that_cannot_be_entered_does_not_stop_the_others(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    closed = CallFailure("sts:AssumeRole", "access_denied", "AccessDenied", "arn:…", "999999999999")
    collected = collecting(spool, closed, CannedAccount(answers())).run()
    source = snapshot(tmp_path, spool, collected)
    assert len(list(source.resources())) == 2
    assert [(e.account, e.operation) for e in source.errors] == [("999999999999", "sts:AssumeRole")]


def test_expired_credentials_end_the_account_without_more_calls(tmp_path: Path) -> None:
    class Expiring(CannedAccount):
        def call(self, service: str, operation: str, arguments: Any, region: str) -> Any:
            if self.broken is not None:
                raise self.broken
            if operation == "DescribeVolumes":
                self.broken = failure("ec2:DescribeVolumes", "ExpiredToken")
                self.log.add((self.id, region, "ec2:DescribeVolumes"), 0, 0.0)
                raise self.broken
            return super().call(service, operation, arguments, region)

    spool = Spool(tmp_path / "spool")
    account = Expiring(answers())
    run = collecting(spool, account)
    run._workers = 1
    collected = run.run()
    assert sum(account.log.made.values()) == 2  # regions, then one listing; the second region was not asked
    assert not covered(snapshot(tmp_path, spool, collected))


def test_a_second_try_asks_only_what_failed(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    regional = {"eu-west-1": failure("ec2:DescribeVolumes", "RequestLimitExceeded", "throttled")}

    class Failing(CannedAccount):
        def call(self, service: str, operation: str, arguments: Any, region: str) -> Any:
            if operation == "DescribeVolumes" and region in regional:
                self.log.add((self.id, region, "ec2:DescribeVolumes"), 0, 0.0)
                raise regional[region]
            return super().call(service, operation, arguments, region)

    collecting(spool, Failing(answers())).run()
    regional.clear()
    again = Failing(answers())
    collected = collecting(spool, again, resume=True).run()
    asked = [key[1] for key in again.log.made if key[2] == "ec2:DescribeVolumes"]
    assert asked == ["eu-west-1"]
    resumed = snapshot(tmp_path, spool, collected)
    lines = sorted((r.region, r.id) for r in resumed.resources())
    clean_spool = Spool(tmp_path / "clean")
    clean = snapshot(tmp_path / "other", clean_spool, collecting(clean_spool, CannedAccount(answers())).run())
    assert lines == sorted((r.region, r.id) for r in clean.resources())
    assert resumed.coverage == clean.coverage
    assert not resumed.errors


def test_a_stopped_collection_keeps_what_is_finished(tmp_path: Path) -> None:
    spool, stop = Spool(tmp_path / "spool"), Stop()

    class Stopping(CannedAccount):
        def call(self, service: str, operation: str, arguments: Any, region: str) -> Any:
            if operation == "DescribeVolumes" and region == "us-east-1":
                stop.ask()
            return super().call(service, operation, arguments, region)

    run = collecting(spool, Stopping(answers()), stop=stop)
    run._workers = 1
    collected = run.run()
    assert collected.stopped
    assert [kept.task.place for kept in collected.tasks] == ["eu-west-1"]
    again = CannedAccount(answers())
    assert len(collecting(spool, again, resume=True).run().tasks) == 2
    assert [key[1] for key in again.log.made if key[2] == "ec2:DescribeVolumes"] == ["us-east-1"]


def test_only_the_same_collection_is_resumed(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    with pytest.raises(UsageError, match="nothing to resume"):
        spool.open({"accounts": ["1"]}, resume=True)
    spool.open({"accounts": ["1"]}, resume=False)
    with pytest.raises(UsageError, match="something else \\(accounts differ\\)"):
        spool.open({"accounts": ["2"]}, resume=True)


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines, _: lines.write_bytes(b""),  # renamed, but never on the disk when the power went
        lambda lines, _: lines.write_bytes(lines.read_bytes().replace(b"false", b"true")),
        lambda lines, _: lines.unlink(),
        lambda _, outcome: outcome.write_text("[]"),
        lambda _, outcome: outcome.write_text("[" * 100_000),
        lambda _, outcome: outcome.write_text(json.dumps({**json.loads(outcome.read_text()), "incomplete": []})),
        lambda _, outcome: outcome.write_text(json.dumps({**json.loads(outcome.read_text()), "failures": [1]})),
    ],
)  # fmt: skip
def test_a_damaged_task_is_done_again(tmp_path: Path, damage: Callable[[Path, Path], Any]) -> None:
    """A task whose lines are not those that were written must not be whole: what is missing there is not absent."""
    spool = Spool(tmp_path / "spool")
    collecting(spool, CannedAccount(answers())).run()
    [lines] = (spool.folder / "tasks").glob("*eu-west-1*.ndjson")
    damage(lines, lines.with_suffix(".json"))
    again = CannedAccount(answers())
    collected = collecting(spool, again, resume=True).run()
    assert [key[1] for key in again.log.made if key[2] == "ec2:DescribeVolumes"] == ["eu-west-1"]
    found = [(r.region, r.properties["Encrypted"]) for r in snapshot(tmp_path, spool, collected).resources()]
    assert found == [("eu-west-1", False), ("us-east-1", False)]


@pytest.mark.parametrize("header", ["", "[]", "[1]", "7", "null", '"x"', "[" * 100_000])
def test_a_damaged_header_is_nothing_to_resume(tmp_path: Path, header: str) -> None:
    spool = Spool(tmp_path / "spool")
    spool.open({"accounts": ["1"]}, resume=False)
    (spool.folder / "collection.json").write_text(header)
    with pytest.raises(UsageError, match=r"nothing to resume|something else"):
        spool.open({"accounts": ["1"]}, resume=True)


def test_two_collections_do_not_share_a_folder(tmp_path: Path) -> None:
    first, second = Spool(tmp_path / "spool"), Spool(tmp_path / "spool")
    first.open({"accounts": ["1"]}, resume=False)
    for resume in (False, True):
        with pytest.raises(UsageError, match="another collection is writing"):
            second.open({"accounts": ["1"]}, resume=resume)
    first.remove()
    second.open({"accounts": ["1"]}, resume=False)


def test_a_full_disk_is_said_and_nothing_half_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path / "spool")
    run = collecting(spool, CannedAccount(answers()))

    def full(_self: Any, _line: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("policyengine.sources.live.spool.TaskWriter.write", full)
    with pytest.raises(OSError, match="No space left"):
        run.run()
    assert not [path for path in (spool.folder / "tasks").iterdir() if path.suffix in (".json", ".ndjson")]
