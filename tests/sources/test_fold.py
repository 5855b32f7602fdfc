"""Folding outside templates: physical ids, ARNs, accounts, what is not known."""

from __future__ import annotations

import pytest

from policyengine.model.location import Location
from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.sources.fold import fold

DENIED = Unresolved("access_denied", "s3:GetBucketPolicy")
UNKNOWN = Unresolved("unresolved_reference", "parameter `X` has no default")


def resource(type_, id_, properties, **more):
    given = {"account": "111122223333", "region": "eu-west-1", **more}
    return Resource(type=type_, id=id_, properties=properties, **given)


def group(id_="sg-1", properties=None, **more):
    return resource("AWS::EC2::SecurityGroup", id_, properties or {}, **more)


def ingress(id_, group_id, **more):
    return resource("AWS::EC2::SecurityGroupIngress", id_, {"GroupId": group_id, "IpProtocol": "tcp"}, **more)


def rules(found):
    return found.properties.get("SecurityGroupIngress")


def test_by_physical_id():
    (found,) = fold([group(), ingress("r", "sg-1")])
    assert rules(found) == [{"GroupId": "sg-1", "IpProtocol": "tcp"}]


def test_the_parent_given_is_not_changed():
    parent = group(properties={"SecurityGroupIngress": [{"IpProtocol": "udp"}]})
    (found,) = fold([ingress("r", "sg-1"), parent])
    assert [r["IpProtocol"] for r in rules(found)] == ["udp", "tcp"]
    assert rules(parent) == [{"IpProtocol": "udp"}]


def test_by_arn_and_by_naming_property():
    bucket = resource("AWS::S3::Bucket", "B", {"BucketName": "data"}, arn="arn:aws:s3:::data")
    for name in ("data", "arn:aws:s3:::data"):
        policy = resource("AWS::S3::BucketPolicy", "P", {"Bucket": name})
        (found,) = fold([bucket, policy])
        assert found.related == {"policies": [{"Bucket": name}]}


@pytest.mark.parametrize(
    "other", [{"account": "444455556666"}, {"region": "us-east-1"}, {"file": "t.yaml"}], ids=str
)
def test_the_same_id_elsewhere_is_another_resource(other):
    found = fold([group(), ingress("r", "sg-1", **other)])
    assert [r.id for r in found] == ["sg-1", "r"]
    assert rules(found[0]) is None


def test_in_code_a_literal_does_not_name_a_logical_id():
    bucket = resource("AWS::S3::Bucket", "data", {}, file="t")
    found = fold([bucket, resource("AWS::S3::BucketPolicy", "P", {"Bucket": "data"}, file="t")])
    assert [r.id for r in found] == ["data", "P"]


def test_by_reference():
    reference = Unresolved("unresolved_reference", "Ref: G", present=True, target=("G", "GroupId"))
    found = fold([group("G", file="t"), group("H", file="t"), ingress("r", reference, file="t")])
    assert [(r.id, rules(r)) for r in found] == [
        ("G", [{"GroupId": reference, "IpProtocol": "tcp"}]),
        ("H", None),
    ]


def test_a_reference_to_something_else_belongs_to_no_parent():
    reference = Unresolved(
        "unresolved_reference", "GetAtt: Nested.Outputs.Id", target=("Nested", "Outputs.Id")
    )
    found = fold([group("G", file="t"), ingress("r", reference, file="t")])
    assert [(r.id, rules(r)) for r in found] == [("G", None), ("r", None)]


def test_an_unknown_parent_makes_every_possible_parent_doubtful():
    found = fold([group("G", file="t"), group("H", file="u"), ingress("r", UNKNOWN, file="t")])
    assert [r.id for r in found] == ["G", "H", "r"]
    assert (rules(found[0]), rules(found[0]).more) == ([], UNKNOWN)
    assert rules(found[1]) is None


def test_a_literal_name_may_be_that_of_a_parent_whose_name_is_unknown():
    bucket = resource("AWS::S3::Bucket", "B", {"BucketName": UNKNOWN}, file="t")
    found = fold([bucket, resource("AWS::S3::BucketPolicy", "P", {"Bucket": "data"}, file="t")])
    assert [r.id for r in found] == ["B", "P"]
    assert found[0].related["policies"].more.detail == "`P` may belong to this resource"


def _named(text, *parts, reason="unresolved_reference"):
    return Unresolved(reason, text, present=True, parts=parts or None)


