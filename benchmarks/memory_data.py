"""The resources of the in-memory figure: volumes and security groups, the same in every run.

Standard library only: the peers' environment imports this module too. One in ten breaks each rule.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

ACCOUNTS = tuple(f"{n:012d}" for n in range(111122223333, 111122223343))
REGIONS = ("eu-west-1", "eu-central-1")
VOLUME, GROUP = "AWS::EC2::Volume", "AWS::EC2::SecurityGroup"

Record = dict[str, Any]


def records(count: int, seed: int = 1) -> Iterator[Record]:
    """Yield ``count`` resources as snapshot lines hold them, volumes and groups in turn."""
    rng = random.Random(seed)
    for number in range(count):
        make = _group if number % 2 else _volume
        yield {
            "id": f"{'sg' if number % 2 else 'vol'}-{number:017x}",
            "account": ACCOUNTS[number % len(ACCOUNTS)],
            "region": REGIONS[number // 7 % len(REGIONS)],
            "tags": _tags(rng),
            **make(rng),
        }


def _tags(rng: random.Random) -> dict[str, str]:
    tags = {"Environment": rng.choice(("prod", "test", "dev")), "Name": f"node-{rng.randrange(10_000)}"}
    if rng.random() < 0.9:
        tags["Owner"] = rng.choice(("payments", "search", "platform"))
    if rng.random() < 0.5:
        tags["CostCenter"] = str(rng.randrange(1000, 9999))
    return tags


def _volume(rng: random.Random) -> Record:
    properties = {
        "AvailabilityZone": "eu-west-1a",
        "Encrypted": rng.random() < 0.9,
        "Size": rng.choice((8, 20, 100, 500)),
        "VolumeType": rng.choice(("gp2", "gp3", "io2")),
    }
    return {"type": VOLUME, "properties": properties}


def _group(rng: random.Random) -> Record:
    ingress = [
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": f"10.{rng.randrange(256)}.0.0/16"},
        {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8090, "CidrIp": "10.0.0.0/8"},
        {
            "IpProtocol": "tcp",
            "FromPort": 22,
            "ToPort": 22,
            "CidrIp": "0.0.0.0/0" if rng.random() < 0.1 else "192.168.7.0/24",
        },
    ]
    return {
        "type": GROUP,
        "properties": {"GroupDescription": "nodes", "VpcId": "vpc-1", "SecurityGroupIngress": ingress},
    }


def as_api(record: Record) -> Record:
    """Return the resource as EC2's API describes it, which is what Cloud Custodian filters."""
    tags = [{"Key": k, "Value": v} for k, v in record["tags"].items()]
    properties = record["properties"]
    if record["type"] == VOLUME:
        return {"VolumeId": record["id"], "Tags": tags, **properties}
    permissions = [
        {
            "IpProtocol": entry["IpProtocol"],
            "FromPort": entry["FromPort"],
            "ToPort": entry["ToPort"],
            "IpRanges": [{"CidrIp": entry["CidrIp"]}],
            "Ipv6Ranges": [],
            "UserIdGroupPairs": [],
            "PrefixListIds": [],
        }
        for entry in properties["SecurityGroupIngress"]
    ]
    return {
        "GroupId": record["id"],
        "OwnerId": record["account"],
        "VpcId": "vpc-1",
        "Tags": tags,
        "IpPermissions": permissions,
    }
