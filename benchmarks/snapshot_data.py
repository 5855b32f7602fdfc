"""A generated snapshot of any size, the same in every run, written in constant memory.

``python -m benchmarks.snapshot_data FOLDER COUNT``. An account and region holds about a thousand
resources: a network with its satellites folded in, machines with their volumes and interfaces,
data stores, functions with their log groups, queues, keys, alarms; each account has what the
account-wide rules ask about. A share of everything breaks its rules.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CREATED = "2026-11-21T09:00:00Z"
REGIONS = ("eu-central-1", "eu-west-1")

Record = dict[str, Any]


class Place:
    """Makes the records of one account and region."""

    def __init__(self, account: str, region: str, index: int) -> None:
        self.account, self.region, self.index = account, region, index
        self.rng = random.Random(index)
        self.records: list[Record] = []
        self.vpc = self.hex("vpc", 0)
        self.subnets = [self.hex("subnet", n) for n in range(6)]
        self.groups: list[str] = []
        self.instances: list[str] = []
        self.keys = [f"{index:08x}-0000-4000-8000-{n:012x}" for n in range(8)]

    def hex(self, prefix: str, number: int) -> str:
        """Return an id such as ``vol-0...`` that is the only one of its kind."""
        return f"{prefix}-{self.index:09x}{number:08x}"

    def arn(self, service: str, rest: str) -> str:
        """Return an ARN of this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"

    def chance(self, share: float) -> bool:
        """Return True in this share of the calls."""
        return self.rng.random() < share

    def key(self) -> str:
        """Return the ARN of one of the keys."""
        return self.arn("kms", f"key/{self.rng.choice(self.keys)}")

    def add(self, type_: str, ident: str, properties: Record, **more: Any) -> None:
        """Add one record, with tags of which some are missing or misspelt."""
        tags = {"CostCenter": "cc-210", "Project": "payments", "Environment": "prod"}
        if self.chance(0.85):
            tags["Owner"] = self.rng.choice(("payments-team", "search-team", "tbd"))
        if self.chance(0.05):
            del tags["CostCenter"]
            tags["Cost-Center"] = "cc-210"
        record = {"type": type_, "id": ident, **more, "account": self.account, "region": self.region}
        record |= {"tags": tags, "properties": properties, "collected_at": CREATED}
        self.records.append(record)

    def lines(self) -> list[bytes]:
        """Return the lines in the order the format asks for."""
        self.records.sort(key=lambda r: (r["type"], r["id"]))
        return [
            json.dumps(r, separators=(",", ":"), ensure_ascii=False).encode() + b"\n" for r in self.records
        ]


def network(place: Place) -> None:
    """A VPC with six subnets, their routes and eighty-odd security groups."""
    gateway = place.hex("igw", 0)
    place.add("AWS::EC2::VPC", place.vpc, {"VpcId": place.vpc, "CidrBlock": "10.4.0.0/16"})
    attachment = [{"InternetGatewayId": gateway, "VpcId": place.vpc}]
    place.add(
        "AWS::EC2::InternetGateway",
        gateway,
        {"InternetGatewayId": gateway},
        related={"attachments": attachment},
    )
    for number, subnet in enumerate(place.subnets):
        table = place.hex("rtb", number)
        target = {"GatewayId": gateway} if number < 2 else {"NatGatewayId": place.hex("nat", 0)}
        route = {"DestinationCidrBlock": "0.0.0.0/0", "RouteTableId": table, **target}
        place.add(
            "AWS::EC2::RouteTable",
            table,
            {"RouteTableId": table, "VpcId": place.vpc},
            related={"routes": [route]},
        )
        association = {"RouteTableId": table, "SubnetId": subnet}
        properties = {
            "SubnetId": subnet,
            "VpcId": place.vpc,
            "CidrBlock": f"10.4.{number}.0/24",
            "AvailabilityZone": f"{place.region}{'abc'[number % 3]}",
            "MapPublicIpOnLaunch": number == 0,
        }
        place.add("AWS::EC2::Subnet", subnet, properties, related={"route_table_associations": [association]})
    for number in range(90):
        group(place, number)


def group(place: Place, number: int) -> None:
    """A security group: from the load balancer's group, from the network, now and then from anywhere."""
    ident = place.hex("sg", number)
    ingress: list[Record] = [
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": f"10.4.{number}.0/24"},
        {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "SourceSecurityGroupId": place.hex("sg", 0)},
    ]
    if place.chance(0.1):
        port = place.rng.choice((22, 443, 3306, 3389))
        ingress.append({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "0.0.0.0/0"})
    egress = [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}]
    place.groups.append(ident)
    properties = {
        "GroupId": ident,
        "GroupName": f"app-{number}",
        "GroupDescription": "nodes",
        "VpcId": place.vpc,
        "SecurityGroupIngress": ingress,
        "SecurityGroupEgress": egress,
    }
    place.add("AWS::EC2::SecurityGroup", ident, properties)


