"""Which properties the answer of a call has room for: its members by name, by rename, or left out."""

from __future__ import annotations

import pytest

from policyengine.sources.live.given import given_by_step
from policyengine.sources.live.spec import Collector, Step

pytest.importorskip("botocore.session")
from tests.live.test_declarations import CONTEXT  # after importorskip

STEP = Step("DescribeVolumes", result="Volumes")
COLLECTOR = Collector("AWS::EC2::Volume", "ec2", STEP, id="{VolumeId}")


def given(**renames: str) -> set[str]:
    step = STEP._replace(rename={name.replace("__", "."): target for name, target in renames.items()})
    return set(given_by_step(COLLECTOR, step, CONTEXT))


def test_members_have_the_names_of_properties_in_any_case() -> None:
    found = given()
    assert {"Encrypted", "Iops", "KmsKeyId", "Size", "SnapshotId"} <= found
    assert "AutoEnableIO" not in found  # no member of the answer is called so


@pytest.mark.parametrize(
    ("renames", "more", "less"),
    [
        ({"State": "AutoEnableIO"}, {"AutoEnableIO"}, {"State"}),  # in place of its own name
        (
            {"Size": "Iops.Deep"},
            {"Iops"},
            {"Size"},
        ),  # only the first step of a target is a property of the type
        ({"Size": ""}, set(), {"Size"}),
        (
            {"Attachments__State": "AutoEnableIO"},
            set(),
            set(),
        ),  # something below a member is not the resource's own
        ({"NoSuchMember": "AutoEnableIO"}, set(), set()),
    ],
)
def test_renames(renames: dict[str, str], more: set[str], less: set[str]) -> None:
    assert given(**renames) == (given() | more) - less
