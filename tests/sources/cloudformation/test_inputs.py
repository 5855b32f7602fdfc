"""Parameter files in both AWS formats, reading from disk, recognising templates."""

from __future__ import annotations

import pytest

from policyengine.model.errors import InputError
from policyengine.model.values import Unresolved
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation import is_template, open_template, read_parameters_file

from .helpers import opened

LIST = '[{"ParameterKey": "A", "ParameterValue": "1"}, {"ParameterKey": "B", "UsePreviousValue": true}]'


def test_the_format_of_the_command_line(tmp_path):
    file = tmp_path / "p.json"
    file.write_text(LIST)
    found = read_parameters_file(file)
    assert found["A"] == "1"
    assert isinstance(found["B"], Unresolved)
    assert "previous value" in found["B"].detail


def test_the_format_of_code_pipeline(tmp_path):
    file = tmp_path / "p.json"
    file.write_text('{"Parameters": {"A": "1", "L": "x,y"}, "Tags": {"T": "v"}}')
    assert read_parameters_file(file) == {"A": "1", "L": "x,y"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"A": "1"}', "1:1: expected a list of `{ParameterKey, ParameterValue}`, or a mapping"),
        ('[{"Key": "A"}]', "1:2: expected `ParameterKey` and `ParameterValue`"),
        ('[{"ParameterKey": "A"}]', "1:2: the `ParameterValue` of `A` is null, not text"),
        (LIST[:-1] + ', {"ParameterKey": "A", "ParameterValue": "2"}]', "parameter `A` is given twice"),
        ('{"Parameters": {"A": {"b": 1}}}', "1:22: the value of parameter `A` is a mapping, not text"),
        ('{"Parameters": {"A": ["b", null]}}', "1:22: the value of parameter `A` has null, not text"),
        ('{"Parameters": {"A": null}}', "1:22: the value of parameter `A` is null, not text"),
        ("[", "not valid JSON"),
        ("", "the file is empty"),
    ],
)
def test_a_broken_parameters_file_is_refused_with_its_place(tmp_path, text, message):
    file = tmp_path / "p.json"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        read_parameters_file(file)
    assert message in str(caught.value)


def test_a_parameters_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_parameters_file(tmp_path / "nowhere.json")


def test_a_previous_value_is_not_the_default():
    given = {"A": Unresolved("unresolved_reference", "parameter `A` keeps its previous value")}
    text = "Parameters: {A: {Type: String, Default: d}}\nResources: {R: {Type: T::T::T, Properties: {V: !Ref A}}}"
    _, resources = opened(text, SourceOptions(parameters=given))
    assert resources["R"].properties["V"] == given["A"]


def test_a_value_for_no_parameter_is_noted():
    source, _ = opened("Resources: {R: {Type: T::T::T}}", SourceOptions(parameters={"Evn": "prod"}))
    assert source.notes == ["t.yaml: the template declares no parameter `Evn`"]


def test_identity_is_the_path_below_the_base(tmp_path):
    folder = tmp_path / "stacks"
    folder.mkdir()
    file = folder / "app.yaml"
    file.write_text("Resources: {R: {Type: AWS::S3::Bucket}}")
    (resource,) = open_template(file, SourceOptions(base=tmp_path, account="111122223333")).resources()
    assert (resource.file, resource.id, resource.account) == ("stacks/app.yaml", "R", "111122223333")
    assert str(resource.locate(())) == "stacks/app.yaml:1:13"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Resources:\n  a: [", "not valid YAML"),
        (b"\0\1\2", "binary"),
        (b"", "empty"),
        (b"text", "not a template: expected a mapping"),
        (b"A: 1", "the template has no `Resources`"),
        (b"Resources: [1]", "`Resources` is a list, not a mapping of resources"),
        (b"Resources: {A: 1, A: 2}", "duplicate key `A`"),
        (b"[" * 100_000, "nested deeper"),
    ],
)
def test_what_cannot_be_read_at_all_is_refused(tmp_path, content, message):
    file = tmp_path / "t.yaml"
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        open_template(file, SourceOptions(base=tmp_path))
    assert message in str(caught.value)
    assert str(caught.value).startswith("t.yaml")


def test_an_unreadable_template(tmp_path):
    with pytest.raises(InputError, match=r"x\.yaml: cannot read the template: no such file"):
        open_template(tmp_path / "x.yaml", SourceOptions(base=tmp_path))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"AWSTemplateFormatVersion": "2010-09-09"}, True),
        ({"Resources": {"A": {"Type": "AWS::S3::Bucket"}}}, True),
        ({"Resources": {"A": {"Type": {"Ref": "X"}}}}, True),
        ({"Resources": {"Fn::ForEach::X": []}}, True),
        ({"Resources": {}, "Transform": "X"}, False),
        ({"Resources": {"a": 1}}, False),
        ({"requestId": "x", "fragment": {"Resources": {"A": {"Type": "X"}}}}, False),
        ({"kind": "Deployment"}, False),
        ([], False),
        (None, False),
    ],
)
def test_recognising_a_template(value, expected):
    assert is_template(value) is expected