def machines(place: Place) -> None:
    """Instances with an interface and two volumes each, and snapshots of some volumes."""
    for number in range(110):
        ident, subnet = place.hex("i", number), place.rng.choice(place.subnets)
        groups = place.rng.sample(place.groups, 2)
        place.instances.append(ident)
        properties = {
            "InstanceId": ident,
            "InstanceType": "m6i.large",
            "ImageId": "ami-0123456789abcdef0",
            "SubnetId": subnet,
            "VpcId": place.vpc,
            "SecurityGroupIds": groups,
            "State": {"Name": "running"},
            "MetadataOptions": {"HttpTokens": "required" if place.chance(0.9) else "optional"},
            "Monitoring": place.chance(0.8),
        }
        place.add("AWS::EC2::Instance", ident, properties)
        interface = place.hex("eni", number)
        attached = {
            "NetworkInterfaceId": interface,
            "InstanceId": ident,
            "SubnetId": subnet,
            "GroupSet": groups,
        }
        place.add("AWS::EC2::NetworkInterface", interface, {**attached, "VpcId": place.vpc})
        for disk in (2 * number, 2 * number + 1):
            volume(place, disk, ident)


def volume(place: Place, number: int, instance: str) -> None:
    """A volume, attached or not, and for one in four a snapshot of it."""
    ident = place.hex("vol", number)
    encrypted = place.chance(0.95)
    properties: Record = {
        "VolumeId": ident,
        "AvailabilityZone": f"{place.region}a",
        "Size": 100,
        "VolumeType": "gp3" if place.chance(0.9) else "gp2",
        "Encrypted": encrypted,
        "State": "in-use",
    }
    if encrypted:
        properties["KmsKeyId"] = place.key()
    attachment = [{"VolumeId": ident, "InstanceId": instance, "Device": "/dev/xvda"}]
    place.add("AWS::EC2::Volume", ident, properties, related={"attachments": attachment})
    if number % 4 == 0:
        copy = place.hex("snap", number)
        about = {"SnapshotId": copy, "VolumeId": ident, "Encrypted": encrypted, "StartTime": CREATED}
        place.add("AWS::EC2::Snapshot", copy, about)


def data_stores(place: Place) -> None:
    """Buckets with their policies, databases, tables and secrets."""
    for number in range(50):
        name = f"payments-{place.index:06d}-{number:03d}"
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        blocked = dict.fromkeys(
            ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"),
            place.chance(0.95),
        )
        properties: Record = {
            "BucketName": name,
            "PublicAccessBlockConfiguration": blocked,
            "VersioningConfiguration": {"Status": "Enabled" if place.chance(0.8) else "Suspended"},
        }
        policy = {"Bucket": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
        place.add(
            "AWS::S3::Bucket", name, properties, arn=f"arn:aws:s3:::{name}", related={"policies": [policy]}
        )
    for number in range(15):
        database(place, number)
    for number in range(30):
        name = f"orders-{number:03d}"
        backup = {"PointInTimeRecoveryEnabled": place.chance(0.8)}
        properties = {
            "TableName": name,
            "PointInTimeRecoverySpecification": backup,
            "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": place.key()},
            "DeletionProtectionEnabled": place.chance(0.9),
        }
        place.add("AWS::DynamoDB::Table", name, properties, arn=place.arn("dynamodb", f"table/{name}"))
    for number in range(30):
        ident = place.arn("secretsmanager", f"secret:payments/{number:03d}-ExAmPl")
        rules = {"SecretId": ident, "RotationRules": {"AutomaticallyAfterDays": 30}}
        about = {
            "Id": ident,
            "Name": f"payments/{number:03d}",
            "KmsKeyId": place.key(),
            "RotationEnabled": True,
        }
        related = {"rotation_schedules": [rules]}
        place.add("AWS::SecretsManager::Secret", ident, about, arn=ident, related=related)


def database(place: Place, number: int) -> None:
    """A database instance."""
    name = f"orders-{number:03d}"
    properties = {
        "DBInstanceIdentifier": name,
        "DBInstanceClass": "db.r6g.large",
        "Engine": "postgres",
        "EngineVersion": "16.4",
        "StorageEncrypted": place.chance(0.95),
        "KmsKeyId": place.key(),
        "PubliclyAccessible": place.chance(0.05),
        "MultiAZ": place.chance(0.8),
        "BackupRetentionPeriod": place.rng.choice((1, 7, 14)),
        "DeletionProtection": place.chance(0.9),
        "VPCSecurityGroups": [place.rng.choice(place.groups)],
        "AutoMinorVersionUpgrade": True,
        "EnableIAMDatabaseAuthentication": place.chance(0.7),
    }
    place.add("AWS::RDS::DBInstance", name, properties, arn=place.arn("rds", f"db:{name}"))


