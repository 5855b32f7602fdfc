"""Suppressions in templates: what they stand at, and what is none."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from policyengine.documents import load
from policyengine.model.errors import InputError
from policyengine.model.resource import Resource
from policyengine.model.suppression import SUPPRESSION, references_of
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation.source import open_template
from policyengine.sources.suppressions import MOST_SUPPRESSIONS

HEAD = "Resources:\n"
FILES = sorted((Path(__file__).parents[4] / "shared/corpora/cloudformation").glob("*.y*ml"))


def read(folder: Path, text: str, name: str = "t.yaml") -> list[Resource]:
    path = folder / name
    path.write_text(text)
    source = open_template(path, SourceOptions(base=folder))
    found = list(source.resources())
    assert source.errors == []
    return found


def said(resources: list[Resource]) -> dict[str, tuple[str, int | None, list[str]]]:
    """id of a suppression -> kind, line, ids of what it stands at"""
    return {
        r.id: (r.properties["Kind"], r.locate(()).line, [t["Id"] for t in r.properties["Targets"]])
        for r in resources
        if r.type == SUPPRESSION
    }


INGRESS = """\
  A:
    Type: AWS::EC2::SecurityGroup
    Properties:
      SecurityGroupIngress:
        # policyengine:waiver W-1
        - CidrIp: 0.0.0.0/0
          # policyengine:waiver W-1
          IpProtocol: tcp
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  # policyengine:waiver W-1\n  A:\n    Type: AWS::S3::Bucket\n", {"A#W-1": ("waiver", 2, ["A"])}),
        ("  A: # policyengine:waiver W-1\n    Type: AWS::S3::Bucket\n", {"A#W-1": ("waiver", 2, ["A"])}),
        ("  A:\n    Type: AWS::S3::Bucket  # policyengine: waiver: W-1\n", {"A#W-1": ("waiver", 3, ["A"])}),
        (
            "  # policyengine:waiver W-1, W-2 rebuilt every night\n  # why: tickets\n  A:\n    Type: AWS::S3::Bucket\n",
            {"A#W-1": ("waiver", 2, ["A"]), "A#W-2": ("waiver", 2, ["A"])},
        ),
        ("  A:\n    Type: AWS::S3::Bucket\n    # policyengine:waiver W-1\n  B:\n    Type: AWS::SNS::Topic\n",
         {"#W-1": ("waiver", 4, [])}),
        ("  # policyengine:waiver W-1\n\n  A:\n    Type: AWS::S3::Bucket\n", {"#W-1": ("waiver", 2, [])}),
        ("  A:\n    Type: AWS::S3::Bucket\n# policyengine:waiver W-1\n", {"#W-1": ("waiver", 4, [])}),
        ("  A: {Type: AWS::S3::Bucket} # policyengine:waiver W-1\n", {"A#W-1": ("waiver", 2, ["A"])}),
        ("  {A: {Type: AWS::S3::Bucket}} # policyengine:waiver W-1\n", {"A#W-1": ("waiver", 2, ["A"])}),
        ("  {A: {Type: AWS::S3::Bucket}, B: {Type: AWS::SNS::Topic}} # policyengine:waiver W-1\n",
         {"#W-1": ("waiver", 2, [])}),
        ("  A: {Type: AWS::S3::Bucket,\n    Properties: {BucketName: a}} # policyengine:waiver W-1\n",
         {"A#W-1": ("waiver", 3, ["A"])}),
        ("  A:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: >-  # policyengine:waiver W-1\n        # policyengine:ignore\n",
         {"A#W-1": ("waiver", 5, ["A"])}),
        (INGRESS, {"A#W-1": ("waiver", 6, ["A"])}),
        ("  A:\n    Type: AWS::S3::Bucket # policyengine:ignore\n", {"A#policyengine:ignore": ("ignore", 3, ["A"])}),
        ("  A:\n    Type: AWS::S3::Bucket # policyengine:skip=s3-versioning\n",
         {"A#policyengine:skip s3-versioning": ("ignore", 3, ["A"])}),
        ("  A:\n    Type: AWS::S3::Bucket # policyengine:waiver\n", {"A#policyengine:waiver": ("ignore", 3, ["A"])}),
        ("  A:\n    Type: AWS::S3::Bucket # policyengine:todo repair it\n", {}),
        ("  A:\n    Type: AWS::S3::Bucket # see policyengine:ignore\n", {}),
        ("  A:\n    Type: AWS::S3::Bucket # checkov:skip=CKV_AWS_18 trivy:ignore:AVD-AWS-0089\n", {}),
        ("  A:\n    Type: AWS::S3::Bucket\n    Metadata: {policyengine: {waivers: [W-1, W-2]}}\n",
         {"A#W-1": ("waiver", 4, ["A"]), "A#W-2": ("waiver", 4, ["A"])}),
        ("  A:\n    Type: AWS::S3::Bucket\n    Metadata: {policyengine: {waivers: W-1}}\n", {"A#W-1": ("waiver", 4, ["A"])}),
        ("  A:\n    Type: AWS::S3::Bucket\n    Metadata: {policyengine: {waivers: [7]}}\n",
         {"A#Metadata policyengine.waivers": ("unreadable", 4, ["A"])}),
        ("  A:\n    Type: AWS::S3::Bucket\n    Metadata: {policyengine: W-1}\n",
         {"A#Metadata policyengine": ("unreadable", 4, ["A"])}),
        ("  A:\n    Type: AWS::S3::Bucket\n    Metadata: {policyengine: {ignore: [s3-versioning]}}\n",
         {"A#Metadata policyengine.ignore": ("ignore", 4, ["A"])}),
        ("  A:\n    Type: AWS::S3::Bucket\nMetadata: {policyengine: {waivers: [W-1]}}\n", {"#W-1": ("waiver", 4, [])}),
    ],
)  # fmt: skip
def test_table(tmp_path: Path, text: str, expected: dict[str, Any]) -> None:
    found = read(tmp_path, HEAD + text)
    assert said(found) == expected
    for resource in (r for r in found if r.type != SUPPRESSION):
        noted = {each.waiver for each in references_of(resource)}
        assert noted == {
            id_.split("#")[1] for id_, (kind, _, at) in expected.items() if kind == "waiver" and at
        }


