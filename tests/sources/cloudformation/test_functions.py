"""Every intrinsic function: what it gives, what it leaves unresolved, and where its misuse is reported."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from policyengine.documents import load
from policyengine.model.finding import plain
from policyengine.model.values import Unresolved
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation import open_template

from .helpers import opened

CASES = yaml.safe_load(Path(__file__).with_name("cases").joinpath("functions.yaml").read_text())

TEMPLATE = """\
Resources:
  R:
    Type: AWS::S3::Bucket
    Properties:
      V: {value}
  Other: {{Type: AWS::S3::Bucket}}
Parameters:
  Name: {{Type: String, Default: app}}
  Size: {{Type: Number, Default: 20}}
  Zones: {{Type: CommaDelimitedList, Default: "a, b,c"}}
  Nothing: {{Type: String}}
  Secret: {{Type: String, NoEcho: true, Default: hunter2}}
  Image: {{Type: "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", Default: /aws/ami}}
Conditions:
  IsApp: !Equals [!Ref Name, app]
Mappings:
  M:
    eu-west-1: {{Image: ami-1, Same: one, Zones: [x, y], Empty: null, Object: {{a: b}}}}
    us-east-1: {{Image: ami-2, Same: one}}
"""


def run(value):
    text = TEMPLATE.format(value=value)
    document = load(text.encode(), name="t", style="cloudformation")
    source = open_template("t", SourceOptions(region="eu-west-1"), document)
    resources = {r.id: r for r in source.resources()}
    return source, resources["R"].properties.get("V")


@pytest.mark.parametrize("case", CASES, ids=[c["case"] for c in CASES])
def test_function(case):
    assert {"expect", "error"} & case.keys(), "a case without an expectation is an error"
    source, value = run(case["value"])
    if "error" in case:
        assert [str(e) for e in source.errors] == ["t:" + case["error"]]
        if not isinstance(value, dict | list):
            assert isinstance(value, Unresolved)
        return
    assert source.errors == []
    assert plain(value) == case["expect"]
    if "target" in case:
        assert value.target == (tuple(case["target"]) if case["target"] else None)


def test_what_certainly_gives_a_value_says_so():
    for value, present in [("!GetAtt Other.Arn", True), ("!Ref Nothing", False), ('!Sub "a${Nothing}"', True),
                           ("!Ref Image", True), ("!ImportValue x", True)]:  # fmt: skip
        assert run(value)[1].present is present


def test_a_secret_default_stands_nowhere_in_what_is_given():
    source, value = run('!Join ["", [!Ref Secret, !Sub "${Secret}", !Base64 {"Ref": Secret}]]')
    everything = repr([(r.properties, r.tags) for r in source.resources()]) + repr(source.notes)
    assert "hunter2" not in everything
    assert isinstance(value, Unresolved)


def test_what_is_between_the_known_parts_of_a_text_is_kept() -> None:
    written = "{Fn::Base64: !Sub 'a ${AWS::StackName} b ${Queue.Arn} c ${Given}'}"
    text = (
        "Parameters: {Given: {Type: String}}\nResources:\n  Queue: {Type: AWS::SQS::Queue}\n"
        f"  I: {{Type: AWS::EC2::Instance, Properties: {{UserData: {written}}}}}\n"
    )
    _, resources = opened(text)
    value = resources["I"].properties["UserData"]
    assert value.parts == ("a ", " b ", " c ", "")
    assert [gap.target for gap in value.gaps] == [None, ("Queue", "Arn"), None]
    assert value.gaps[0].detail == "Ref: AWS::StackName"


MAPS = """\
Mappings:
  Names:
    aws: {EC2: ec2.amazonaws.com, Policy: "arn:aws:iam::aws:policy/P", Self: aws, Image: a, Same: x}
    aws-cn: {EC2: ec2.amazonaws.com.cn, Policy: "arn:aws-cn:iam::aws:policy/P", Self: aws-cn, Image: b, Same: x}
    aws-us-gov: {EC2: ec2.amazonaws.com, Policy: "arn:aws-us-gov:iam::aws:policy/P", Self: aws-us-gov, Image: a}
  Others: {aws: {EC2: ec2.amazonaws.com}, somewhere: {EC2: ec2.amazonaws.com.cn}}
Resources:
  R: {Type: AWS::S3::Bucket, Properties: {V: %s}}
"""


@pytest.mark.parametrize(
    ("found", "shown", "parts", "in_china"),
    [
        ("[Names, !Ref AWS::Partition, EC2]", "ec2.${AWS::URLSuffix}", ("ec2.", ""), "ec2.amazonaws.com.cn"),
        (
            "[Names, !Ref AWS::Partition, Policy]",
            "arn:${AWS::Partition}:iam::aws:policy/P",
            ("arn:", ":iam::aws:policy/P"),
            "arn:aws-cn:iam::aws:policy/P",
        ),
        ("[Names, !Ref AWS::Partition, Self]", "${AWS::Partition}", ("", ""), "aws-cn"),
        ("[Names, !Ref AWS::Partition, Image]", "FindInMap: Names.${AWS::Partition}.Image", None, "b"),
        ("[Others, !Ref AWS::Partition, EC2]", "FindInMap: Others.${AWS::Partition}.EC2", None, None),
        ("[Names, !Ref AWS::URLSuffix, EC2]", "FindInMap: Names.${AWS::URLSuffix}.EC2", None, None),
    ],
)
def test_a_mapping_by_partition_says_what_pseudo_parameters_say(found, shown, parts, in_china):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html"""

    def value(region):
        document = load((MAPS % f"!FindInMap {found}").encode(), name="t", style="cloudformation")
        source = open_template("t", SourceOptions(region=region), document)
        return next(iter(source.resources())).properties.get("V")

    unknown = value(None)
    assert isinstance(unknown, Unresolved)
    assert (unknown.detail, unknown.parts) == (shown, parts)
    if in_china is not None:
        assert value("cn-north-1") == in_china
