"""A history of AWS Config for one account: delivered items, the same in every run.

``python -m benchmarks.timeline_data FILE ITEMS GROUPS``: a network with so many security groups, instances with their
interfaces and volumes, keys, roles with their policies, buckets and databases, each changed as often as it takes. Half of
the changes are of tags, the others of what rules read: open ports, policies, routes, encryption.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ACCOUNT, REGION = "111122223333", "eu-west-1"
START = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = 90
DISCOVERY = 300
"""Seconds in which what is there is discovered."""
Json = dict[str, Any]
Make = Callable[[random.Random, int, int], Json]
"""Returns configuration, and under ``+`` the supplementary configuration, of a resource: its number, how many groups."""


def items(count: int, groups: int, seed: int = 1) -> Iterator[Json]:
    """Yield items in the order of time: one of every resource in the first minutes, as a recorder that is started discovers
    them, then changes of any of them."""
    rng = random.Random(seed)
    of = [
        (type_, number)
        for type_, share in _TYPES.items()
        for number in range(max(1, round(share[0] * groups)))
    ]
    known: dict[tuple[str, int], Json] = {}
    for order in range(count):
        first = order * DISCOVERY // len(of)
        at = START + timedelta(
            seconds=first if order < len(of) else DISCOVERY + order * DAYS * 86_400 // count
        )
        key = of[order] if order < len(of) else rng.choice(of)
        made = known.get(key)
        if made is None or rng.random() < 0.5:
            made = known[key] = _TYPES[key[0]][1](rng, key[1], groups)
        yield _item(key, made, at, order, {"Owner": rng.choice(("payments", "search", "platform"))})


def write(file: Path, count: int, groups: int) -> None:
    """Write a history file as AWS Config delivers it."""
    with file.open("w", encoding="utf-8") as out:
        out.write('{"fileVersion":"1.0","configurationItems":[')
        for number, item in enumerate(items(count, groups)):
            out.write(("," if number else "") + json.dumps(item))
        out.write("]}")


def _item(key: tuple[str, int], made: Json, at: datetime, order: int, tags: Json) -> Json:
    type_, number = key
    id_ = _TYPES[type_][2].format(number)
    configuration = {name: value for name, value in made.items() if name != "+"}
    shown = [{"key": name, "value": value} for name, value in tags.items()]
    if type_.startswith("AWS::EC2"):
        configuration["tags"] = shown
    return {
        "configurationItemVersion": "1.3", "configurationItemCaptureTime": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "configurationStateId": 1_700_000_000_000 + order, "awsAccountId": ACCOUNT,
        "configurationItemStatus": "OK", "resourceType": type_, "resourceId": id_, "resourceName": id_,
        "ARN": made.get("arn", f"arn:aws:{type_.split('::')[1].lower()}:{REGION}:{ACCOUNT}:{id_}"),
        "awsRegion": "global" if type_.startswith("AWS::IAM") else REGION, "tags": tags, "relationships": made["+"].get("~", []),
        "relatedEvents": [], "supplementaryConfiguration": {k: v for k, v in made["+"].items() if k != "~"},
        "configuration": configuration,
    }  # fmt: skip


def _some(rng: random.Random, name: str, share: float, groups: int) -> str:
    return name.format(rng.randrange(max(1, round(share * groups))))


def _group(rng: random.Random, number: int, groups: int) -> Json:
    return {
        "description": f"group {rng.randrange(9)}", "groupName": f"group-{number}", "groupId": f"sg-{number:08x}",
        "ownerId": ACCOUNT, "vpcId": "vpc-1", "ipPermissions": [_permission(rng, groups) for _ in range(rng.randrange(1, 4))],
        "ipPermissionsEgress": [_permission(rng, groups, port=-1)],
    }  # fmt: skip


def _permission(rng: random.Random, groups: int, port: int | None = None) -> Json:
    port = rng.choice((22, 443, 3306, 5432, 8080)) if port is None else port
    other = rng.random() < 0.4
    ranges = [] if other else [{"cidrIp": rng.choice(("0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16"))}]
    return {
        **({"ipProtocol": "tcp", "fromPort": port, "toPort": port} if port >= 0 else {"ipProtocol": "-1"}),
        "ipv4Ranges": ranges, "ipRanges": [each["cidrIp"] for each in ranges], "ipv6Ranges": [], "prefixListIds": [],
        "userIdGroupPairs": [{"groupId": _some(rng, "sg-{:08x}", 1, groups), "userId": ACCOUNT}] if other else [],
    }  # fmt: skip


def _instance(rng: random.Random, number: int, groups: int) -> Json:
    chosen = [{"groupId": _some(rng, "sg-{:08x}", 1, groups)} for _ in range(2)]
    subnet = _some(rng, "subnet-{}", 0.04, groups)
    return {
        "instanceId": f"i-{number}", "imageId": "ami-1", "state": {"code": 16, "name": "running"}, "instanceType": "m6i.large",
        "metadataOptions": {"state": "applied", "httpTokens": rng.choice(("required", "optional")), "httpPutResponseHopLimit": 1,
                            "httpEndpoint": "enabled"},
        "subnetId": subnet, "vpcId": "vpc-1", "privateIpAddress": "10.0.0.7", "securityGroups": chosen,
        "iamInstanceProfile": {"arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/profile-{number}"},
        "networkInterfaces": [{"networkInterfaceId": f"eni-{number}", "groups": chosen, "subnetId": subnet, "vpcId": "vpc-1",
                               "association": {"publicIp": "198.51.100.7"}}],
        "blockDeviceMappings": [], "monitoring": {"state": "disabled"}, "ebsOptimized": True,
        **({"publicIpAddress": "198.51.100.7"} if rng.random() < 0.5 else {}), "+": {},
    }  # fmt: skip


def _interface(rng: random.Random, number: int, groups: int) -> Json:
    return {
        "networkInterfaceId": f"eni-{number}", "subnetId": _some(rng, "subnet-{}", 0.04, groups), "vpcId": "vpc-1",
        "description": f"eth{rng.randrange(9)}", "interfaceType": "interface", "status": "in-use", "ownerId": ACCOUNT,
        "groups": [{"groupId": _some(rng, "sg-{:08x}", 1, groups)} for _ in range(2)],
        "attachment": {"instanceId": f"i-{number}"}, "privateIpAddress": "10.0.0.7",
        **({"association": {"publicIp": "198.51.100.7"}} if rng.random() < 0.5 else {}), "+": {},
    }  # fmt: skip


def _volume(rng: random.Random, number: int, groups: int) -> Json:
    return {
        "volumeId": f"vol-{number}", "encrypted": rng.random() < 0.8, "size": 100, "volumeType": "gp3", "state": "in-use",
        "kmsKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/" + _some(rng, "key-{}", 0.04, groups),
        "attachments": [{"volumeId": f"vol-{number}", "instanceId": _some(rng, "i-{}", 0.4, groups), "device": "/dev/xvda"}],
        "+": {},
    }  # fmt: skip


def _subnet(rng: random.Random, number: int, _groups: int) -> Json:
    return {"subnetId": f"subnet-{number}", "vpcId": "vpc-1", "cidrBlock": f"10.0.{number % 250}.0/24", "state": "available",
            "availabilityZone": f"{REGION}a", "mapPublicIpOnLaunch": rng.random() < 0.3, "+": {}}  # fmt: skip


def _routes(rng: random.Random, number: int, _groups: int) -> Json:
    routes = [{"destinationCidrBlock": "10.0.0.0/16", "gatewayId": "local", "state": "active"}]
    if rng.random() < 0.5:
        routes.append({"destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1", "state": "active"})
    return {"routeTableId": f"rtb-{number}", "vpcId": "vpc-1", "routes": routes, "+": {},
            "associations": [{"subnetId": f"subnet-{number}", "main": False, "routeTableId": f"rtb-{number}"}]}  # fmt: skip


def _vpc(rng: random.Random, number: int, _groups: int) -> Json:
    return {
        "vpcId": f"vpc-{number + 1}",
        "cidrBlock": "10.0.0.0/16",
        "isDefault": rng.random() < 0.5,
        "state": "available",
        "+": {},
    }


def _gateway(_rng: random.Random, number: int, _groups: int) -> Json:
    return {
        "internetGatewayId": f"igw-{number + 1}",
        "attachments": [{"vpcId": "vpc-1", "state": "available"}],
        "+": {},
    }


def _key(rng: random.Random, number: int, _groups: int) -> Json:
    return {"keyId": f"key-{number}", "arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/key-{number}", "enabled": True,
            "keyManager": "CUSTOMER", "keyState": "Enabled", "keySpec": "SYMMETRIC_DEFAULT", "keyUsage": "ENCRYPT_DECRYPT",
            "+": {"KeyRotationStatus": rng.random() < 0.6}}  # fmt: skip


def _statement(rng: random.Random) -> Json:
    """What workloads do; one statement in thirty is of the kind that leads from one principal to another."""
    plain = (
        "s3:GetObject",
        "s3:PutObject",
        "sqs:SendMessage",
        "dynamodb:GetItem",
        "logs:PutLogEvents",
        "ec2:DescribeInstances",
    )
    action = rng.choice(("iam:PassRole", "lambda:*", "s3:*")) if rng.random() < 1 / 30 else rng.choice(plain)
    return {"Effect": "Allow", "Action": action, "Resource": rng.choice(("*", "arn:aws:s3:::data/*"))}


def _document(statements: list[Json]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _role(rng: random.Random, number: int, groups: int) -> Json:
    services = ("ec2.amazonaws.com", "lambda.amazonaws.com", "codebuild.amazonaws.com")
    trusted = rng.choice(services) if rng.random() < 0.05 else services[number % 3]
    trust = {"Effect": "Allow", "Principal": {"Service": trusted}, "Action": "sts:AssumeRole"}
    name = _some(rng, "policy-{}", 0.2, groups)
    return {
        "path": "/", "roleName": f"role-{number}", "roleId": f"AROA{number:016d}", "createDate": "2026-01-01T00:00:00.000Z",
        "arn": f"arn:aws:iam::{ACCOUNT}:role/role-{number}", "assumeRolePolicyDocument": _document([trust]),
        "instanceProfileList": [], "rolePolicyList": [{"policyName": "own", "policyDocument": _document([_statement(rng)])}],
        "attachedManagedPolicies": [{"policyName": name, "policyArn": f"arn:aws:iam::{ACCOUNT}:policy/{name}"}], "tags": [],
        "+": {},
    }  # fmt: skip


def _policy(rng: random.Random, number: int, groups: int) -> Json:
    del groups
    return {"policyName": f"policy-{number}", "arn": f"arn:aws:iam::{ACCOUNT}:policy/policy-{number}", "path": "/",
            "attachmentCount": 0, "defaultVersionId": "v1", "isAttachable": True, "+": {},
            "policyVersionList": [{"versionId": "v1", "isDefaultVersion": True,
                                   "document": _document([_statement(rng) for _ in range(2)])}]}  # fmt: skip


def _bucket(rng: random.Random, number: int, _groups: int) -> Json:
    blocked = rng.random() < 0.8
    names = ("blockPublicAcls", "ignorePublicAcls", "blockPublicPolicy", "restrictPublicBuckets")
    return {"name": f"bucket-{number}", "owner": {"id": "me"}, "creationDate": "2026-01-01T00:00:00.000Z",
            "+": {"PublicAccessBlockConfiguration": dict.fromkeys(names, blocked), "BucketPolicy": {"policyText": None},
                  "BucketVersioningConfiguration": {"status": rng.choice(("Enabled", "Off"))},
                  "BucketLoggingConfiguration": {"destinationBucketName": "bucket-0", "logFilePrefix": "x/"}}}  # fmt: skip


def _database(rng: random.Random, number: int, groups: int) -> Json:
    chosen = [{"vpcSecurityGroupId": _some(rng, "sg-{:08x}", 1, groups), "status": "active"}]
    return {
        "dBInstanceIdentifier": f"db-{number}", "engine": "postgres", "dBInstanceClass": "db.m6g.large",
        "dBInstanceStatus": "available", "storageEncrypted": rng.random() < 0.7, "publiclyAccessible": rng.random() < 0.3,
        "vpcSecurityGroups": chosen, "backupRetentionPeriod": 7, "multiAZ": True, "dbInstancePort": 5432,
        "endpoint": {"port": 5432}, "+": {},
    }  # fmt: skip


def _plain(make: Make) -> Make:
    return lambda rng, number, groups: {"+": {}, **make(rng, number, groups)}


_TYPES: dict[str, tuple[float, Make, str]] = {
    "AWS::EC2::VPC": (0, _vpc, "vpc-1"), "AWS::EC2::InternetGateway": (0, _gateway, "igw-1"),
    "AWS::EC2::Subnet": (0.04, _subnet, "subnet-{}"), "AWS::EC2::RouteTable": (0.04, _routes, "rtb-{}"),
    "AWS::KMS::Key": (0.04, _key, "key-{}"), "AWS::EC2::SecurityGroup": (1, _plain(_group), "sg-{:08x}"),
    "AWS::EC2::Instance": (0.4, _instance, "i-{}"), "AWS::EC2::NetworkInterface": (0.4, _interface, "eni-{}"),
    "AWS::EC2::Volume": (0.4, _volume, "vol-{}"), "AWS::IAM::Policy": (0.2, _policy, "policy-{}"),
    "AWS::IAM::Role": (0.2, _role, "role-{}"), "AWS::S3::Bucket": (0.2, _bucket, "bucket-{}"),
    "AWS::RDS::DBInstance": (0.1, _database, "db-{}"),
}  # fmt: skip
"""Type -> how many there are for each security group, what makes one, its id."""


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
