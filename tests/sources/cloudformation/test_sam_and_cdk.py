"""SAM through the translator and without it; CDK assemblies."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from policyengine.model.errors import InputError
from policyengine.model.finding import plain
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation import is_assembly, open_template, read_assembly

from .helpers import opened

SAM = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Pw: {Type: String, NoEcho: true, Default: hunter2}
Globals:
  Function: {Timeout: 5}
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ./src
      Runtime: python3.12
      Handler: a.b
      Policies: [AmazonS3ReadOnlyAccess]
      Environment: {Variables: {P: !Ref Pw}}
  B:
    Type: AWS::S3::Bucket
    Properties: {BucketName: plain}
"""


@pytest.fixture
def translator():
    return pytest.importorskip("samtranslator", reason="the extra `sam` is not installed")


def test_sam_resources_are_translated_and_keep_their_places(translator):
    source, resources = opened(SAM, SourceOptions(region="eu-west-1"))
    function, role = resources["Fn"], resources["FnRole"]
    assert (function.type, function.properties["Timeout"]) == ("AWS::Lambda::Function", 5)
    assert function.locate(("Runtime",))[1:3] == (11, 16)
    assert function.locate(("Timeout",))[1:3] == (7, 3), "from Globals: the resource's own place"
    assert role.locate(("ManagedPolicyArns",))[1:3] == (7, 3)
    assert "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" in role.properties["ManagedPolicyArns"]
    assert function.properties["Code"].reason == "unresolved_reference"
    assert resources["B"].locate(("BucketName",))[1:3] == (17, 30)
    assert (source.errors, source.notes) == ([], [])


def test_a_secret_default_does_not_come_back_from_the_translator(translator):
    _, resources = opened(SAM)
    assert "hunter2" not in repr([plain(r.properties) for r in resources.values()])
    assert resources["Fn"].properties["Environment"]["Variables"]["P"].reason == "redacted"


def test_without_the_translator_sam_resources_are_unknown(monkeypatch):
    monkeypatch.setitem(sys.modules, "samtranslator.parser.parser", None)
    monkeypatch.setitem(sys.modules, "samtranslator.translator.translator", None)
    source, resources = opened(SAM)
    properties = resources["Fn"].properties
    assert resources["Fn"].type == "AWS::Lambda::Function", "rules about functions say UNKNOWN"
    assert {properties["Runtime"].reason, properties.more.reason} == {"unsupported"}
    assert resources["B"].properties == {"BucketName": "plain"}
    assert source.notes == [
        "t.yaml: 1 SAM resource is UNKNOWN: `pip install 'policyengine-aws[sam]'` translates them"
    ]
    assert source.errors == []


@pytest.mark.parametrize(
    "properties", ["{Policies: 5, Handler: {a: b}}", "{Events: {A: {Type: Nope}}}", "{}"]
)
def test_what_the_translator_refuses_is_unknown(translator, properties):
    function = f"{{Type: AWS::Serverless::Function, Properties: {properties}}}"
    text = f"Transform: AWS::Serverless-2016-10-31\nResources:\n  F: {function}"
    source, resources = opened(text)
    assert hasattr(resources["F"].properties, "more")
    assert len(source.notes) == 1
    assert "the SAM translator" in source.notes[0]
    assert "\n" not in source.notes[0]


def test_an_application_of_the_repository_is_a_stack_whose_template_is_not_known(translator):
    _, resources = opened(
        """\
Transform: AWS::Serverless-2016-10-31
Parameters: {V: {Type: String, Default: 1.0.0}}
Resources:
  App:
    Type: AWS::Serverless::Application
    Properties:
      Location: {ApplicationId: "arn:aws:serverlessrepo:us-east-1:1:applications/x", SemanticVersion: !Ref V}
      Tags: {Owner: me}
  Local: {Type: AWS::Serverless::Application, Properties: {Location: "https://b.s3.amazonaws.com/t.yaml"}}
"""
    )
    app, local = resources["App"], resources["Local"]
    assert {app.type, local.type} == {"AWS::CloudFormation::Stack"}
    assert app.properties["TemplateURL"].reason == "unresolved_reference"
    assert app.tags["Owner"] == "me"
    assert app.tags["serverlessrepo:semanticVersion"] == "1.0.0"
    assert local.properties["TemplateURL"] == "https://b.s3.amazonaws.com/t.yaml"


