"""AWS defaults as the engine applies them: by what else is set, and by whether the resource exists."""

from __future__ import annotations

import pytest

from policyengine.engine.nodes import DefaultValue, apply_defaults
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, Unresolved

DEPENDS = Unresolved("default_depends", "on its age")


def resource(properties, *, file=None):
    return Resource("AWS::S3::Bucket", "b", "111122223333", "eu-west-1", properties, file=file)


@pytest.mark.parametrize(("file", "value"), [(None, False), ("template.yaml", DEPENDS)])
def test_what_absence_means_on_a_resource_that_exists_may_be_known(file, value):
    default = DefaultValue(2, DEPENDS, (), "AWS default since 2023-04", False)
    found = apply_defaults([default], resource({}, file=file), ("Block", "Acls"))
    assert found == (value, "AWS default since 2023-04")


def test_a_property_deep_inside_makes_a_default_depend():
    default = DefaultValue(1, "TLSv1", ("Certificate.Arn",), "AWS default")
    assert apply_defaults([default], resource({"Certificate": {}}), ("Minimum",)) == ("TLSv1", "AWS default")
    value, provenance = apply_defaults([default], resource({"Certificate": {"Arn": "x"}}), ("Minimum",))
    assert value.reason == "default_depends"
    assert provenance is None


def test_without_a_default_absent_stays_absent():
    assert apply_defaults([], resource({}), ("X",)) == (ABSENT, None)


@pytest.mark.parametrize(("exists", "value"), [(True, ["NONE"]), (False, DEPENDS), (None, DEPENDS)])
def test_an_element_of_a_resource_that_exists_does_too(exists, value):
    default = DefaultValue(1, DEPENDS, (), "AWS default", ["NONE"])
    assert apply_defaults([default], {}, ("Blocked",), exists=exists) == (value, "AWS default")
