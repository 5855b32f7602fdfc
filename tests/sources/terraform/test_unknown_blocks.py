"""A block that is wholly unknown is never taken for one that is not written, whatever the type.

``dynamic`` blocks and blocks read as attributes stand nowhere in a plan's configuration, so the plan
alone does not say whether an unknown block is written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policyengine.catalog import terraform as tables
from policyengine.catalog.terraform.blocks import READ_BY_CODE, blocks
from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved

from .plans import make_plan, read, source

ATTRIBUTES = Path(__file__).parent / "provider_attributes.txt"

NOT_READ = frozenset({
    "appsync_target", "auto_tune_options", "batch_target", "capacity_reservation_specification",
    "elasticsearch_configuration", "global_table_witness", "http_endpoint_configuration",
    "iceberg_configuration", "import_table", "instance_market_options", "instance_requirements",
    "ipam_pools", "maintenance_options", "opensearch_configuration", "opensearchserverless_configuration",
    "primary_network_interface", "redshift_configuration", "redshift_target", "replica",
    "run_command_targets", "sagemaker_pipeline_target", "snowflake_configuration", "splunk_configuration",
    "variable",
})  # fmt: skip
"""Blocks of the types with code of their own that no code reads: their properties are `unsupported`."""

Tree = dict[str, Any]


def _tree(words: list[str]) -> Tree:
    found: Tree = {}
    while words and words[0] != "}":
        name = words.pop(0)
        found[name] = None
        if words and words[0] == "{":
            words.pop(0)
            found[name] = _tree(words)
            words.pop(0)
    return found


def _provider() -> dict[str, Tree]:
    lines = ATTRIBUTES.read_text(encoding="utf-8").splitlines()
    pairs = (line.split(":", 1) for line in lines if line and not line.startswith("#"))
    return {name: _tree(rest.replace("{", " { ").replace("}", " } ").split()) for name, rest in pairs}


PROVIDER = _provider()
WHOLE = [t for t in tables.terraform_types() if tables.mapping(t) is not None and t in PROVIDER]


def _to(kind: str) -> str:
    mapped = tables.mapping(kind)
    return mapped.to if mapped is not None else ""


BLOCKS = [
    (kind, name) for kind in WHOLE for name, inner in PROVIDER[kind].items() if inner and name in blocks(kind)
]


def _of_code(kind: str) -> set[str]:
    mapped = tables.mapping(kind)
    codes = [mapped.code] if mapped is not None else [m.code for m in tables.merges(kind)]
    return {name for code in codes for name in READ_BY_CODE.get(code, "").split()}


@pytest.mark.parametrize("kind", [t for t in tables.terraform_types() if t in PROVIDER])
def test_every_block_that_code_reads_is_listed(kind: str) -> None:
    mapped = tables.mapping(kind)
    by_code = mapped.code if mapped is not None else any(m.code for m in tables.merges(kind))
    if by_code:
        written = {name for name, inner in PROVIDER[kind].items() if inner}
        assert written - blocks(kind) <= NOT_READ


def unknowns(value: Any) -> int:
    if isinstance(value, Unresolved):
        return int(value.reason == "known_after_apply" and value.target is None)
    more = unknowns(value.more) if isinstance(value, OpenList | OpenDict) else 0
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return more + sum(map(unknowns, inner))


def total(resources: dict[str, Resource]) -> int:
    return sum(unknowns([dict(r.properties), r.related]) for r in resources.values())


SHAPES: dict[str, Any] = {
    "the block is unknown": (None, True),
    "the plan writes an empty list beside it": ([], True),
    "its only element is unknown": (None, [True]),
    "one element of several is unknown": ([{}], [False, True]),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("kind", "name"), BLOCKS)
def test_an_unknown_block_leaves_an_unknown_value(kind: str, name: str, shape: str, tmp_path: Path) -> None:
    if "several" in shape and not _many(kind, name):
        return  # only the first element of a single block is read
    after, unknown = SHAPES[shape]
    described = {"after": {name: after}, "unknown": {name: unknown}, "hidden": [name]}
    without = read({f"{kind}.r": {}}, tmp_path)
    assert total(read({f"{kind}.r": described}, tmp_path)) > total(without)


def _many(kind: str, name: str) -> bool:
    mapped = tables.mapping(kind)
    assert mapped is not None
    return name in _of_code(kind) or any(f.source == (name,) and f.many for f in mapped.fields)


PARTS = [
    (kind, merge.by, name, whole)
    for kind in tables.terraform_types()
    if kind in PROVIDER
    for merge in tables.merges(kind)[:1]
    for whole in [w for w in WHOLE if _to(w) == merge.parent and merge.by != ""][:1]
    for name, inner in PROVIDER[kind].items()
    if inner and name in blocks(kind)
]


@pytest.mark.parametrize(("kind", "by", "name", "whole"), PARTS)
def test_an_unknown_block_of_a_part_leaves_an_unknown_value_in_the_whole(
    kind: str, by: str, name: str, whole: str, tmp_path: Path
) -> None:
    part = {"unknown": {by: True}, "refs": {by: [f"{whole}.w.arn", f"{whole}.w"]}}
    without = read({f"{whole}.w": {}, f"{kind}.p": part}, tmp_path)
    found = read(
        {f"{whole}.w": {}, f"{kind}.p": {**part, "unknown": {by: True, name: True}, "hidden": [name]}},
        tmp_path,
    )
    assert total(found) > total(without)


RULES = {
    "the attribute as a whole": (None, True),
    "the attribute, which the plan writes as empty": ([], True),
    "a block": (None, [True]),
    "the addresses of a block": (
        [{"protocol": "tcp", "from_port": 22, "to_port": 22}],
        [{"cidr_blocks": True}],
    ),
    "an address of a block": (
        [{"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": [None]}],
        [{"cidr_blocks": [True]}],
    ),
    "everything in a block": (
        [{}],
        [dict.fromkeys(("protocol", "from_port", "to_port", "cidr_blocks"), True)],
    ),
    "whether a block is about its own group": (
        [{"protocol": "tcp", "from_port": 22, "to_port": 22}],
        [{"self": True}],
    ),
}


@pytest.mark.parametrize("kind", ["aws_security_group", "aws_default_security_group"])
@pytest.mark.parametrize("unknown", RULES)
def test_rules_of_a_security_group_are_never_empty_while_they_are_unknown(
    kind: str, unknown: str, tmp_path: Path
) -> None:
    after, mark = RULES[unknown]
    described = {"after": {"ingress": after}, "unknown": {"ingress": mark}, "hidden": ["ingress"]}
    (group,) = read({f"{kind}.g": described}, tmp_path).values()
    assert unknowns(group.properties["SecurityGroupIngress"]) > 0


def test_an_unknown_list_of_groups_may_hold_more_than_those_it_refers_to(tmp_path: Path) -> None:
    refs = ["aws_security_group.web.id", "aws_security_group.web", "var.others"]
    rule = {
        "after": {"type": "ingress", "protocol": "tcp", "from_port": 1, "to_port": 1},
        "unknown": {"prefix_list_ids": True},
        "refs": {"prefix_list_ids": refs},
    }
    found = read({"aws_security_group.web": {}, "aws_security_group_rule.r": rule}, tmp_path)
    peers = [
        r.properties["SourcePrefixListId"] for r in found.values() if "SourcePrefixListId" in r.properties
    ]
    assert [p.target for p in peers] == [("aws_security_group.web", "id"), None]


def test_a_resource_that_is_unknown_as_a_whole_is_an_error(tmp_path: Path) -> None:
    opened = source(make_plan({"aws_sqs_queue.q": {"unknown": True}}), tmp_path)
    assert list(opened.resources()) == []
    assert "`aws_sqs_queue.q` cannot be read" in opened.errors[0].message


def test_a_sensitive_value_that_is_empty_is_not_there(tmp_path: Path) -> None:
    described = {
        "after": {"kms_master_key_id": "", "name": "q"},
        "sensitive": {"kms_master_key_id": True, "name": True},
    }
    (queue,) = read({"aws_sqs_queue.q": described}, tmp_path).values()
    assert "KmsMasterKeyId" not in queue.properties
    assert queue.properties["QueueName"].reason == "redacted"
