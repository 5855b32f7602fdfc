"""Public images: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharingamis-intro.html."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policyengine.model.canonical_json import canonical
from policyengine.remediate.api import Call
from policyengine.testing.remediations import Bench
from tests.remediate.canned import Answer, Failing, propose, refused, target

HANDLER = "ami_not_public"
ID = "ami-0a1"
SHARES = st.lists(
    st.one_of(
        st.from_regex(r"\A\d{12}\Z").map(lambda id: {"UserId": id}),
        st.from_regex(r"\Ao-[a-z0-9]{10}\Z").map(
            lambda id: {"OrganizationArn": f"arn:aws:organizations::111122223333:organization/{id}"}
        ),
    ),
    max_size=5,
)


def answers(*permissions: dict[str, Any]) -> dict[str, Answer]:
    return {"ec2:DescribeImageAttribute": {"ImageId": ID, "LaunchPermissions": list(permissions)}}


@given(shares=SHARES, place=st.integers(0, 5))
def test_only_everybody_goes(shares: list[dict[str, Any]], place: int) -> None:
    found = propose(HANDLER, target(HANDLER, ID), answers(*shares[:place], {"Group": "all"}, *shares[place:]))
    (step,) = found.steps
    named = {"ImageId": ID, "Attribute": "launchPermission"}
    everybody = [{"Group": "all"}]
    assert step.call == Call(
        "ec2", "ModifyImageAttribute", {**named, "LaunchPermission": {"Remove": everybody}}
    )
    assert step.undo == (
        Call("ec2", "ModifyImageAttribute", {**named, "LaunchPermission": {"Add": everybody}}),
    )
    assert found.after["permissions"] == sorted(shares, key=canonical)


def test_a_private_image_needs_nothing() -> None:
    assert not propose(HANDLER, target(HANDLER, ID), answers({"UserId": "111122223333"})).steps


def test_permissions_that_cannot_be_read_are_refused() -> None:
    said = refused(
        HANDLER, target(HANDLER, ID), {"ec2:DescribeImageAttribute": Failing("UnauthorizedOperation")}
    )
    assert said.code == "not_known"


def test_laws(bench: Bench) -> None:
    ec2 = bench.client("ec2")
    (amazon, *_others) = ec2.describe_images(Owners=["amazon"])["Images"]
    (instance,) = ec2.run_instances(ImageId=amazon["ImageId"], MinCount=1, MaxCount=1)["Instances"]
    image = ec2.create_image(InstanceId=instance["InstanceId"], Name="ours")["ImageId"]
    ec2.modify_image_attribute(
        ImageId=image, LaunchPermission={"Add": [{"Group": "all"}, {"UserId": "111122223333"}]}
    )
    bench.laws("ami-not-public", "AWS::EC2::Image", image)