def test_a_template_without_the_word_is_as_it_was(tmp_path: Path) -> None:
    (only,) = read(tmp_path, HEAD + "  A:\n    Type: AWS::S3::Bucket # checkov:skip=CKV_AWS_18\n")
    assert only.provenance is None


def test_json_and_cdk_say_it_in_metadata(tmp_path: Path) -> None:
    metadata = {"aws:cdk:path": "Stack/Logs/Resource", "policyengine": {"waivers": ["W-1"]}}
    text = json.dumps({"Resources": {"Logs1": {"Type": "AWS::S3::Bucket", "Metadata": metadata}}}, indent=1)
    bucket, suppression = read(tmp_path, text, "t.json")
    assert [each.waiver for each in references_of(bucket)] == ["W-1"]
    assert bucket.provenance is not None and bucket.provenance["construct_path"] == "Stack/Logs/Resource"
    assert suppression.properties["Targets"] == [
        {"Id": "Logs1", "Type": "AWS::S3::Bucket", "ConstructPath": "Stack/Logs/Resource"}
    ]
    place = suppression.locate(())
    assert place is not None and '"W-1"' in text.split("\n")[place.line - 1]


def test_every_branch_and_what_is_folded_in_are_referred_to(tmp_path: Path) -> None:
    text = """\
Parameters: {P: {Type: String}}
Conditions: {C: !Equals [!Ref P, x]}
Resources:
  Logs:  # policyengine:waiver W-1
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !If [C, a, b]
  LogsPolicy:
    # policyengine:waiver W-2
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument: {Statement: []}
"""
    found = read(tmp_path, text)
    (bucket,) = (r for r in found if r.type == "AWS::S3::Bucket")
    for branch in (bucket, *bucket.variants):
        assert {each.waiver for each in references_of(branch)} == {"W-1", "W-2"}
    assert said(found)["LogsPolicy#W-2"] == ("waiver", 9, ["LogsPolicy"])


def test_what_an_alias_repeats_is_where_it_is_written(tmp_path: Path) -> None:
    text = """\
Shared: &shared
  Type: AWS::S3::Bucket  # policyengine:waiver W-1
Resources:
  A: *shared
  B:
    <<: *shared
"""
    found = read(tmp_path, text)
    assert said(found) == {"#W-1": ("waiver", 2, [])}
    assert all(references_of(r) == [] for r in found)


