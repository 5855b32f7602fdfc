"""Where things stand: in the plan, and in the configuration with ``--terraform-source``."""

from __future__ import annotations

from pathlib import Path

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
"""
PLAN = {
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
    without = {r.id: r for r in source(make_plan(PLAN), tree).resources()}
    given = {r.id: r for r in source(make_plan(PLAN), tree, terraform_source=tree).resources()}
    group = "module.net.aws_security_group.g"
    assert without[group].properties["SecurityGroupEgress"] == []
    assert given[group].properties["SecurityGroupEgress"].reason == "known_after_apply"


def test_a_folder_that_is_none_is_an_error_and_the_plan_is_read(tmp_path: Path) -> None:
    opened = source(make_plan(PLAN), tmp_path, terraform_source=tmp_path / "nowhere")
    assert len(list(opened.resources())) == 2
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
