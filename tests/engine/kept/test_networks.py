"""A network from day to day: what an instance names is looked at by itself, the rest of its table is not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from policyengine.engine.kept.recording import Recorder
from policyengine.engine.rule import predicate_names
from policyengine.model.resource import Coverage, Resource
from policyengine.rules.packs import load_packs

from .memory import InMemory, State, both

ACCOUNT, REGION = "111122223333", "eu-west-1"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
COVERAGE: Coverage = frozenset({(ACCOUNT, REGION, "*"), (ACCOUNT, "global", "*")})
RULES = [
    form
    for form in load_packs().rules
    if any(
        name == "net.reachable_from_internet"
        for variant in form["variants"]
        for tree in (variant["when"], variant["require"])
        for name in predicate_names(tree)
    )
]
GROUPS, SUBNETS = ("sg-0", "sg-1", "sg-2", "sg-3"), ("subnet-0", "subnet-1")
OPEN = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}
INSIDE = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "10.0.0.0/8"}


class Network:
    """What there is, and what becomes of it."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.found: dict[str, Resource] = {}
        self._put("AWS::EC2::VPC", "vpc-0", {"CidrBlock": "10.0.0.0/16"})
        for n, subnet in enumerate(SUBNETS):
            tables = [{"RouteTableId": f"rtb-{n}"}]
            acls = [{"NetworkAclId": "acl-0"}]
            self._put("AWS::EC2::Subnet", subnet, {"VpcId": "vpc-0"}, route_table_associations=tables,
                      network_acl_associations=acls)  # fmt: skip
            self._route(f"rtb-{n}")
        entry = {
            "Egress": False,
            "RuleNumber": 100,
            "Protocol": "-1",
            "RuleAction": "allow",
            "CidrBlock": "0.0.0.0/0",
        }
        self._put(
            "AWS::EC2::NetworkAcl", "acl-0", {"VpcId": "vpc-0", "Entries": [entry, {**entry, "Egress": True}]}
        )
        for group in GROUPS:
            self._group(group)
        for n in range(6):
            self._instance(f"i-{n}")

    def _put(self, type_: str, id_: str, properties: dict[str, Any], **related: Any) -> None:
        self.found[id_] = Resource(type_, id_, ACCOUNT, REGION, properties, tags={}, related=related)

    def _group(self, group: str) -> None:
        own = {
            "GroupId": group,
            "VpcId": "vpc-0",
            "SecurityGroupIngress": [self.rng.choice((OPEN, INSIDE, INSIDE))],
        }
        self._put("AWS::EC2::SecurityGroup", group, own)

    def _route(self, table: str) -> None:
        gateway = self.rng.choice(("igw-1", "igw-1", "vgw-1"))
        routes = [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}]
        self._put("AWS::EC2::RouteTable", table, {"VpcId": "vpc-0", "Routes": routes})

    def _instance(self, id_: str) -> None:
        own = {
            "InstanceId": id_, "SubnetId": self.rng.choice(SUBNETS), "PublicIp": "198.51.100.7",
            "SecurityGroupIds": [self.rng.choice(GROUPS)],
        }  # fmt: skip
        self._put("AWS::EC2::Instance", id_, own)

    def state(self) -> State:
        return State(sorted(self.found.values(), key=lambda r: r.identity), COVERAGE, NOW)

    def pass_by(self) -> None:
        """Change one thing, most often a group."""
        group = self.rng.choice(GROUPS)
        if group in self.found and self.rng.random() < 0.2:
            del self.found[group]
        elif self.rng.random() < 0.2:
            self._route(f"rtb-{self.rng.randrange(2)}")
        else:
            self._group(group)


def differences(seed: int) -> Iterator[tuple[bool, int, int]]:
    """Yield of each day whether the findings are the same, how many there are, and how many were judged."""
    network, file = Network(seed), InMemory()
    for _ in range(12):
        plain, kept, judged = both(network.state(), RULES, file)
        yield kept == plain, len(plain), judged
        network.pass_by()


def test_instances_are_reached_as_without() -> None:
    days = [list(differences(seed)) for seed in range(10)]
    assert all(same for each in days for same, _, _ in each)
    later = [day for each in days for day in each[1:]]
    assert 0 < sum(judged for _, _, judged in later) < sum(number for _, number, _ in later) / 2
    verdicts = {
        str(f.verdict) for seed in range(5) for f in both(Network(seed).state(), RULES, InMemory())[0]
    }
    assert verdicts >= {"PASS", "FAIL"}


def test_an_answer_without_what_it_names_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    look = Recorder.look

    def forgetful(self: Recorder, narrow: Any, argument: str | None) -> Any:
        before = set(self._current)
        found = look(self, narrow, argument)
        self._current = before if narrow.name == "net.named" else self._current
        return found

    monkeypatch.setattr(Recorder, "look", forgetful)
    assert not all(same for seed in range(10) for same, _, _ in differences(seed))
