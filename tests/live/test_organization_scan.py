"""A whole organisation over HTTP, as a user scans it: every account its own, verdicts as populated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from policyengine.aws.actions import actions_for
from policyengine.cli.live.collect import plan_for
from policyengine.cli.live.wish import ROLE_NAME
from policyengine.cli.run import selected
from policyengine.deploy import scanner_role
from policyengine.iam.scenarios import Decider
from policyengine.rules.packs import load_packs
from tests.live import commands, populate, server
from tests.live.commands import AS_OF, Verdict
from tests.live.conftest import _free_port

pytest.importorskip("moto")

SMALL = (5, ("us-east-1", "eu-west-1"))
LARGE = (20, ("us-east-1", "eu-west-1", "ap-south-1"))


class World:
    """A server with an organisation on it."""

    def __init__(self, endpoint: str, size: tuple[int, tuple[str, ...]]) -> None:
        self.endpoint = endpoint
        self.made = populate.organization(endpoint, *size)
        self.expected = {Verdict(*made) for made in self.made.made}
        self.arguments = [
            "--org", "--regions", ",".join(size[1]), "--rate", "10000", *commands.rules(populate.RULES),
        ]  # fmt: skip


@pytest.fixture(
    scope="module",
    params=[pytest.param(SMALL, id="5x2"), pytest.param(LARGE, id="20x3", marks=pytest.mark.slow)],
)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with server.running(_free_port()) as endpoint:
        yield World(endpoint, request.param)


def test_every_account_has_its_own_and_verdicts_are_as_populated(world: World, tmp_path: Path) -> None:
    live = commands.scan(world.endpoint, tmp_path, *world.arguments, code=1)
    assert live["run"]["complete"]
    assert commands.verdicts(live) == world.expected
    # the same in two steps: collected now, evaluated later
    folder = tmp_path / "snapshot"
    ended = commands.run(world.endpoint, tmp_path, "snapshot", *world.arguments, "-o", str(folder))
    assert ended.code == 0, ended.err
    offline = commands.scan(
        "http://127.0.0.1:9", tmp_path, str(folder), *commands.rules(populate.RULES), code=1
    )
    assert live["findings"] == offline["findings"]
    _reconciled(world, folder)
    _role(world, folder, tmp_path)
    _progress(ended.err, len(world.made.accounts))


def _reconciled(world: World, folder: Path) -> None:
    collection = json.loads((folder / "manifest.json").read_text())["collection"]
    assert {place["account"] for place in collection["places"]} == set(world.made.accounts)
    assert all(place["types"] == place["whole"] for place in collection["places"])
    assert not collection["accounts_not_read"]
    # each account is entered once, and each of its listings made once a region
    calls, accounts = collection["calls"], len(world.made.accounts)
    regions = len({made.region for made in world.made.made} - {"global"})
    assert calls["ec2:DescribeVolumes"] == calls["rds:DescribeDBInstances"] == accounts * regions
    assert calls["iam:GetAccountAuthorizationDetails"] == accounts
    assert calls["organizations:ListAccounts"] == 1
    buckets, keys = (
        len({made[:4] for made in world.made.made if made.type == type})
        for type in ("AWS::S3::Bucket", "AWS::KMS::Key")
    )
    for operation in ("GetBucketEncryption", "GetBucketPolicy", "GetPublicAccessBlock"):
        assert calls[f"s3:{operation}"] == buckets
    assert calls["kms:DescribeKey"] == calls["kms:GetKeyRotationStatus"] == keys
    assert calls["s3:ListBuckets"] == accounts * regions
    # as many calls as there are facts to be had, and not one more
    assert sum(calls.values()) <= 60 + accounts * (4 + 14 * regions) + 3 * buckets + 2 * keys


def _progress(text: str, accounts: int) -> None:
    """Not on a terminal: a line of JSON every few seconds, the last one says how it ended."""
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    last = lines[-1]
    assert last["event"] == "collecting"
    assert (last["accounts_done"], last["accounts"]) == (accounts, accounts)
    assert last["tasks_done"] == last["tasks"]
    assert last["calls"] > 0
    assert last["seconds_left"] == 0


@pytest.mark.slow
def test_some_accounts_by_unit_and_without_those_excluded(world: World, tmp_path: Path) -> None:
    unit = world.made.units["production"]
    below = [account for number, account in enumerate(world.made.accounts) if number % 4 == 1]
    arguments = ["--ous", unit, *world.arguments]
    if len(below) > 1:
        arguments += ["--exclude", below[0]]
    report = commands.scan(world.endpoint, tmp_path, *arguments)
    assert set(report["run"]["scope"]["accounts"]) == set(below[1:] or below)
    assert report["run"]["as_of"] == AS_OF


@pytest.mark.slow
def test_three_roles_that_cannot_be_assumed_cost_their_accounts_only(world: World, tmp_path: Path) -> None:
    """The first member, the last and one between: each is said, and the others are judged as if all could be read."""
    accounts = world.made.accounts
    closed = {accounts[1], accounts[len(accounts) // 2], accounts[-1]}
    faults = [
        {"operation": "sts:AssumeRole", "kind": "denied", "contains": f"%3A{each}%3A"}
        for each in sorted(closed)
    ]
    file = tmp_path / "report.json"
    ended = commands.run(
        world.endpoint, tmp_path, "scan", *world.arguments, "--format", f"json={file}", "-q", faults=faults
    )
    assert ended.code == 4, ended.err
    report = json.loads(file.read_text())
    assert commands.verdicts(report) == {made for made in world.expected if made.account not in closed}
    told = {line for line in ended.err.splitlines() if line.startswith("error: ")}
    assert len(told) == len(closed)
    for each in sorted(closed):
        role = f"arn:aws:iam::{each}:role/{ROLE_NAME}"
        (line,) = (line for line in told if role in line)
        assert "sts:AssumeRole: AccessDenied" in line
    errors = report["run"]["errors"]
    assert not report["run"]["complete"]
    assert {(e["account"], e["operation"]) for e in errors} == {(each, "sts:AssumeRole") for each in closed}


def _role(world: World, folder: Path, home: Path) -> None:
    """The role of `permissions` allows every call that was made, by our IAM library, and grants no other."""
    chosen = commands.rules(populate.RULES)
    ended = commands.run(world.endpoint, home, "permissions", "--org", "--format", "json", *chosen)
    documents = json.loads(ended.out)
    made = json.loads((folder / "manifest.json").read_text())["collection"]["calls"]
    needed = {action for operation in made for action in actions_for(operation)}
    assert needed >= {"s3:GetEncryptionConfiguration", "s3:ListAllMyBuckets", "kms:ListKeys"}
    for action in sorted(needed):
        assert _decision(documents, action) == "Allowed", action
    granted = {action for d in documents for s in d["Statement"] for action in s["Action"]}
    through = scanner_role.grant_for(plan_for(selected(load_packs(()), _choice()))).through
    assert granted - {*through} - needed == _NOT_MET
    assert _decision(documents, "s3:GetObject") == "ImplicitlyDenied"


def _choice() -> dict[str, tuple[str, ...]]:
    return {"rule_ids": populate.RULES, "families": ()}


def _decision(documents: list[Any], action: str) -> str:
    """A key is opened by its own policy: the default one, which leaves it to the account's policies
    (https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html)."""
    key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    opened = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}
        ],
    }  # fmt: skip
    about_key = action in ("kms:DescribeKey", "kms:GetKeyRotationStatus")
    scenario = {
        "id": action,
        "request": {
            "principal": "arn:aws:sts::111122223333:assumed-role/PolicyEngineScanner/policyengine",
            "action": action, "resource": key if about_key else "*", "context": {},
        },
        "identity_policies": documents,
        "resource_policy": opened if about_key else None,
    }  # fmt: skip
    return str(json.loads(Decider().answer(json.dumps(scenario)))["decision"])


_NOT_MET: Final = {"organizations:ListDelegatedServicesForAccount"}
"""Asked for each delegated administrator, and nobody is one here."""
