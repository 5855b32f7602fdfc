"""What a relation reaches where template conditions split resources into branches."""

from __future__ import annotations

from policyengine.catalog import registry
from policyengine.engine.world import World
from policyengine.model.resource import Resource
from policyengine.model.values import OpenList, Unresolved
from policyengine.rules.compiler import _relation_form

KEY = "AWS::KMS::Key"


def in_file(type_name, name, properties, branch=None):
    return Resource(type_name, name, None, None, properties, file="template.yaml", branch=branch)


def key(first, second):
    """A key in two branches, as it is when some resource that uses it has a condition."""
    split = in_file(KEY, "Key", first, {"IsProd": True})
    split.variants = (in_file(KEY, "Key", second, {"IsProd": False}),)
    return split


def reach(*resources):
    user = in_file(
        "AWS::SQS::Queue",
        "Queue",
        {"KmsMasterKeyId": Unresolved("unresolved_reference", "Ref: Key", present=True, target=("Key", ""))},
    )
    world = World()
    for one in (user, *resources):
        world.add(one)
    form = _relation_form(registry.relation(user.type, "kms_key"))
    return world.related(form, user)


def test_branches_that_say_the_same_are_one_resource():
    found = reach(key({"Enabled": True}, {"Enabled": True}))
    assert [r.id for r in found] == ["Key"]
    assert not isinstance(found, OpenList)


def test_branches_that_differ_leave_a_doubt():
    found = reach(key({"Enabled": True}, {"Enabled": False}))
    assert isinstance(found, Unresolved)
