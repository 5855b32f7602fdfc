"""ARNs that are made of names."""

from __future__ import annotations

from policyengine.iam.opaque import Opaque
from policyengine.model.resource import Resource
from policyengine.rules.iam.values import resource_arn


def test_an_empty_name_makes_no_arn() -> None:
    role = Resource("AWS::IAM::Role", "r", "111122223333", "global", {"RoleName": ""})
    assert isinstance(resource_arn(role), Opaque)
    role.properties["RoleName"] = "app"
    assert resource_arn(role) == "arn:aws:iam::111122223333:role/app"
