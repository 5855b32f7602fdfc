"""The account the peers were measured on, as a snapshot, the same in every run; and the same with some edits.

``python -m benchmarks.account_data FOLDER [SHARE [ACCOUNTS [PREFIX]]]``: 500 security groups, 500 buckets, 300 roles and as many
managed policies, 200 volumes on 100 instances, 50 databases, 50 functions, keys, log groups, a pipeline. ``SHARE``
(0.01) changes that share of each type in it. ``ACCOUNTS``: as many of the same kind. Types
that begin with ``PREFIX`` (``AWS::IAM::``) stay as they are.
"""

from __future__ import annotations

import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import iam_data, snapshot_data
from benchmarks.snapshot_data import Place, Record
from policyengine.model.resource import Resource
from policyengine.sources.snapshot import write_snapshot
from policyengine.sources.snapshot.lines import parse_line

FIRST = 100_000_000_000
REGION = iam_data.REGION
ROLES = POLICIES = 300


def main(argv: list[str]) -> int:
    """Write the snapshot."""
    share = float(argv[1]) if len(argv) > 1 else 0.0
    accounts = int(argv[2]) if len(argv) > 2 else 1
    print(f"{write(Path(argv[0]), share, accounts, *argv[3:])} changed")
    return 0


def write(folder: Path, share: float = 0.0, accounts: int = 1, but: str = "-") -> int:
    """Write the snapshot with a share of each type changed; returns how many resources that were."""
    ids = [str(FIRST + number) for number in range(accounts)]
    found = [resource for number, id_ in enumerate(ids) for resource in resources(id_, number)]
    number = sum(change([r for r in found if r.account == id_], share, id_, but) for id_ in ids)
    covered = frozenset((id_, region, "*") for id_ in ids for region in (REGION, "global"))
    write_snapshot(folder, found, created=snapshot_data.CREATED, coverage=covered)
    return number


def resources(account: str = str(FIRST), number: int = 0) -> Iterator[Resource]:
    """Yield what an account holds."""
    place = Place(account, REGION, 2 * number + 1)
    snapshot_data.network(place)
    for group in range(90, 500):
        snapshot_data.group(place, group)
    for volume in range(200):
        snapshot_data.volume(place, volume, _instance(place, volume // 2))
    for _ in range(10):
        snapshot_data.data_stores(place)
    for database in range(50):
        snapshot_data.database(place, database)
    snapshot_data.services(place)
    yield from map(_resource, _kept(place.records))
    yield from iam_data.account(account, ROLES, POLICIES)
    world = Place(account, "global", 2 * number + 2)
    snapshot_data.fill(world)
    yield from map(_resource, world.records)
    yield Resource("PolicyEngine::Account::Region", f"{account}:{REGION}", account, REGION, {})


def _instance(place: Place, number: int) -> str:
    """Add the instance of a volume if it is not there yet."""
    ident = place.hex("i", number)
    if ident not in place.instances:
        place.instances.append(ident)
        properties: Record = {
            "InstanceId": ident,
            "InstanceType": "m6i.large",
            "SubnetId": place.rng.choice(place.subnets),
            "VpcId": place.vpc,
            "SecurityGroupIds": place.rng.sample(place.groups, 2),
            "State": {"Name": "running"},
            "MetadataOptions": {"HttpTokens": "required" if place.chance(0.9) else "optional"},
        }
        place.add("AWS::EC2::Instance", ident, properties)
    return ident


def _kept(records: list[Record]) -> Iterator[Record]:
    """Yield the records under names of their own, no more than 50 functions."""
    seen: set[tuple[str, str]] = set()
    numbers: dict[str, int] = defaultdict(int)
    for record in records:
        type_ = record["type"]
        numbers[type_] += 1
        if type_ == "AWS::S3::Bucket":
            old, new = record["id"], f"{record['id']}-{numbers[type_]}"
            record = json.loads(json.dumps(record).replace(old, new))
        if (type_, record["id"]) in seen or (type_ == "AWS::Lambda::Function" and numbers[type_] > 50):
            continue
        seen.add((type_, record["id"]))
        yield record


def _resource(record: Record) -> Resource:
    return parse_line(json.dumps(record).encode())


def change(found: list[Resource], share: float, seed: str, but: str) -> int:
    """Change a share of each type, in place: what a day of work changes."""
    rng = random.Random(seed)
    by_type: dict[str, list[Resource]] = defaultdict(list)
    for resource in found:
        if not resource.type.startswith(but):
            by_type[resource.type].append(resource)
    changed = 0
    for type_, members in sorted(by_type.items()):
        for resource in rng.sample(members, round(share * len(members))):
            _edit(type_, resource)
            changed += 1
    return changed


def _edit(type_: str, resource: Resource) -> None:
    properties: dict[str, Any] = resource.properties
    if type_ == "AWS::EC2::SecurityGroup":
        opened = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}
        properties["SecurityGroupIngress"] = [*properties["SecurityGroupIngress"], opened]
    elif type_ == "AWS::IAM::ManagedPolicy":
        statement = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
        document = properties["PolicyDocument"]
        properties["PolicyDocument"] = {**document, "Statement": [*document["Statement"], statement]}
    elif type_ == "AWS::IAM::Role":
        properties["MaxSessionDuration"] = 7200
    elif isinstance(resource.tags, dict):
        resource.tags["Owner"] = "somebody-else"
    else:
        properties["Description"] = "edited"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