@pytest.mark.parametrize(
    ("data", "logs"),
    [
        (_named("data-${AWS::AccountId}", "data-", ""), _named("logs-${AWS::AccountId}", "logs-", "")),
        (_named("${Name}-data", "", "-data"), _named("${Name}-logs", "", "-logs")),
        (_named("Ref: Data"), _named("Ref: Logs")),
    ],
)
def test_a_text_of_parameters_means_the_same_wherever_it_stands(data, logs):
    buckets = [
        resource("AWS::S3::Bucket", "Data", {"BucketName": data}, file="t.yaml"),
        resource("AWS::S3::Bucket", "Logs", {"BucketName": logs}, file="t.yaml"),
    ]
    policy = resource("AWS::S3::BucketPolicy", "P", {"Bucket": data}, file="t.yaml")
    first, second = fold([*buckets, policy])
    assert first.related == {"policies": [{"Bucket": data}]}
    assert second.related == {}


@pytest.mark.parametrize(
    "name",
    [
        _named("data-${…}", "data-", ""),
        _named("data-${Name}", "data-", "", reason="known_after_apply"),
        _named("Fn::ImportValue: a"),
    ],
)
def test_a_text_of_something_else_may_mean_any(name):
    bucket = resource("AWS::S3::Bucket", "Data", {"BucketName": name}, file="t.yaml")
    found = fold([bucket, resource("AWS::S3::BucketPolicy", "P", {"Bucket": name}, file="t.yaml")])
    assert isinstance(found[0].related["policies"], OpenList)


def test_what_was_unknown_stays_unknown():
    parent = group(properties={"SecurityGroupIngress": DENIED})
    (found,) = fold([parent, ingress("r", "sg-1")])
    assert (len(rules(found)), rules(found).more) == (1, DENIED)
    parent = group(properties=OpenDict({"GroupDescription": "d"}, DENIED))
    (found,) = fold([parent, ingress("r", "sg-1")])
    assert (len(rules(found)), rules(found).more, found.properties.more) == (1, DENIED, DENIED)
    parent = group(properties={"SecurityGroupIngress": OpenList([{}], DENIED)})
    (found,) = fold([parent, ingress("r", "sg-1")])
    assert (len(rules(found)), rules(found).more) == (2, DENIED)


def test_one_satellite_in_two_parents():
    instance = resource("AWS::EC2::Instance", "i-1", {})
    volume = resource("AWS::EC2::Volume", "vol-1", {})
    attachment = resource("AWS::EC2::VolumeAttachment", "a", {"InstanceId": "i-1", "VolumeId": "vol-1"})
    found = {r.id: r for r in fold([instance, volume, attachment])}
    assert set(found) == {"i-1", "vol-1"}
    assert found["i-1"].related["volume_attachments"] == found["vol-1"].related["attachments"]


def test_branches_that_are_not_known_to_the_parent_are_a_doubt():
    satellite = ingress("r", "sg-1", branch={"C": True})
    (found,) = fold([group(), satellite])
    assert (rules(found), rules(found).more.reason) == ([], "too_many_branches")


def test_a_branch_that_belongs_elsewhere_stays_a_resource():
    reference = Unresolved("unresolved_reference", "Ref: G", target=("G", "Ref"))
    inside = ingress("r", reference, file="t", branch={"C": True})
    outside = ingress("r", "sg-9", file="t", branch={"C": False})
    inside.variants = (outside,)
    first = group("G", file="t", branch={"C": True})
    first.variants = (group("G", file="t", branch={"C": False}),)
    found = fold([first, inside])
    assert [(r.id, r.branch) for r in found] == [("G", {"C": True}), ("r", {"C": False})]
    assert rules(found[0])
    assert rules(found[0].variants[0]) is None


def test_places():
    parent = group(locate=lambda path: Location("p", len(path)))
    satellite = ingress("r", "sg-1", locate=lambda path: Location("s", len(path)))
    (found,) = fold([parent, satellite])
    assert found.locate(("SecurityGroupIngress", 0, "IpProtocol")) == Location("s", 1)
    assert found.locate(("SecurityGroupIngress",)) == Location("p", 1)


def test_nothing_to_fold_gives_the_same_objects():
    given = [group(), resource("AWS::S3::Bucket", "b", {})]
    found = fold(given)
    assert all(a is b for a, b in zip(found, given, strict=True))
