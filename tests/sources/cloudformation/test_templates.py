"""Whole templates as data: resources, branches, folding, tags, loops, and every kind of mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from policyengine.model.finding import plain
from policyengine.sources.base import SourceOptions

from .helpers import messages, opened

CASES = yaml.safe_load(Path(__file__).with_name("cases").joinpath("templates.yaml").read_text())


def as_data(resource, wanted):
    found = {"properties": plain(resource.properties)}
    if resource.branch is not None:
        found["branch"] = dict(resource.branch)
    for name in ("related", "tags", "provenance"):
        if name in wanted:
            found[name] = plain(getattr(resource, name))
    if hasattr(resource.tags, "more"):
        found["more_tags"] = resource.tags.more.detail
    if hasattr(resource.properties, "more"):
        found["open"] = True
    return found


@pytest.mark.parametrize("case", CASES, ids=[c["case"] for c in CASES])
def test_template(case):
    options = SourceOptions(parameters=case.get("parameters", {}), region=case.get("region"))
    source, resources = opened(case["template"], options, stack_tags=case.get("stack_tags"))
    found = {
        name: [
            as_data(b, w) for b, w in zip((r, *r.variants), padded(case["expect"].get(name), r), strict=True)
        ]
        for name, r in resources.items()
    }
    assert found == case["expect"]
    assert messages(source) == case.get("errors", [])
    assert dict(source.skipped) == case.get("skipped", {})
    assert source.notes == case.get("notes", [])
    assert [r.id for r in source.resources()] == list(resources), "iterating again gives the same"
    assert messages(source) == case.get("errors", []), "iterating again reports nothing twice"


def padded(wanted, resource):
    count = 1 + len(resource.variants)
    return [*(wanted or []), *({} for _ in range(count))][:count]


def test_no_more_than_64_branches_and_then_the_values_are_unknown():
    names = [f"P{i}" for i in range(7)]
    text = "Parameters:\n" + "".join(f"  {n}: {{Type: String}}\n" for n in names)
    text += "Conditions:\n" + "".join(f"  C{n}: !Equals [!Ref {n}, x]\n" for n in names)
    text += "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      Plain: 1\n"
    text += "".join(f"      {n}: !If [C{n}, 1, 0]\n" for n in names)
    source, resources = opened(text)
    bucket = resources["B"]
    assert source.errors == []
    assert (bucket.branch, bucket.variants, bucket.properties["Plain"]) == (None, (), 1)
    assert {bucket.properties[n].reason for n in names} == {"too_many_branches"}
    source, resources = opened(text.replace("      P6: !If [CP6, 1, 0]\n", ""))
    assert len(resources["B"].variants) == 63


def test_sixty_independent_conditions_end_quickly():
    text = "Parameters:\n" + "".join(f"  P{i}: {{Type: String}}\n" for i in range(60))
    text += "Conditions:\n" + "".join(f"  C{i}: !Equals [!Ref P{i}, x]\n" for i in range(60))
    text += "  All: !And [" + ", ".join(f"!Condition C{i}" for i in range(60)) + "]\n"
    text += "Resources:\n  B: {Type: AWS::S3::Bucket, Properties: {V: !If [All, 1, 0]}}\n"
    bucket = opened(text)[1]["B"]
    assert [b.properties["V"] for b in (bucket, *bucket.variants)] == [1, 0]


def test_related_resources_share_their_branches():
    _, resources = opened(
        """\
        Parameters: {Env: {Type: String}}
        Conditions: {Prod: !Equals [!Ref Env, prod]}
        Resources:
          I: {Type: AWS::EC2::Instance, Properties: {SecurityGroupIds: [!Ref G]}}
          G: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: !If [Prod, p, d]}}
          B: {Type: AWS::S3::Bucket}
        """
    )
    assert [b.branch for b in (resources["I"], *resources["I"].variants)] == [{"Prod": True}, {"Prod": False}]
    assert resources["B"].branch is None


def test_places_of_values_that_moved():
    _, resources = opened(
        """\
        Parameters: {Env: {Type: String, Default: dev}}
        Conditions: {Prod: !Equals [!Ref Env, prod]}
        Resources:
          B:
            Type: AWS::S3::Bucket
            Properties:
              List:
                - !If [Prod, a, !Ref AWS::NoValue]
                - second
                - {Key: third}
              Chosen: !If
                - Prod
                - {Deep: 1}
                - Deep:
                    Deeper: 2
              Tags:
                - {Key: Env, Value: !Ref Env}
        """
    )
    at = resources["B"].locate
    places = {
        (): (4, 3),
        ("List", 0): (9, 11),
        ("List", 1, "Key"): (10, 17),
        ("Chosen",): (14, 11),
        ("Chosen", "Deep", "Deeper"): (15, 21),
        ("Absent", "Property"): (4, 3),
        ("tags", "Env"): (17, 29),
        ("tags", "Missing"): (17, 9),
    }
    assert {path: at(path)[1:3] for path in places} == places


def test_folded_elements_keep_their_own_places():
    _, resources = opened(
        """\
        Resources:
          G:
            Type: AWS::EC2::SecurityGroup
            Properties:
              SecurityGroupIngress: [{CidrIp: 10.0.0.0/8}]
          I:
            Type: AWS::EC2::SecurityGroupIngress
            Properties:
              GroupId: !Ref G
              CidrIp: 0.0.0.0/0
        """
    )
    at = resources["G"].locate
    assert at(("SecurityGroupIngress", 0, "CidrIp"))[1:3] == (5, 39)
    assert at(("SecurityGroupIngress", 1, "CidrIp"))[1:3] == (10, 15)
    assert at(("SecurityGroupIngress", 1))[1:3] == (6, 3)
    assert list(resources) == ["G"]