def services(place: Place) -> None:
    """Functions with their log groups, queues, topics, alarms and keys."""
    for number in range(100):
        name = f"payments-{number:03d}"
        arn = place.arn("lambda", f"function:{name}")
        properties: Record = {
            "FunctionName": name,
            "Arn": arn,
            "Runtime": place.rng.choice(("python3.12", "nodejs20.x", "python3.8")),
            "Role": f"arn:aws:iam::{place.account}:role/payments",
            "MemorySize": 256,
            "Timeout": 30,
            "TracingConfig": {"Mode": "Active"},
            "Environment": {"Variables": {"STAGE": "prod"}},
        }
        permission = {
            "Action": "lambda:InvokeFunction",
            "FunctionName": name,
            "Principal": "events.amazonaws.com",
        }
        place.add("AWS::Lambda::Function", name, properties, arn=arn, related={"permissions": [permission]})
        logs = f"/aws/lambda/{name}"
        about: Record = {"LogGroupName": logs, "KmsKeyId": place.key()}
        if place.chance(0.9):
            about["RetentionInDays"] = 365
        place.add("AWS::Logs::LogGroup", logs, about, arn=place.arn("logs", f"log-group:{logs}:*"))
    for number in range(30):
        name = f"orders-{number:03d}"
        url = f"https://sqs.{place.region}.amazonaws.com/{place.account}/{name}"
        arn = place.arn("sqs", name)
        properties = {"QueueName": name, "Arn": arn, "KmsMasterKeyId": place.key()}
        if place.chance(0.9):
            target = place.arn("sqs", "orders-000")
            properties["RedrivePolicy"] = {"deadLetterTargetArn": target, "maxReceiveCount": 3}
        place.add("AWS::SQS::Queue", url, properties, arn=arn)
    for number in range(16):
        arn = place.arn("sns", f"alerts-{number:03d}")
        place.add("AWS::SNS::Topic", arn, {"TopicArn": arn, "KmsMasterKeyId": place.key()}, arn=arn)
        alarm = {"AlarmName": f"errors-{number:03d}", "MetricName": "Errors", "Namespace": "AWS/Lambda"}
        place.add("AWS::CloudWatch::Alarm", alarm["AlarmName"], {**alarm, "AlarmActions": [arn]})
    for key in place.keys:
        arn = place.arn("kms", f"key/{key}")
        about = {"KeyId": key, "Arn": arn, "EnableKeyRotation": place.chance(0.9), "KeyState": "Enabled"}
        place.add("AWS::KMS::Key", key, about, arn=arn)


def fill(place: Place) -> None:
    """Add about a thousand records to a region; to the account's global place what stands for it."""
    if place.region == "global":
        place.add("AWS::::Account", place.account, {"AccountId": place.account})
        return
    for add in (network, machines, data_stores, services):
        add(place)
    place.add("PolicyEngine::Account::Region", f"{place.account}:{place.region}", {})


def parts(count: int) -> Iterator[tuple[str, str, list[bytes]]]:
    """Yield (account, region, lines) in the order of a snapshot, ``count`` lines in all."""
    left, index = count, 0
    while left > 0:
        account = f"{200000000000 + index:012d}"
        for region in (*REGIONS, "global"):
            place = Place(account, region, index)
            fill(place)
            lines = place.lines()[:left]
            index += 1
            left -= len(lines)
            if lines:
                yield account, region, lines


def write(folder: Path, count: int) -> Path:
    """Write the snapshot and return its folder."""
    import zstandard

    (folder / "resources").mkdir(parents=True)
    listed, covered = [], []
    for account, region, lines in parts(count):
        name = f"resources/{account}-{region}-0001.ndjson.zst"
        body = zstandard.ZstdCompressor(level=3).compress(b"".join(lines))
        (folder / name).write_bytes(body)
        digest = hashlib.sha256(body).hexdigest()
        listed.append({"path": name, "account": account, "region": region, "sha256": digest,
                       "bytes": len(body), "resources": len(lines)})  # fmt: skip
        covered.append({"account": account, "region": region, "types": ["*"]})
    manifest = {"version": "1.0", "created": CREATED, "coverage": covered, "parts": listed, "errors": []}
    (folder / "manifest.json").write_text(json.dumps(manifest) + "\n")
    return folder


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
