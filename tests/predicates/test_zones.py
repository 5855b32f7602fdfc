"""Counting Availability Zones of which some are not known."""

from __future__ import annotations

import pytest

from policyengine.model.values import Unresolved
from policyengine.rules.predicates.net.zones import fewest


def place(index, region=""):
    return Unresolved("unresolved_reference", "Select", target=(f"Fn::GetAZs: {region}", str(index)))


@pytest.mark.parametrize(
    ("zones", "least"),
    [
        ([], 0),
        (["a", "b", "a"], 2),
        (["eu-west-1a", "euw1-az1"], 1),
        (["eu-west-1a", "euw1-az1", "euw1-az2"], 2),
        (["us-west-2-lax-1a", "usw2-lax1-az1"], 1),
        ([place(0), place(1)], 2),
        ([place(0), place(0)], 1),
        ([place(0), place(1, "us-east-2")], 1),
        (["a", place(1)], 1),
        ([Unresolved("unresolved_reference", "Ref: A"), Unresolved("unresolved_reference", "Ref: B")], 0),
        ([Unresolved("unresolved_reference", target=("SubnetA", "")), place(2)], 1),
    ],
)
def test_places_of_one_list_differ_and_nothing_else_is_claimed(zones, least):
    assert fewest(zones) == least