@pytest.mark.parametrize(
    "location", ["{ApplicationId: a}", "{ApplicationId: a, SemanticVersion: ''}", "{Ref: AWS::Region}", "[]"]
)
def test_an_application_without_a_place_is_refused(translator, location):
    application = f"{{Type: AWS::Serverless::Application, Properties: {{Location: {location}}}}}"
    source, _ = opened(f"Transform: AWS::Serverless-2016-10-31\nResources:\n  A: {application}")
    assert "the SAM translator refuses them" in source.notes[0]


def test_translating_loads_no_client_of_aws_and_leaves_the_real_modules_alone(translator, tmp_path):
    (tmp_path / "t.yaml").write_text(SAM)
    program = f"""
import sys
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation import open_template
source = open_template({str(tmp_path / "t.yaml")!r}, SourceOptions())
assert {{r.id for r in source.resources()}} == {{"Fn", "FnRole", "B"}}, source.notes
print(sorted({{name.partition(".")[0] for name in sys.modules}} & {{"boto3", "botocore", "jsonschema"}}))
from samtranslator.model import sam_resources
print(sam_resources.aws_serverless_function.Properties.__name__)
import boto3, botocore.exceptions, jsonschema.exceptions
print(boto3.client.__module__, botocore.exceptions.ClientError.__module__)
print(jsonschema.exceptions.ValidationError.__module__)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "[]",
        "Properties",
        "boto3",
        "botocore.exceptions",
        "jsonschema.exceptions",
    ]


def write_assembly(folder, artifacts):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": artifacts}))
    return folder


def stack(file="A.template.json", environment="aws://111122223333/eu-west-1", **properties):
    return {
        "type": "aws:cloudformation:stack",
        "environment": environment,
        "properties": {"templateFile": file, **properties},
    }


def test_stacks_of_an_assembly_and_its_stages(tmp_path):
    nested = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}
    artifacts = {
        "A": stack(tags={"Team": "core"}, stackName="app"),
        "A.assets": {"type": "cdk:asset-manifest"},
        "Tree": {"type": "cdk:tree"},
        "Prod": nested,
    }
    folder = write_assembly(tmp_path / "cdk.out", artifacts)
    write_assembly(
        folder / "assembly-Prod", {"B": stack("B.template.json", "aws://unknown-account/unknown-region")}
    )
    assert is_assembly(folder)
    found = read_assembly(folder)
    assert [(s.name, s.account, s.region, dict(s.tags)) for s in found] == [
        ("app", "111122223333", "eu-west-1", {"Team": "core"}),
        ("B", None, None, {}),
    ]
    assert found[1].template == folder / "assembly-Prod" / "B.template.json"
    found[0].template.write_text(json.dumps({"Resources": {"R": {"Type": "AWS::S3::Bucket"}}}))
    (resource,) = open_template(found[0].template, SourceOptions(base=tmp_path)).resources()
    assert (resource.tags, resource.file) == ({"Team": "core"}, "cdk.out/A.template.json")
    assert (resource.account, resource.region) == ("111122223333", "eu-west-1")
    options = SourceOptions(base=tmp_path, account="444455556666")
    (resource,) = open_template(found[0].template, options).resources()
    assert (resource.account, resource.region) == ("444455556666", "eu-west-1")


@pytest.mark.parametrize("file", ["../../etc/passwd", "", None, 5])
def test_a_template_outside_the_assembly_is_refused(tmp_path, file):
    folder = write_assembly(tmp_path / "cdk.out", {"A": stack(file)})
    with pytest.raises(InputError, match="stack `A` has no `templateFile` inside the assembly"):
        read_assembly(folder)


@pytest.mark.parametrize("content", ["", "[]", '{"artifacts": []}', "{"])
def test_a_broken_manifest_is_refused(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InputError):
        read_assembly(tmp_path)
    assert not is_assembly(tmp_path / "nowhere")
