"""What rules read at ``resource.NAME``."""

from __future__ import annotations

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
