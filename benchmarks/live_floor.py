"""What asking costs at all: boto3's calls for the same facts, one after the other, the answers counted.

``python -m benchmarks.live_floor REGION,… [--s3] [--role NAME]``; with a role in every account of the organisation.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.loaders
import botocore.session

_LOADER = botocore.loaders.create_loader()
_REGIONAL = (
    ("ec2", "describe_volumes"),
    ("ec2", "describe_security_groups"),
    ("rds", "describe_db_instances"),
)


def session(**keys: str) -> Any:
    """Return a session; all share one loader, or each would read every model again."""
    core = botocore.session.Session()
    core.register_component("data_loader", _LOADER)
    return boto3.Session(botocore_session=core, **keys)


def account(own: Any, regions: list[str], *, s3: bool) -> int:
    """Make the calls for one account; how many there were."""
    calls = 2
    own.client("sts", region_name=regions[0]).get_caller_identity()
    own.client("ec2", region_name=regions[0]).describe_regions(AllRegions=True)
    for region in regions:
        clients = {name: own.client(name, region_name=region) for name in ("ec2", "rds")}
        for service, operation in _REGIONAL:
            calls += sum(1 for _ in clients[service].get_paginator(operation).paginate())
        lists = clients["ec2"].get_paginator("describe_managed_prefix_lists").paginate()
        for page in lists:
            calls += 1
            for each in page["PrefixLists"]:
                entries = clients["ec2"].get_paginator("get_managed_prefix_list_entries")
                calls += sum(1 for _ in entries.paginate(PrefixListId=each["PrefixListId"]))
        if s3:
            calls += _buckets(own.client("s3", region_name=region), region)
    iam = own.client("iam", region_name=regions[0])
    return calls + sum(1 for _ in iam.get_paginator("get_account_authorization_details").paginate())


def _buckets(client: Any, region: str) -> int:
    calls = 0
    for page in client.get_paginator("list_buckets").paginate(BucketRegion=region):
        calls += 1
        for bucket in page["Buckets"]:
            for operation in (client.get_bucket_encryption, client.get_public_access_block):
                calls += 1
                with contextlib.suppress(client.exceptions.ClientError):
                    operation(Bucket=bucket["Name"])
    return calls


def accounts(role: str) -> Iterator[Any]:
    """Yield a session in every account of the organisation."""
    own = session()
    sts = own.client("sts")
    for page in own.client("organizations").get_paginator("list_accounts").paginate():
        for each in page["Accounts"]:
            arn = f"arn:aws:iam::{each['Id']}:role/{role}"
            keys = sts.assume_role(RoleArn=arn, RoleSessionName="floor")["Credentials"]
            yield session(
                aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys["SessionToken"],
            )  # fmt: skip


def main(arguments: list[str]) -> None:
    """Make the calls and print how many there were."""
    regions = arguments[0].split(",")
    sessions = accounts(arguments[arguments.index("--role") + 1]) if "--role" in arguments else [session()]
    print(sum(account(each, regions, s3="--s3" in arguments) for each in sessions))


if __name__ == "__main__":
    main(sys.argv[1:])