def test_a_loop_refers_for_all_it_makes(tmp_path: Path) -> None:
    text = """\
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Buckets:
    - Name
    - [One, Two]
    - Bucket${Name}:  # policyengine:waiver W-1
        Type: AWS::S3::Bucket
"""
    found = read(tmp_path, text)
    assert said(found) == {"Bucket${Name}#W-1": ("waiver", 6, ["BucketOne", "BucketTwo"])}
    assert all(references_of(r) for r in found if r.type != SUPPRESSION)


def test_what_sam_generates_is_referred_to_where_it_is_written(tmp_path: Path) -> None:
    pytest.importorskip("samtranslator")
    text = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Fn1:
    # policyengine:waiver W-1
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Runtime: python3.13, InlineCode: pass}
"""
    found = read(tmp_path, text)
    assert said(found)["Fn1#W-1"][0:2] == ("waiver", 4)
    assert {"AWS::Lambda::Function", "AWS::IAM::Role"} <= {r.type for r in found if references_of(r)}


def test_what_no_branch_creates_is_left_out(tmp_path: Path) -> None:
    text = """\
Conditions: {Never: !Equals [a, b]}
Resources:
  A:  # policyengine:waiver W-1
    Type: AWS::S3::Bucket
    Condition: Never
  B:
    Type: AWS::S3::Bucket
"""
    assert said(read(tmp_path, text)) == {}


@pytest.mark.slow
@pytest.mark.skipif(not FILES, reason="the shared corpora are not beside this checkout")
def test_a_comment_above_every_resource_of_public_templates(tmp_path: Path) -> None:
    """Each is found at its resource, and nothing else changes."""
    suppressions = 0
    for file in FILES:
        try:
            document = load(file.read_bytes(), name=file.name, style="cloudformation")
            before = list(open_template(file, SourceOptions(base=file.parent)).resources())
        except InputError:
            continue
        if document.syntax != "yaml":
            continue
        lines = document.text.split("\n")
        above: dict[int, str] = {}
        for name in document.value["Resources"]:
            at = document.locate(("Resources", name), key=True)
            assert at is not None and at.line is not None and at.column is not None
            if lines[at.line - 1][: at.column - 1].strip() == "":
                above[at.line] = f"{' ' * (at.column - 1)}# policyengine:waiver W-{name} and why"
        text = "\n".join(
            "\n".join([above[n], line] if n in above else [line]) for n, line in enumerate(lines, 1)
        )
        (tmp_path / "t.yaml").write_text(text)
        found = list(open_template(tmp_path / "t.yaml", SourceOptions(base=tmp_path)).resources())
        after = [r for r in found if r.type != SUPPRESSION]
        assert [(r.id, repr(r.properties)) for r in after] == [(r.id, repr(r.properties)) for r in before], (
            file.name
        )
        told = {r.properties["Waiver"] for r in found if r.type == SUPPRESSION and r.properties["Targets"]}
        suppressions += len(told)
        for resource in after:
            if f"# policyengine:waiver W-{resource.id} " in text:
                assert f"W-{resource.id}" in {each.waiver for each in references_of(resource)}, file.name
                assert f"W-{resource.id}" in told
    assert suppressions > 1000


def test_more_than_anybody_writes_are_told_and_take_no_longer(tmp_path: Path) -> None:
    many = "".join(f"  # policyengine:waiver W-{n}\n" for n in range(20_000))
    quoted = ",".join(["'# policyengine:ignore'"] * 20_000)
    text = (
        f"{HEAD}{many}  A:\n    Type: AWS::S3::Bucket\n    Metadata: [{quoted}] # policyengine:waiver W-1\n"
    )
    (tmp_path / "t.yaml").write_text(text)
    begun = time.process_time()
    source = open_template(tmp_path / "t.yaml", SourceOptions(base=tmp_path))
    found = list(source.resources())
    assert time.process_time() - begun < 5  # with the square of either it is minutes
    assert [str(error) for error in source.errors] == [
        f"t.yaml:{MOST_SUPPRESSIONS + 2}:3: more than {MOST_SUPPRESSIONS:,} suppressions; the others are not read"
    ]
    assert len(found) == MOST_SUPPRESSIONS + 1
