"""Relations that start in what was folded into a resource, or end there."""

from __future__ import annotations

from policyengine.catalog import registry
from policyengine.engine.world import World
from policyengine.model.resource import Resource
from policyengine.rules.compiler import _relation_form

PLACE = ("111122223333", "eu-west-1")
COVERED = frozenset({(*PLACE, "*")})


def resource(type_name, name, properties, **related):
    return Resource(type_name, name, *PLACE, properties, related=related)


def world(*resources):
    made = World(COVERED)
    for one in resources:
        made.add(one)
    return made


SUBNET = resource("AWS::EC2::Subnet", "subnet-1", {}, route_table_associations=[{"RouteTableId": "rtb-1"}])
TABLE = resource("AWS::EC2::RouteTable", "rtb-1", {}, routes=[{"GatewayId": "igw-1"}])


def reach(start, name, *resources):
    form = _relation_form(registry.relation(start.type, name))
    return world(start, *resources).related(form, start)


def test_forward_from_a_satellite():
    assert reach(SUBNET, "route_table", TABLE) == [TABLE]


def test_reverse_into_a_satellite():
    assert reach(TABLE, "subnets", SUBNET) == [SUBNET]


def test_a_resource_without_the_satellite_reaches_nothing():
    assert reach(resource("AWS::EC2::Subnet", "subnet-2", {}), "route_table", TABLE) == []
