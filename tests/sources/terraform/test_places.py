"""Where things stand: in the plan, and in the configuration with ``--terraform-source``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policyengine.sources.terraform.addresses import steps
from policyengine.sources.terraform.hcl import parse

from .plans import make_plan, source

MAIN = """# a comment with { and "
/* resource "aws_sqs_queue" "no" { */
locals { text = "a ${"b {"} }" }

resource "aws_s3_bucket" "b" {
  bucket = "logs" // not } the end
}

resource "aws_s3_bucket_versioning" "b" {
  bucket = aws_s3_bucket.b.id
  versioning_configuration {
    status = "Suspended"
  }
}

module "net" {
  source = "./net"
}
"""
NET = """variable "x" {}
resource "aws_security_group" "g" {
  name = <<-EOT
    resource "aws_security_group" "fake" {
  EOT
  tags = {
    name = "inner"
  }
  ingress {
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
  dynamic "egress" {
    for_each = var.x
    content {
      protocol = "-1"
    }
  }
}
resource "aws_security_group" "bare" {
  name = "bare"
}
"""
PLAN: dict[str, Any] = {
    "modules": {"net": {}},
    "aws_s3_bucket.b": {"after": {"bucket": "logs"}, "unknown": {"id": True}},
    "aws_s3_bucket_versioning.b": {
        "after": {"versioning_configuration": [{"status": "Suspended"}]},
        "unknown": {"bucket": True},
        "refs": {"bucket": ["aws_s3_bucket.b.id", "aws_s3_bucket.b"]},
    },
    "module.net.aws_security_group.g": {
        "after": {
            "name": "g",
            "ingress": [{"protocol": "tcp", "from_port": 1, "to_port": 2, "cidr_blocks": ["0.0.0.0/0"]}],
        },
        "unknown": {"egress": True},
    },
    "module.net.aws_security_group.bare": {
        "after": {"name": "bare"},
        "unknown": {"ingress": True, "egress": True},
    },
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "net").mkdir()
    (tmp_path / "main.tf").write_text(MAIN, encoding="utf-8")
    (tmp_path / "net" / "sg.tf").write_text(NET, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("id", "path", "expected"),
    [
        ("aws_s3_bucket.b", (), "main.tf:5:1"),
        ("aws_s3_bucket.b", ("BucketName",), "main.tf:6:3"),
        ("aws_s3_bucket.b", ("BucketEncryption",), "main.tf:5:1"),
        ("aws_s3_bucket.b", ("VersioningConfiguration", "Status"), "main.tf:12:5"),
        ("module.net.aws_security_group.g", (), "net/sg.tf:2:1"),
        ("module.net.aws_security_group.g", ("SecurityGroupIngress", 0, "CidrIp"), "net/sg.tf:9:3"),
        ("module.net.aws_security_group.g", ("GroupName",), "net/sg.tf:3:3"),
    ],
)
def test_a_value_is_placed_in_the_configuration(
    tree: Path, id: str, path: tuple[str, ...], expected: str
) -> None:
    opened = source(make_plan(PLAN), tree, terraform_source=tree)
    found = {r.id: r for r in opened.resources()}
    assert str(found[id].locate(path)) == expected


def test_a_dynamic_block_keeps_an_unknown_block_unknown(tree: Path) -> None:
    given = egress(tree, terraform_source=tree)
    assert given["g"].reason == "known_after_apply"
    assert given["bare"] == []


def test_without_the_configuration_any_unknown_block_may_be_a_dynamic_one(tree: Path) -> None:
    without = egress(tree)
    assert {without["g"].reason, without["bare"].reason} == {"known_after_apply"}
    assert "--terraform-source" in without["bare"].detail


@pytest.mark.parametrize(
    "other",
    [
        'resource "aws_security_group" "bare" { dynamic "egress" { for_each = var.x } }',
        'resource "aws_security_group" "bare" { tags = {} }',
    ],
)
def test_a_resource_written_in_two_files_is_not_read_from_one(tree: Path, other: str) -> None:
    (tree / "net" / "sg_override.tf").write_text(other, encoding="utf-8")
    assert egress(tree, terraform_source=tree)["bare"].reason == "known_after_apply"


@pytest.mark.parametrize("directory", [".terraform/modules/net", "elsewhere"])
def test_a_module_from_a_registry_is_found_where_terraform_put_it(tree: Path, directory: str) -> None:
    (tree / directory).parent.mkdir(parents=True, exist_ok=True)
    (tree / "net").rename(tree / directory)
    plan = {**PLAN, "modules": {"net": {"source": "acme/net/aws"}}}
    assert egress(tree, plan, terraform_source=tree)["bare"] != []
    listed = {"Modules": [{"Key": "", "Dir": "."}, {"Key": "net", "Source": "x", "Dir": directory}]}
    (tree / ".terraform" / "modules").mkdir(parents=True, exist_ok=True)
    (tree / ".terraform" / "modules" / "modules.json").write_text(json.dumps(listed), encoding="utf-8")
    found = egress(tree, plan, terraform_source=tree)
    assert found["bare"] == []
    assert found["g"].reason == "known_after_apply"


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"Modules": 1}', '{"Modules": [1, {"Key": 2}]}'])
def test_a_damaged_list_of_modules_finds_nothing(tree: Path, text: str) -> None:
    (tree / ".terraform" / "modules").mkdir(parents=True)
    (tree / ".terraform" / "modules" / "modules.json").write_text(text, encoding="utf-8")
    plan = {**PLAN, "modules": {"net": {"source": "acme/net/aws"}}}
    assert egress(tree, plan, terraform_source=tree)["bare"].reason == "known_after_apply"


def egress(tree: Path, plan: dict[str, Any] = PLAN, **options: Any) -> dict[str, Any]:
    found = source(make_plan(plan), tree, **options).resources()
    return {
        r.id.rsplit(".", 1)[-1]: r.properties["SecurityGroupEgress"]
        for r in found
        if r.type == "AWS::EC2::SecurityGroup"
    }


def test_a_folder_that_is_none_is_an_error_and_the_plan_is_read(tmp_path: Path) -> None:
    opened = source(make_plan(PLAN), tmp_path, terraform_source=tmp_path / "nowhere")
    assert len(list(opened.resources())) == 3
    assert "is no folder" in opened.errors[0].message


def test_without_the_configuration_places_are_in_the_plan(tmp_path: Path) -> None:
    opened = source(make_plan(PLAN), tmp_path)
    text = (tmp_path / "plan.json").read_text(encoding="utf-8").splitlines()
    found = {r.id: r for r in opened.resources()}
    for id, path, expected in [
        ("aws_s3_bucket.b", ("BucketName",), '"bucket": "logs"'),
        ("aws_s3_bucket.b", ("VersioningConfiguration", "Status"), '"status": "Suspended"'),
        ("module.net.aws_security_group.g", ("SecurityGroupIngress", 0, "IpProtocol"), "{"),
    ]:
        place = found[id].locate(path)
        assert place is not None and place.line is not None
        assert text[place.line - 1].strip().startswith(expected)


def test_blocks_are_found_despite_what_hides_them() -> None:
    blocks = parse(MAIN)
    assert [b.words for b in blocks] == [
        ("locals",),
        ("resource", "aws_s3_bucket", "b"),
        ("resource", "aws_s3_bucket_versioning", "b"),
        ("module", "net"),
    ]
    assert [b.words for b in parse(NET)[1].blocks] == [("ingress",), ("dynamic", "egress")]
    assert sorted(parse(NET)[1].attributes) == ["name", "tags"]


def test_addresses_keep_quoted_keys_whole() -> None:
    found = steps('module.a["x.y"].aws_b.c[3].d')
    assert [(s.name, s.key) for s in found] == [
        ("module", None),
        ("a", "x.y"),
        ("aws_b", None),
        ("c", 3),
        ("d", None),
    ]
    assert steps("aws_x.y[*].id")[1].splat
