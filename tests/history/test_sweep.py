"""Who is asked again: as if everything was asked again all the time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policyengine.engine.evaluate import Evaluator
from policyengine.history.runs import Identity
from policyengine.history.timeline.judging import Judge
from policyengine.history.timeline.records import Record, Stop
from policyengine.history.timeline.sweep import Moved, Sweep
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.rules.packs import load_packs

ACCOUNTS = ("111122223333", "999988887777")
REGION = "eu-west-1"
START = datetime(2026, 11, 1, tzinfo=UTC)
KEY, ALIAS, VOLUME, GROUP, FACE = (
    "AWS::KMS::Key", "AWS::KMS::Alias", "AWS::EC2::Volume", "AWS::EC2::SecurityGroup", "AWS::EC2::NetworkInterface",
)  # fmt: skip
SUBNET, TABLE, INSTANCE, DATABASE = (
    "AWS::EC2::Subnet", "AWS::EC2::RouteTable", "AWS::EC2::Instance", "AWS::RDS::DBInstance",
)  # fmt: skip
ROLE, POLICY, PROFILE, SNAPSHOT, IMAGE = (
    "AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::InstanceProfile", "AWS::EC2::Snapshot", "AWS::EC2::Image",
)  # fmt: skip
NETWORK = (KEY, ALIAS, VOLUME, GROUP, FACE, SUBNET, TABLE, INSTANCE, DATABASE)
PEOPLE = (ROLE, POLICY, PROFILE, INSTANCE, SNAPSHOT, IMAGE)
GLOBAL = (ROLE, POLICY, PROFILE)


class Naive(Sweep):
    """Asks everything again whenever anything changes, and looks at the clock before."""

    def _settle_all(
        self, changing: Sequence[Any], moved: Sequence[Moved], at: datetime
    ) -> dict[Identity, set[str]]:
        everybody = {
            key: set(each.verdicts) for key, each in self.tracked.items() if each.resource is not None
        }
        super()._settle_all([*changing, *(self.tracked[key] for key in everybody)], moved, at)
        return everybody

    def _calm(self, *_: Any) -> dict[str, Any]:
        return {}


@cache
def evaluator(types: Sequence[str]) -> Evaluator:
    """The rules that look from one of these types at another of them."""
    pack = load_packs(())
    every = Evaluator(pack, now=START)
    judge = Judge(every)
    rules = {rule for type_ in types for about in types for rule in judge.asking(type_, about)}
    assert len(rules) >= 7
    return every.of_rules(rules)


def open_to(flag: bool) -> str:
    return "0.0.0.0/0" if flag else "10.0.0.0/8"


def network(kind: str, number: int, other: int, flag: bool, account: str) -> dict[str, Any]:
    key = f"arn:aws:kms:{REGION}:{account}:key/key-{other}"
    return {
        KEY: {"KeyId": f"key-{number}", "Enabled": flag, "KeyManager": "CUSTOMER" if flag else "AWS", "KeyState": "Enabled"},
        ALIAS: {"AliasName": f"alias/a-{number}", "TargetKeyId": f"key-{other}"},
        VOLUME: {"VolumeId": f"vol-{number}", "Encrypted": True, "KmsKeyId": f"alias/a-{other}" if flag else key},
        GROUP: {"GroupId": f"sg-{number}", "VpcId": "vpc-1", "SecurityGroupIngress": [
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": open_to(flag)},
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "SourceSecurityGroupId": f"sg-{other}"}]},
        FACE: {"Id": f"eni-{number}", "SubnetId": "subnet-0", "VpcId": "vpc-1", "GroupSet": [f"sg-{other}"],
               "Association": {"PublicIp": "198.51.100.7"}},
        SUBNET: {"SubnetId": f"subnet-{number}", "VpcId": "vpc-1", "MapPublicIpOnLaunch": flag},
        TABLE: {"RouteTableId": f"rtb-{number}", "VpcId": "vpc-1", "Main": number == 0,
                "Associations": [{"SubnetId": f"subnet-{other}"}]},
        INSTANCE: {"InstanceId": f"i-{number}", "SubnetId": f"subnet-{other}", "VpcId": "vpc-1",
                   "SecurityGroupIds": [f"sg-{other}"], "PublicIp": "198.51.100.7" if flag else Unresolved("not_collected", "?"),
                   "IamInstanceProfile": {"Name": f"profile-{other}"}},
        DATABASE: {"DBInstanceIdentifier": f"db-{number}", "Engine": "postgres", "PubliclyAccessible": flag,
                   "VPCSecurityGroups": [f"sg-{other}"]},
    }[kind]  # fmt: skip


def people(kind: str, number: int, other: int, flag: bool, account: str) -> dict[str, Any]:
    def document(action: str, resource: str = "*") -> dict[str, Any]:
        return {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}],
        }

    arn = f"arn:aws:iam::{account}:role/role-"
    trusts = {"AWS": f"{arn}{1 - number}"} if flag else {"Service": "ec2.amazonaws.com"}
    return {
        ROLE: {
            "RoleName": f"role-{number}", "RoleId": f"AROA{number}", "Arn": f"{arn}{number}", "Path": "/",
            "CreateDate": "2026-10-01T00:00:00Z", "ManagedPolicyArns": [f"arn:aws:iam::{account}:policy/policy-{other}"],
            "RoleLastUsed": {"LastUsedDate": "2026-10-02T00:00:00Z" if flag else "2026-08-05T12:00:00Z"},
            "ServiceLastAccessedDetails": {"ServicesLastAccessed": [
                {"ServiceNamespace": "bedrock", "LastAuthenticated": "2026-08-10T00:00:00Z"}]},
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": trusts, "Action": "sts:AssumeRole"}]},
        },
        POLICY: {"ManagedPolicyName": f"policy-{number}", "PolicyArn": f"arn:aws:iam::{account}:policy/policy-{number}",
                 "PolicyDocument": document("*" if flag and other else "bedrock:InvokeModel" if other else "sts:AssumeRole")},
        PROFILE: {"InstanceProfileName": f"profile-{number}", "Roles": [f"role-{other}"]},
        SNAPSHOT: {"SnapshotId": f"snap-{number}", "StartTime": "2026-08-10T01:00:00Z" if flag else "2026-10-20T00:00:00Z"},
        IMAGE: {"ImageId": f"ami-{number}", "BlockDeviceMappings": [{"Ebs": {"SnapshotId": f"snap-{other}"}}]},
    }[kind]  # fmt: skip


NAMES = {
    KEY: "key-{}", ALIAS: "alias/a-{}", VOLUME: "vol-{}", GROUP: "sg-{}", FACE: "eni-{}", SUBNET: "subnet-{}", TABLE: "rtb-{}",
    INSTANCE: "i-{}", DATABASE: "db-{}", ROLE: "role-{}", POLICY: "policy-{}", PROFILE: "profile-{}", SNAPSHOT: "snap-{}",
    IMAGE: "ami-{}",
}  # fmt: skip


def resource(kind: str, number: int, other: int, flag: bool, account: str) -> Resource:
    made = (network if kind in NETWORK else people)(kind, number, other, flag, account)
    related: dict[str, Any] = {}
    if kind == SUBNET:
        # AWS Config says it of no subnet; where it is said, the table is looked for by its name
        doubt = Unresolved("not_collected", "AWS Config does not record it")
        related["route_table_associations"] = [{"RouteTableId": f"rtb-{other}"}] if flag else doubt
        if number and not flag:
            del related["route_table_associations"]
    if kind == TABLE:
        related["routes"] = [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}] if flag else []
    region = "global" if kind in GLOBAL else REGION
    arn = made.get("Arn") or made.get("PolicyArn")
    tags = {"Tier": "app"} if flag else {}
    return Resource(
        kind, NAMES[kind].format(number), account, region, made, arn=arn, tags=tags, related=related
    )


def events(kinds: Sequence[str]) -> st.SearchStrategy[list[Any]]:
    return st.lists(
        st.tuples(
            st.sampled_from(kinds), st.integers(0, 1), st.integers(0, 1), st.booleans(), st.sampled_from(ACCOUNTS),
            st.sampled_from(["state", "state", "state", "state", "deleted", "not_recorded", "stop"]),
            st.sampled_from([0, 1, 30, 24 * 9]),
        ),
        max_size=25,
    )  # fmt: skip


def intervals(
    judge: Judge,
    made: Sequence[Any],
    sweeping: type[Sweep] = Sweep,
    later: int = 24 * 40,
    *,
    told: bool = True,
) -> list[Any]:
    """What a sweep finds; ``told``: it knows when it will end."""
    seconds: dict[datetime, tuple[list[Record], list[Stop]]] = {}
    at = START
    for number, (kind, name, other, flag, account, state, hours) in enumerate(made):
        at += timedelta(hours=hours)
        records, stops = seconds.setdefault(at, ([], []))
        if state == "stop":
            stops.append(Stop(at, account, REGION, "stopped"))
            continue
        one = resource(kind, name, other, flag, account)
        shown = one if state == "state" else None
        records.append(Record(at, (0, f"{number:05d}"), one.identity, state, shown))
    end = at + timedelta(hours=later)
    sweep = sweeping(judge, end if told else None)
    for second, (records, stops) in seconds.items():
        sweep.second(second, records, stops)
    sweep.end(end)
    return sorted(
        (tracked.identity, each.rule, each.verdict, each.begin, each.end or START, each.begins.why, each.message,
         sorted(each.begins.related))
        for tracked in sweep.tracked.values() for each in tracked.intervals
    )  # fmt: skip


ONE, TWO = ("111122223333", "state", 0), ("111122223333", "state", 1)
OLD = ("111122223333", "state", 24 * 9)


@settings(max_examples=60, deadline=None)
@given(events(NETWORK), st.booleans())
@example([(ALIAS, 1, 1, False, *ONE), (VOLUME, 0, 1, True, *ONE), (KEY, 1, 0, False, *TWO)], True).via(
    "a key behind an alias"
)
@example([(GROUP, 1, 0, False, *ONE), (FACE, 0, 1, False, *TWO)], True).via("an interface that names a group")
@example([(GROUP, 1, 0, False, *ONE), (GROUP, 0, 1, False, *ONE), (GROUP, 1, 0, True, *TWO)], True).via(
    "a group as source"
)
@example(
    [
        (SUBNET, 1, 0, False, *ONE),
        (INSTANCE, 0, 1, True, *ONE),
        (TABLE, 0, 1, False, *TWO),
        (TABLE, 0, 1, True, *TWO),
    ],
    True,
).via("the main table of a VPC")
def test_who_is_asked_again_is_who_may_say_otherwise(made: list[Any], told: bool) -> None:
    judge = Judge(evaluator(NETWORK))
    assert intervals(judge, made, told=told) == intervals(judge, made, Naive)


@settings(max_examples=12, deadline=None)
@given(events(PEOPLE), st.booleans())
@example([(ROLE, 0, 1, False, *ONE), (POLICY, 1, 1, True, *TWO), (POLICY, 1, 0, False, *OLD)], True).via(
    "an old role"
)
@example([(SNAPSHOT, 0, 0, False, *ONE), (IMAGE, 1, 0, False, *OLD), (IMAGE, 1, 1, False, *OLD)], True).via(
    "an old snapshot"
)
def test_people_and_clocks_are_asked_again_where_they_may_say_otherwise(made: list[Any], told: bool) -> None:
    """Permissions over all of an account, and rules that look at the clock and at others."""
    judge = Judge(evaluator(PEOPLE))
    assert intervals(judge, made, told=told) == intervals(judge, made, Naive)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(
    st.one_of(st.tuples(st.just(NETWORK), events(NETWORK)), st.tuples(st.just(PEOPLE), events(PEOPLE))),
    st.booleans(),
)
def test_who_is_asked_again_over_many_histories(chosen: tuple[Sequence[str], list[Any]], told: bool) -> None:
    judge = Judge(evaluator(chosen[0]))
    assert intervals(judge, chosen[1], told=told) == intervals(judge, chosen[1], Naive)


def test_a_change_asks_nobody_it_does_not_concern(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred groups that do not name each other: each change judges one of them."""
    judge = Judge(evaluator(NETWORK))
    asked: list[str] = []
    real = Judge.judge

    def judged(self: Judge, about: Resource, *arguments: Any) -> Any:
        asked.append(about.id)
        return real(self, about, *arguments)

    monkeypatch.setattr(Judge, "judge", judged)
    made = [(GROUP, number, 1000, bool(turn), *TWO) for turn in (0, 1) for number in range(100)]
    intervals(judge, made)
    assert len(asked) == 200
