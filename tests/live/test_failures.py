"""Nothing is lost silently: every call of a scan fails in every way, one at a time.

No verdict turns into PASS, the failed call is named, and a second try gives what a clean run gives.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policyengine.sources.snapshot.files import expand, read_blocks
from tests.live import commands, populate, server
from tests.live.conftest import _free_port
from tests.live.faults import KINDS, Faults, install

pytest.importorskip("moto")

REGIONS = ("us-east-1", "eu-west-1")
NOW = "2026-11-21T12:00:00Z"
OPERATIONS = (
    "cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "ec2:DescribeRegions",
    "ec2:DescribeManagedPrefixLists", "ec2:DescribeSecurityGroups", "ec2:DescribeVolumes",
    "ec2:GetManagedPrefixListEntries", "iam:GetAccountAuthorizationDetails", "iam:ListRoles",
    "iam:ListOrganizationsFeatures", "kms:DescribeKey", "kms:GetKeyRotationStatus", "kms:ListKeys",
    "organizations:DescribeOrganization", "organizations:DescribePolicy",
    "organizations:ListAccountsForParent", "organizations:ListDelegatedAdministrators",
    "organizations:ListOrganizationalUnitsForParent", "organizations:ListPolicies", "organizations:ListRoots",
    "organizations:ListTagsForResource", "organizations:ListTargetsForPolicy", "rds:DescribeDBInstances",
    "s3:GetBucketEncryption", "s3:GetBucketPolicy", "s3:GetPublicAccessBlock", "s3:ListBuckets",
)  # fmt: skip
"""Every operation of the scan; a test holds that there are no others."""
SAMPLE = (
    ("ec2:DescribeVolumes", "malformed"), ("iam:GetAccountAuthorizationDetails", "html"),
    ("organizations:DescribeOrganization", "denied"), ("s3:GetBucketPolicy", "scp"),
    ("kms:GetKeyRotationStatus", "region"),
)  # fmt: skip

Key = tuple[str, ...]
_CLOCK = re.compile(rb'"Latest(RestorableTime|DeliveryTime)":"[^"]*"')


class Lab:
    """One populated account, and commands run in this process with faults."""

    def __init__(self, endpoint: str, folder: Path) -> None:
        self.endpoint = endpoint
        self.folder = folder
        populate.organization(endpoint, 1, REGIONS)
        self.clean: Any = None

    def run(self, patch: pytest.MonkeyPatch, faults: Faults, *arguments: str) -> int:
        """Run a command; its exit code."""
        from policyengine.cli.main import main

        threshold = gc.get_threshold()
        with patch.context() as inner, pytest.raises(SystemExit) as ended:
            for name, value in commands.environ(self.endpoint, self.folder).items():
                inner.setenv(name, value)
            inner.setattr("policyengine.cli.run.now_text", lambda: NOW)
            install(faults, inner.setattr)
            main([*arguments, "-q"])
        gc.set_threshold(
            *threshold
        )  # a command is made for a process of its own, and lets clients, which are cycles, lie
        gc.collect()
        assert isinstance(ended.value.code, int)
        return ended.value.code

    def snapshot(self, patch: pytest.MonkeyPatch, faults: Faults, folder: Path, *more: str) -> int:
        """Collect the account."""
        chosen = commands.rules(populate.RULES)
        where = ["--live", "--regions", ",".join(REGIONS), "--rate", "10000", "-o", str(folder)]
        return self.run(patch, faults, "snapshot", *where, *chosen, *more)

    def verdicts(self, patch: pytest.MonkeyPatch, folder: Path) -> dict[Key, Any]:
        """Evaluate what was collected: place, resource and rule -> finding."""
        file = self.folder / "report.json"
        chosen = commands.rules(populate.RULES)
        self.run(patch, Faults([]), "scan", str(folder), *chosen, "--as-of", NOW, "--format", f"json={file}")
        report = json.loads(file.read_text())
        return {
            (r["account"], r["region"], r["type"], r["id"], f["rule"]): f
            for f in report["findings"]
            for r in (f["resource"],)
        }


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with server.running(_free_port()) as endpoint:
        made = Lab(endpoint, tmp_path_factory.mktemp("lab"))
        with pytest.MonkeyPatch.context() as patch:
            faults = Faults([])
            folder = made.folder / "clean"
            assert made.snapshot(patch, faults, folder) == 0
            made.clean = (folder, made.verdicts(patch, folder), faults.seen)
        yield made


def test_these_are_all_operations(lab: Lab) -> None:
    assert lab.clean[2] == {*OPERATIONS, "sts:GetCallerIdentity"}


@pytest.mark.parametrize(("operation", "kind"), SAMPLE)
def test_a_failure_is_not_lost(
    lab: Lab, operation: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _try(lab, {"operation": operation, "kind": kind}, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_failure_of_every_call_is_not_lost(
    lab: Lab, operation: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _try(lab, {"operation": operation, "kind": kind}, tmp_path, monkeypatch)


@pytest.mark.parametrize("kind", ["denied", "expired", "malformed"])
def test_no_identity_no_scan(lab: Lab, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = Faults([{"operation": "sts:GetCallerIdentity", "kind": kind}])
    assert lab.snapshot(monkeypatch, faults, tmp_path / "snapshot") == 2
    assert not (tmp_path / "snapshot").exists()


def _try(lab: Lab, fault: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "snapshot"
    clean_folder, before, _ = lab.clean
    code = lab.snapshot(monkeypatch, Faults([fault]), folder)
    assert code == 4, f"the run says {code}"
    manifest = _manifest(folder)
    name = fault["operation"].partition(":")[2]
    told = [f"{error['operation']} {error['message']}" for error in manifest["errors"]]
    assert any(name in text for text in told), told
    after = lab.verdicts(monkeypatch, folder)
    for key, finding in after.items():
        was = before.get(key, {"verdict": "absent"})["verdict"]
        assert finding["verdict"] == was or finding["verdict"] == "UNKNOWN", (key, was, finding["verdict"])
        if finding["verdict"] != was:
            assert _named(finding, manifest["errors"]), (key, finding["message"], finding["evidence"])
    if fault["kind"] == "scp":
        assert "--format scp-exemption" in json.dumps(manifest["errors"])
    assert lab.snapshot(monkeypatch, Faults([]), folder, "--resume") == 0
    assert _content(folder) == _content(clean_folder)
    assert _manifest(folder)["coverage"] == _manifest(clean_folder)["coverage"]
    assert lab.verdicts(monkeypatch, folder) == before


def _named(finding: dict[str, Any], errors: list[dict[str, Any]]) -> bool:
    """Whether an UNKNOWN finding names a call that failed."""
    text = json.dumps(finding)
    return any(error["operation"] in text for error in errors)


def _manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def _content(folder: Path) -> dict[str, bytes]:
    """The lines of each part, without two times that moto reads off its clock."""
    parts = sorted((folder / "resources").iterdir())
    return {part.name: _CLOCK.sub(b"", b"".join(expand(read_blocks(part)))) for part in parts}
