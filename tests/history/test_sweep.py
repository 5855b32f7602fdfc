"""Who is asked again: as if everything was asked again all the time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from policyengine.engine.evaluate import Evaluator
from policyengine.history.timeline.judging import Judge
from policyengine.history.timeline.links import Links
from policyengine.history.timeline.records import Record
from policyengine.history.timeline.sweep import Sweep
from policyengine.model.resource import Resource
from policyengine.rules.packs import load_packs

ACCOUNTS = ("111122223333", "999988887777")
REGION = "eu-west-1"
START = datetime(2026, 11, 1, tzinfo=UTC)
KEY, ALIAS, VOLUME, GROUP, FACE = (
    "AWS::KMS::Key", "AWS::KMS::Alias", "AWS::EC2::Volume", "AWS::EC2::SecurityGroup", "AWS::EC2::NetworkInterface",
)  # fmt: skip
SUBNET, TABLE = "AWS::EC2::Subnet", "AWS::EC2::RouteTable"


class Everything(Judge):
    """Takes every change to concern everybody."""

    def asking(self, type_: str, about: str) -> Mapping[str, Links]:
        return {form["id"]: None for form, _ in self.evaluator.applicable(type_)}

    def is_asked_about(self, type_: str) -> bool:
        return True

    def keeps_out(self, type_: str) -> frozenset[str]:
        return frozenset()

    def reaches_accounts(self, type_: str) -> bool:
        return True


@cache
def evaluator() -> Evaluator:
    """The rules that look from one of these types at another of them."""
    types = {KEY, ALIAS, VOLUME, GROUP, FACE, SUBNET, TABLE}
    pack = load_packs(())
    every = Evaluator(pack, now=START)
    judge = Judge(every)
    rules = {rule for type_ in types for about in types for rule in judge.asking(type_, about)}
    assert len(rules) >= 7
    return every.of_rules(rules)


def resource(kind: str, number: int, other: int, flag: bool, account: str) -> Resource:
    key = f"arn:aws:kms:{REGION}:{account}:key/key-{other}"
    properties: dict[str, dict[str, Any]] = {
        KEY: {"KeyId": f"key-{number}", "Enabled": flag, "KeyManager": "CUSTOMER" if flag else "AWS", "KeyState": "Enabled"},
        ALIAS: {"AliasName": f"alias/a-{number}", "TargetKeyId": f"key-{other}"},
        VOLUME: {"VolumeId": f"vol-{number}", "Encrypted": True, "KmsKeyId": f"alias/a-{other}" if flag else key},
        GROUP: {"GroupId": f"sg-{number}", "VpcId": "vpc-1", "SecurityGroupIngress": [
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0" if flag else "10.0.0.0/8"},
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "SourceSecurityGroupId": f"sg-{other}"}]},
        FACE: {"Id": f"eni-{number}", "SubnetId": "subnet-0", "VpcId": "vpc-1", "GroupSet": [f"sg-{other}"],
               "Association": {"PublicIp": "198.51.100.7"}},
        SUBNET: {"SubnetId": f"subnet-{number}", "VpcId": "vpc-1", "MapPublicIpOnLaunch": flag},
        TABLE: {"RouteTableId": f"rtb-{number}", "VpcId": "vpc-1", "Associations": [{"SubnetId": f"subnet-{other}"}],
                "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}] if flag else []},
    }  # fmt: skip
    names = {KEY: f"key-{number}", ALIAS: f"alias/a-{number}", VOLUME: f"vol-{number}", GROUP: f"sg-{number}",
             FACE: f"eni-{number}", SUBNET: f"subnet-{number}", TABLE: f"rtb-{number}"}  # fmt: skip
    return Resource(
        kind, names[kind], account, REGION, properties[kind], tags={"Tier": "app"} if flag else {}
    )


EVENTS = st.lists(
    st.tuples(
        st.sampled_from([KEY, ALIAS, VOLUME, GROUP, FACE, SUBNET, TABLE]),
        st.integers(0, 1), st.integers(0, 1), st.booleans(), st.sampled_from(ACCOUNTS),
        st.sampled_from(["state", "state", "state", "deleted", "not_recorded"]), st.integers(0, 1),
    ),
    max_size=25,
)  # fmt: skip


def intervals(judge: Judge, events: list[Any]) -> list[Any]:
    sweep = Sweep(judge)
    seconds: dict[datetime, list[Record]] = {}
    at = START
    for number, (kind, name, other, flag, account, state, later) in enumerate(events):
        at += timedelta(hours=later)
        made = resource(kind, name, other, flag, account)
        shown = made if state == "state" else None
        seconds.setdefault(at, []).append(Record(at, (0, f"{number:05d}"), made.identity, state, shown))
    for second, records in seconds.items():
        sweep.second(second, records)
    sweep.end(at + timedelta(hours=1))
    return sorted(
        (tracked.identity, each.rule, each.verdict, each.begin, each.end or START)
        for tracked in sweep.tracked.values() for each in tracked.intervals
    )  # fmt: skip


ONE, TWO = ("111122223333", "state", 0), ("111122223333", "state", 1)


@settings(max_examples=150, deadline=None)
@given(EVENTS)
@example([(ALIAS, 1, 1, False, *ONE), (VOLUME, 0, 1, True, *ONE), (KEY, 1, 0, False, *TWO)]).via(
    "a key behind an alias"
)
def test_who_is_asked_again_is_who_may_say_otherwise(events: list[Any]) -> None:
    assert intervals(Judge(evaluator()), events) == intervals(Everything(evaluator()), events)
