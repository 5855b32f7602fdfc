"""The account that the peers were measured on, in a moto server: see :data:`COUNTS`."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any, Final

from tests.live.populate import ADMINISTRATOR, READER, Clients, harden_bucket, make_bucket

COUNTS: Final = {
    "security groups": 500, "buckets": 500, "roles": 300, "policies": 300, "volumes": 200, "databases": 50,
    "functions": 50,
}  # fmt: skip
REGION: Final = "us-east-1"
_TRUST: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
_TAGS: Final = [{"Key": "Owner", "Value": "web"}]


def fill(endpoint: str) -> None:
    """Make the account; one resource in ten is bad."""
    clients = Clients(endpoint)
    _compute(clients("ec2", REGION))
    _identities(clients("iam", REGION))
    s3 = clients("s3", REGION)
    for number in range(COUNTS["buckets"]):
        make_bucket(s3, f"bench-{number:04}", REGION)
        if number % 10:
            harden_bucket(s3, f"bench-{number:04}")
    rds = clients("rds", REGION)
    for number in range(COUNTS["databases"]):
        rds.create_db_instance(
            DBInstanceIdentifier=f"bench-{number}", DBInstanceClass="db.t4g.micro", Engine="postgres",
            AllocatedStorage=20, StorageEncrypted=bool(number % 10), MasterUsername="root",
            MasterUserPassword="not-a-secret",
        )  # fmt: skip
    _functions(clients("lambda", REGION))


def _compute(ec2: Any) -> None:
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    for number in range(COUNTS["security groups"]):
        tags = [{"ResourceType": "security-group", "Tags": _TAGS}] if number % 10 else []
        group = ec2.create_security_group(
            GroupName=f"bench-{number}", Description="bench", VpcId=vpc, TagSpecifications=tags
        )["GroupId"]
        source = "10.0.0.0/8" if number % 10 else "0.0.0.0/0"
        ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": source}]}
            ],
        )
    for number in range(COUNTS["volumes"]):
        tags = [{"ResourceType": "volume", "Tags": _TAGS}] if number % 10 else []
        ec2.create_volume(
            AvailabilityZone=f"{REGION}a", Size=1, Encrypted=bool(number % 10), TagSpecifications=tags
        )


def _identities(iam: Any) -> None:
    for number in range(COUNTS["roles"]):
        iam.create_role(RoleName=f"bench-{number}", AssumeRolePolicyDocument=_TRUST)
    for number in range(COUNTS["policies"]):
        document = READER if number % 10 else ADMINISTRATOR
        made = iam.create_policy(PolicyName=f"bench-{number}", PolicyDocument=json.dumps(document))
        iam.attach_role_policy(RoleName=f"bench-{number}", PolicyArn=made["Policy"]["Arn"])


def _functions(client: Any) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return event\n")
    for number in range(COUNTS["functions"]):
        client.create_function(
            FunctionName=f"bench-{number}", Runtime="python3.13", Handler="index.handler",
            Code={"ZipFile": packed.getvalue()}, Role="arn:aws:iam::123456789012:role/bench-1",
        )  # fmt: skip
