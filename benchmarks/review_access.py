"""What a review's questions about access and networks take: ``python -m benchmarks.review_access [FOLDER]``.

Accounts of 100 and 1,000 roles in which one shared policy changes, one role changes, or nothing does; and, with a
folder of templates, one changed template among all of them. Times are of the questions alone, sources are read before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from policyengine.model.resource import Resource
from policyengine.review.access import access_changes
from policyengine.review.matching import paired_resources
from policyengine.review.network import network_changes
from policyengine.review.pairs import Pairing
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets

ACCOUNT = "111122223333"


def account(roles: int, shared: list[str], own: Callable[[int], list[str]]) -> list[Resource]:
    """Return roles that share a managed policy, each with a policy of its own and one of AWS's."""
    arn = f"arn:aws:iam::{ACCOUNT}:policy/shared"
    found = [made("ManagedPolicy", "shared", arn, {"PolicyDocument": document(allow(shared))})]
    trust = document(
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    )
    for number in range(roles):
        properties = {
            "RoleName": f"role-{number}",
            "AssumeRolePolicyDocument": trust,
            "Policies": [
                {"PolicyName": "own", "PolicyDocument": document(*own_statements(number, own(number)))}
            ],
            "ManagedPolicyArns": [arn, "arn:aws:iam::aws:policy/ReadOnlyAccess"],
        }
        found.append(made("Role", f"role-{number}", f"arn:aws:iam::{ACCOUNT}:role/role-{number}", properties))
    return found


def own_statements(number: int, actions: list[str]) -> list[dict[str, Any]]:
    """Return statements that no other role has."""
    return [
        allow(actions, f"arn:aws:s3:::bucket-{number}/*"),
        allow(["sqs:SendMessage", "sqs:ReceiveMessage"], f"arn:aws:sqs:eu-west-1:{ACCOUNT}:queue-{number}"),
        {
            **allow(["kms:Decrypt"]),
            "Condition": {"StringEquals": {"kms:ViaService": f"s{number}.amazonaws.com"}},
        },
    ]


def allow(actions: list[str], resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def made(kind: str, id_: str, arn: str, properties: dict[str, Any]) -> Resource:
    return Resource(f"AWS::IAM::{kind}", id_, ACCOUNT, "global", properties, arn)


def asked(pairing: Pairing) -> tuple[float, int]:
    """Return the seconds that the questions take, and how many changes they find."""
    start = perf_counter()
    found = [*access_changes(pairing), *network_changes(pairing)]
    return perf_counter() - start, len(found)


def accounts(roles: int) -> None:
    def usual(number: int) -> list[str]:
        return ["s3:GetObject"]

    base = account(roles, ["dynamodb:GetItem"], usual)
    changed = {
        "nothing": account(roles, ["dynamodb:GetItem"], usual),
        "one role": account(
            roles, ["dynamodb:GetItem"], lambda n: ["s3:GetObject", *["s3:PutObject"] * (n == 7)]
        ),
        "the shared policy": account(roles, ["dynamodb:GetItem", "dynamodb:PutItem"], usual),
        "every role": account(roles, ["dynamodb:GetItem"], lambda n: ["s3:GetObject", "s3:PutObject"]),
    }
    for name, head in changed.items():
        seconds, found = asked(paired_resources(base, head))
        print(f"{roles:6,} roles, changed: {name:18} {seconds * 1000:9,.1f} ms  {found:,} changes")


def templates(folder: Path) -> None:
    sides = []
    for _ in range(2):
        start = perf_counter()
        opened = open_targets([str(folder)], SourceOptions(base=folder))
        sides.append([resource for source in opened.sources for resource in source.resources()])
        print(
            f"reading {len(opened.sources)} templates, {len(sides[-1]):,} resources: {perf_counter() - start:.2f} s"
        )
    base, head = sides
    seconds, found = asked(paired_resources(base, head))
    print(f"no template changed: {seconds * 1000:,.1f} ms  {found} changes")
    for type_, key in (("AWS::EC2::SecurityGroup", "SecurityGroupIngress"), ("AWS::IAM::Role", "Policies")):
        resource = next(r for r in head if r.type == type_ and isinstance(r.properties.get(key), list))
        more: Any = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}
        if key == "Policies":
            more = {"PolicyName": "more", "PolicyDocument": document(allow(["iam:PassRole"]))}
        resource.properties[key] = [*resource.properties[key], more]
        seconds, found = asked(paired_resources(base, head))
        print(f"one {type_} changed: {seconds * 1000:,.1f} ms  {found} changes")


if __name__ == "__main__":
    for size in (100, 1_000):
        accounts(size)
    if len(sys.argv) > 1:
        templates(Path(sys.argv[1]))
