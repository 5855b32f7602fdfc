"""Whatever a template holds, reading it ends soon and raises nothing but InputError."""

from __future__ import annotations

import json
import time

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.documents import load
from policyengine.model.errors import InputError
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation import open_template, read_parameters_file

NAMES = st.sampled_from(
    ["A", "B", "P", "L", "C", "M", "AWS::Region", "AWS::NoValue", "A.Arn", "${A}-${P}", "k", ""]
)
KEYS = st.sampled_from(
    ["Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::FindInMap", "Fn::If", "Fn::Equals",
     "Fn::And", "Fn::Or", "Fn::Not", "Condition", "Fn::ImportValue", "Fn::Cidr", "Fn::Base64", "Fn::GetAZs",
     "Fn::Transform", "Fn::ForEach::X", "Fn::Length", "Fn::ToJsonString", "!Nope", "Type", "Properties", "Default",
     "Tags", "Key", "Value", "GroupId", "Bucket", "BucketName", "Statement"]
)  # fmt: skip
SCALARS = (
    NAMES
    | st.integers(-3, 300)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.builds(lambda k, v: {k: v}, KEYS, inner)
        | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=14,
)
TYPES = st.sampled_from(
    ["AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress",
     "AWS::IAM::Role", "AWS::Serverless::Function", "Custom::X"]
)  # fmt: skip
RESOURCES = st.dictionaries(
    NAMES | st.just("Fn::ForEach::R"),
    st.fixed_dictionaries({"Type": TYPES | VALUES}, optional={"Properties": VALUES, "Condition": VALUES})
    | VALUES,
    min_size=1,
    max_size=4,
)
TEMPLATES = st.fixed_dictionaries(
    {"Resources": RESOURCES},
    optional={
        "Parameters": st.dictionaries(
            NAMES, st.fixed_dictionaries({"Type": NAMES | st.just("String")}, optional={"Default": VALUES})
        ),
        "Conditions": st.dictionaries(NAMES, VALUES, max_size=3),
        "Mappings": st.dictionaries(NAMES, VALUES, max_size=2),
        "Transform": st.sampled_from(["AWS::LanguageExtensions", "Other"]) | VALUES,
    },
)


@given(TEMPLATES)
@settings(max_examples=150, deadline=None)
def test_odd_templates(template):
    document = load(json.dumps(template).encode(), name="t", style="cloudformation")
    started = time.process_time()
    try:
        source = open_template("t", SourceOptions(), document)
        resources = list(source.resources())
    except InputError as error:
        assert error.location is not None
        return
    assert time.process_time() - started < 5
    for error in source.errors:
        assert error.location.line is not None
        assert "\n" not in str(error)
    for resource in resources:
        for branch in (resource, *resource.variants):
            assert branch.locate(()) is not None
            check(branch.properties)


def check(value):
    """Only what the model promises: JSON values without null, Unresolved, OpenList, OpenDict."""
    if isinstance(value, dict):
        assert type(value) in (dict, OpenDict)
        for key, inner in value.items():
            assert isinstance(key, str)
            check(inner)
    elif isinstance(value, list):
        assert type(value) in (list, OpenList)
        for inner in value:
            check(inner)
    else:
        assert isinstance(value, str | int | float | Unresolved), value


@given(st.binary(max_size=120))
@settings(max_examples=60, deadline=None)
def test_odd_bytes(data):
    try:
        document = load(data, name="t", style="cloudformation")
        list(open_template("t", SourceOptions(), document).resources())
    except InputError as error:
        assert error.location is not None


@given(VALUES)
@settings(max_examples=60, deadline=None)
def test_odd_parameter_files(tmp_path_factory, value):
    file = tmp_path_factory.mktemp("p") / "p.json"
    file.write_text(json.dumps(value))
    try:
        read_parameters_file(file)
    except InputError as error:
        assert "\n" not in str(error)


def quickly(text, limit=5.0):
    started = time.process_time()
    document = load(text.encode(), name="t", style="cloudformation")
    source = open_template("t", SourceOptions(), document)
    found = list(source.resources())
    assert time.process_time() - started < limit
    return source, found


def test_deep_functions_are_an_error_with_a_place_and_the_rest_goes_on():
    value = "x"
    for _ in range(45):
        value = {"Fn::Base64": {"Fn::Join": ["", [value]]}}
    text = json.dumps(
        {"Resources": {"A": {"Type": "T::T::T", "Properties": {"V": value}}, "B": {"Type": "T::T::T"}}}
    )
    source, found = quickly(text)
    assert [r.id for r in found] == ["A", "B"]
    assert any("nested deeper than 128 levels" in e.message for e in source.errors)
    assert isinstance(found[0].properties["V"], Unresolved)


def test_loops_in_loops_end():
    body = {"R${A}${B}${C}${D}": {"Type": "T::T::T"}}
    for name in "ABCD":
        body = {f"Fn::ForEach::{name}": [name, [str(i) for i in range(100)], body]}
    source, _ = quickly(json.dumps({"Resources": body}), 20)
    assert any("turn more than" in e.message for e in source.errors)


def test_loops_that_make_nothing_end():
    body = {}
    for name in "ABCDEF":
        body = {f"Fn::ForEach::{name}": [name, [str(i) for i in range(100)], body]}
    source, found = quickly(json.dumps({"Resources": body}))
    assert found == []
    assert source.errors


def test_text_does_not_grow_without_end():
    joins = "a" * 1000
    for _ in range(40):
        joins = {"Fn::Join": ["", [joins]]}
    doubling = "\n".join(f"  V{i}: &v{i} !Join ['', [*v{i - 1}, *v{i - 1}]]" for i in range(1, 14))
    text = (
        "Resources:\n  A:\n    Type: T::T::T\n    Properties:\n      V0: &v0 "
        + "x" * 2000 + "\n" + doubling.replace("  V", "      V") + "\n"
    )  # fmt: skip
    quickly(text, 10)
    quickly(yaml.safe_dump({"Resources": {"A": {"Type": "T::T::T", "Properties": {"V": joins}}}}))


def test_many_sets_of_many_conditions_end():
    count = 60
    parameters = {f"P{i}": {"Type": "String"} for i in range(count)}
    conditions = {f"C{i}": {"Fn::Equals": [{"Ref": f"P{i}"}, "x"]} for i in range(count)}
    resources = {
        f"R{n}": {
            "Type": "T::T::T",
            "Properties": {f"V{k}": {"Fn::If": [f"C{(n * 7 + k * k) % count}", 1, 0]} for k in range(12)},
        }
        for n in range(300)
    }
    source, found = quickly(
        json.dumps({"Parameters": parameters, "Conditions": conditions, "Resources": resources}), 20
    )
    assert len(found) == 300
    assert source.errors == []


def test_a_web_of_references_ends():
    names = [f"R{i}" for i in range(150)]
    everyone = [{"Ref": name} for name in names]
    resources = {name: {"Type": "AWS::EC2::SecurityGroup", "Properties": {"X": everyone}} for name in names}
    source, found = quickly(json.dumps({"Resources": resources}))
    assert len(found) == 150
    assert 1 <= len(source.errors) <= 20


def test_many_references_to_nothing_end():
    properties = {f"V{i}": {"Ref": f"Nothing{i}"} for i in range(3000)}
    resources = {f"Name{i}": {"Type": "T::T::T"} for i in range(1000)}
    resources["R"] = {"Type": "T::T::T", "Properties": properties}
    source, _ = quickly(json.dumps({"Resources": resources}))
    assert len(source.errors) == 3000
