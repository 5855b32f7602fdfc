"""Suppressions in Terraform's configuration; comments are those of HCL's specification (``#``, ``//``, ``/* */``):
https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#comments-and-whitespace"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policyengine.model.suppression import SUPPRESSION, references_of
from policyengine.sources.base import SourceOptions
from policyengine.sources.terraform.plan import open_plan

A, B = "aws_s3_bucket.a", "aws_s3_bucket.b"


def change(address: str, **after: object) -> dict[str, object]:
    type_, name = address.split(".")[-2:]
    name, _, index = name.partition("[")
    body: dict[str, object] = {"address": address, "mode": "managed", "type": type_, "name": name}
    if index:
        body["index"] = int(index.rstrip("]"))
    if address.startswith("module."):
        body["module_address"] = ".".join(address.split(".")[:2])
    body["change"] = {
        "actions": ["create"],
        "before": None,
        "after": {"bucket": "x", **after},
        "after_unknown": {},
    }
    return body


def read(
    folder: Path, text: str, *changes: dict[str, object], given: bool = True
) -> tuple[dict[str, tuple[int | None, list[str]]], dict[str, list[str]]]:
    """(id of a suppression -> line, what it stands at), (id of a resource -> waivers that are referred to)"""
    (folder / "main.tf").write_text(text)
    plan = {"format_version": "1.2", "terraform_version": "1.9.0", "resource_changes": list(changes)}
    (folder / "plan.json").write_text(json.dumps(plan))
    options = SourceOptions(base=folder, terraform_source=folder if given else None)
    source = open_plan(folder / "plan.json", options)
    found = list(source.resources())
    assert source.errors == []
    suppressions = {
        r.id: (r.locate(()).line, [t["Id"] for t in r.properties["Targets"]])  # type: ignore[union-attr]  # all have a place
        for r in found
        if r.type == SUPPRESSION
    }
    referred = {r.id: [e.waiver for e in references_of(r)] for r in found if r.type != SUPPRESSION}
    return suppressions, referred


BLOCK = 'resource "aws_s3_bucket" "a" {{{inside}\n}}\n'


@pytest.mark.parametrize(
    ("text", "suppressions"),
    [
        ('# policyengine:waiver W-1\nresource "aws_s3_bucket" "a" {\n}\n', {f"{A}#W-1": (1, [A])}),
        ('// policyengine:waiver W-1\n# and why\nresource "aws_s3_bucket" "a" {\n}\n', {f"{A}#W-1": (1, [A])}),
        ('/* policyengine:waiver W-1\n   and why */\nresource "aws_s3_bucket" "a" {\n}\n', {f"{A}#W-1": (1, [A])}),
        ('# policyengine:waiver W-1\n\nresource "aws_s3_bucket" "a" {\n}\n', {"#W-1": (1, [])}),
        ('resource "aws_s3_bucket" "a" { # policyengine:waiver W-1\n}\n', {f"{A}#W-1": (1, [A])}),
        ('resource "aws_s3_bucket" "a" {\n  # policyengine:waiver W-1\n}\n', {f"{A}#W-1": (2, [A])}),
        ('resource "aws_s3_bucket" "a" {\n  x {\n    y = 1 # policyengine:waiver W-1\n  }\n}\n', {f"{A}#W-1": (3, [A])}),
        ('resource "aws_s3_bucket" "a" {\n} # policyengine:waiver W-1\n', {f"{A}#W-1": (2, [A])}),
        ('resource "aws_s3_bucket" "a" {\n}\n# policyengine:waiver W-1\n', {"#W-1": (3, [])}),
        ('resource "aws_s3_bucket" "a" {\n  bucket = "# policyengine:ignore"\n}\n', {}),
        ('resource "aws_s3_bucket" "a" {\n  bucket = <<-E\n  # policyengine:ignore\n  E\n}\n', {}),
        ('resource "aws_s3_bucket" "a" {\n  bucket = "${upper("# policyengine:ignore")}"\n}\n', {}),
        ('resource "aws_s3_bucket" "a" {\n}\nlocals {\n  x = 1 # policyengine:waiver W-1\n}\n', {"#W-1": (4, [])}),
        ('data "aws_s3_bucket" "a" { # policyengine:waiver W-1\n}\nresource "aws_s3_bucket" "a" {\n}\n', {"#W-1": (1, [])}),
        ('resource "aws_s3_bucket" "a" { # policyengine:ignore\r\n}\r\n', {f"{A}#policyengine:ignore": (1, [A])}),
        ('resource "aws_s3_bucket" "a" { # tfsec:ignore:aws-s3-enable-versioning\n}\n', {}),
    ],
)  # fmt: skip
def test_table(tmp_path: Path, text: str, suppressions: dict[str, object]) -> None:
    found, referred = read(tmp_path, text, change(A))
    assert found == suppressions
    assert referred == {A: ["W-1"] if f"{A}#W-1" in suppressions else []}


def test_every_instance_and_what_is_joined_to_it_are_referred_to(tmp_path: Path) -> None:
    text = (
        'resource "aws_s3_bucket" "b" {\n  count = 2 # policyengine:waiver W-1\n}\n'
        'resource "aws_s3_bucket_versioning" "v" { # policyengine:waiver W-2\n}\n'
    )
    versioning = change("aws_s3_bucket_versioning.v", versioning_configuration=[{"status": "Suspended"}])
    buckets = [change(f"{B}[0]", bucket="x"), change(f"{B}[1]", bucket="y")]
    found, referred = read(tmp_path, text, *buckets, versioning)
    assert referred == {f"{B}[0]": ["W-1", "W-2"], f"{B}[1]": ["W-1"]}
    assert found == {
        f"{B}#W-1": (2, [f"{B}[0]", f"{B}[1]"]),
        "aws_s3_bucket_versioning.v#W-2": (4, [f"{B}[0]"]),
    }


def test_a_plan_alone_shows_none(tmp_path: Path) -> None:
    text = '# policyengine:waiver W-1\nresource "aws_s3_bucket" "a" {\n}\n'
    assert read(tmp_path, text, change(A), given=False) == ({}, {A: []})
