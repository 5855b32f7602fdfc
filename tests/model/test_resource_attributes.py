"""What rules read at ``resource.NAME``, and what a resource is known by."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from policyengine.model.resource import Resource, attribute
from policyengine.model.values import ABSENT, Unresolved


@pytest.mark.parametrize("name", ["account", "region"])
def test_a_place_that_code_does_not_say_is_unknown_not_absent(name: str) -> None:
    resource = Resource("AWS::S3::Bucket", "b", None, None, {}, file="t.yaml")
    found = attribute(resource, name)
    assert isinstance(found, Unresolved)
    assert (found.reason, found.present) == ("not_collected", True)


def test_known_attributes_are_themselves_and_an_arn_may_be_absent() -> None:
    resource = Resource("AWS::S3::Bucket", "b", "111122223333", "eu-west-1", {})
    assert (attribute(resource, "account"), attribute(resource, "region")) == ("111122223333", "eu-west-1")
    assert (attribute(resource, "id"), attribute(resource, "arn")) == ("b", ABSENT)


def test_a_changed_copy_has_an_identity_of_its_own() -> None:
    live = Resource("AWS::EC2::Volume", "vol-1", "111122223333", None, {})
    assert live.identity == ("111122223333", "", "AWS::EC2::Volume", "vol-1")
    assert replace(live, id="vol-2").identity == ("111122223333", "", "AWS::EC2::Volume", "vol-2")
    assert replace(live, file="plan.json").identity == ("", "plan.json", "", "vol-1")
    assert pickle.loads(pickle.dumps(live)).identity == live.identity
