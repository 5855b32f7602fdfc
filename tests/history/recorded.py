"""Items of AWS Config and records of CloudTrail, as they are delivered; replays of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from policyengine.cli.main import main

Json = dict[str, Any]
ACCOUNT, REGION, GROUP = "111122223333", "eu-west-1", "AWS::EC2::SecurityGroup"
RULE = "security-group-admin-ports-closed"
OPEN, CLOSED = 22, 443
CONFIG = "config.amazonaws.com"


def time(day: float) -> str:
    """A time in November 2026, days after its beginning."""
    seconds = round(day * 86_400)
    return f"2026-11-{1 + seconds // 86_400:02d}T{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}Z"


def item(day: float, port: int | None, status: str = "OK", *, id: str = "sg-1", **more: Any) -> Json:
    """An item of a security group; without a port its permissions are not recorded."""
    permissions = [
        {"ipProtocol": "tcp", "fromPort": port, "toPort": port, "userIdGroupPairs": [], "prefixListIds": [],
         "ipRanges": ["0.0.0.0/0"], "ipv4Ranges": [{"cidrIp": "0.0.0.0/0"}], "ipv6Ranges": []}
    ]  # fmt: skip
    configuration = {"ownerId": ACCOUNT, "groupName": "web", "groupId": id, "description": "web", "vpcId": "vpc-1",
                     "tags": [], "ipPermissionsEgress": [],
                     **({"ipPermissions": permissions} if port is not None else {})}  # fmt: skip
    shown = None if "Delete" in status or "NotRecorded" in status else configuration
    return of(GROUP, id, day, shown, status, **more)


def of(type: str, id: str, day: float, configuration: Json | None, status: str = "OK", **more: Any) -> Json:
    """An item of any type."""
    return {
        "configurationItemVersion": "1.3", "configurationItemCaptureTime": time(day).replace("Z", ".000Z"),
        "configurationStateId": 1549956556288 + round(day * 86_400), "awsAccountId": ACCOUNT, "configurationItemStatus": status,
        "resourceType": type, "resourceId": id, "ARN": f"arn:aws:x:{REGION}:{ACCOUNT}:{id}", "awsRegion": REGION,
        "tags": {}, "relationships": [], "relatedEvents": [], "supplementaryConfiguration": {},
        "configuration": configuration, **more,
    }  # fmt: skip


def event(
    day: float, name: str, parameters: Json | None, source: str = "ec2.amazonaws.com", **more: Any
) -> Json:
    """A record of a successful write."""
    return {
        "eventTime": time(day), "eventName": name, "eventSource": source, "readOnly": False, "awsRegion": REGION,
        "recipientAccountId": ACCOUNT, "eventID": f"{name}-{day}", "sourceIPAddress": "198.51.100.7",
        "userIdentity": {"arn": f"arn:aws:iam::{ACCOUNT}:user/bob", "accountId": ACCOUNT}, "requestParameters": parameters,
        **more,
    }  # fmt: skip


def delivered(path: Path, items: Sequence[Json]) -> Path:
    """A history file as AWS Config delivers it to S3."""
    path.write_text(json.dumps({"fileVersion": "1.0", "configurationItems": items}))
    return path


def trail(path: Path, records: Sequence[Json]) -> Path:
    """A log file as CloudTrail delivers it."""
    path.write_text(json.dumps({"Records": records}))
    return path


def ended(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    assert isinstance(end.value.code, int)
    return end.value.code


def replayed(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> Json:
    """The document of a replay."""
    capsys.readouterr()
    assert ended("history", "replay", *arguments, "--format", "json") == code
    found: Json = json.loads(capsys.readouterr().out)
    return found


def failures(document: Json, rule: str = RULE, verdict: str = "FAIL") -> list[tuple[str, str, str, str]]:
    """(begin, why, end, why) of a rule."""
    return [
        (each["begin"], each["begins"]["why"], each["end"], each["ends"]["why"])
        for resource in document["resources"] for each in resource["intervals"]
        if each["rule"] == rule and each["verdict"] == verdict
    ]  # fmt: skip
