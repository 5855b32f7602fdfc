"""Names of regions, held against those botocore knows."""

from __future__ import annotations

import re

import botocore.session
import pytest

from policyengine.aws.region_names import REGION_NAME


def test_every_region_that_botocore_knows_is_one() -> None:
    session = botocore.session.get_session()
    partitions = session.get_available_partitions()
    names = {name for p in partitions for name in session.get_available_regions("ec2", p)}
    assert len(names) > 30 and {"us-gov-west-1", "cn-north-1"} <= names
    assert [name for name in names if not re.fullmatch(REGION_NAME, name)] == []


@pytest.mark.parametrize("name", ["eusc-de-east-1", "us-isob-east-1"])
def test_regions_of_other_partitions_are_ones(name: str) -> None:
    assert re.fullmatch(REGION_NAME, name)


@pytest.mark.parametrize(
    "name", ["", "global", "eu-west", "EU-WEST-1", "eu-west-1a", "eu-west-1\n", "../eu-west-1"]
)
def test_nothing_else_is(name: str) -> None:
    assert not re.fullmatch(REGION_NAME, name)
