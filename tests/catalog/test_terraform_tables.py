"""The Terraform tables against both sides: the provider's attributes and the registry's properties.

``provider_attributes.txt`` lists attributes and blocks of the AWS provider, extracted from the schema
bindings of the package ``cdktf-cdktf-provider-aws``; the registry side is ``catalog/data``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policyengine.catalog import registry
from policyengine.catalog import terraform as tables
from policyengine.catalog.terraform.coverage import gaps, settable, supports
from policyengine.catalog.terraform.language import Field, parse
from policyengine.sources.terraform.parts import PARTS
from policyengine.sources.terraform.special import HOOKS

FILE = Path(__file__).parents[1] / "sources" / "terraform" / "provider_attributes.txt"
LEGACY = {
    ("aws_db_instance", "name"),  # db_name since provider 5
    ("aws_ecs_cluster", "capacity_providers"),  # a resource of its own since provider 5
    ("aws_elasticache_replication_group", "replication_group_description"),  # description since 4
    ("aws_flow_log", "log_group_name"),  # log_destination since 6
    ("aws_redshift_cluster", "logging"),  # a resource of its own since 6
}
NOT_LISTED = {
    "aws_wafv2_web_acl_association"
}  # the bindings leave it out; it is in the provider's documentation
LIST_MADE_BY_CODE = {
    ("aws_sfn_state_machine", "LoggingConfiguration.Destinations"),
}


def read_tree(words: Iterator[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    last = ""
    for word in words:
        if word == "{":
            found[last] = read_tree(words)
        elif word == "}":
            return found
        else:
            found[word], last = None, word
    return found


PROVIDER = {
    name: read_tree(iter(rest.split()))
    for name, _, rest in (line.partition(": ") for line in FILE.read_text(encoding="utf-8").splitlines())
    if name.startswith("aws_")
}
TYPES = tables.terraform_types()


def texts(terraform_type: str) -> Iterator[tuple[str, tuple[Field, ...], str]]:
    """Yield (canonical type, fields, block they read) of everything a type is mapped by."""
    mapped = tables.mapping(terraform_type)
    if mapped is not None:
        yield mapped.to, mapped.fields, ""
        for emit in mapped.emit:
            yield emit.to, emit.fields, emit.each if emit.block else ""
    for merge in tables.merges(terraform_type):
        yield merge.parent, merge.fields, ""


def missing_sources(tree: Any, fields: tuple[Field, ...], at: tuple[str, ...] = ()) -> Iterator[str]:
    for field in fields:
        node = tree
        for step in field.source:
            if node is None:  # a block whose inside is not listed
                break
            if step not in node:
                yield ".".join((*at, *field.source))
                break
            node = node[step]
        else:
            if field.fields and node is not None:
                yield from missing_sources(node, field.fields, (*at, *field.source))


@pytest.mark.parametrize("terraform_type", [t for t in TYPES if t not in NOT_LISTED])
def test_every_source_is_an_attribute_of_the_provider(terraform_type: str) -> None:
    for _, fields, block in texts(terraform_type):
        tree = PROVIDER[terraform_type]
        missing = list(missing_sources(tree[block] if block else tree, fields))
        assert [m for m in missing if (terraform_type, m) not in LEGACY] == []
    for merge in tables.merges(terraform_type):
        assert merge.by in PROVIDER[terraform_type]
    mapped = tables.mapping(terraform_type)
    for source in mapped.attributes[1] if mapped and mapped.attributes else ():
        assert list(missing_sources(PROVIDER[terraform_type], parse(f"{source}=X"))) == []


def wrong_targets(
    terraform_type: str, to: str, fields: tuple[Field, ...], at: tuple[str, ...] = ()
) -> Iterator[str]:
    schema = registry.schema(to)
    assert schema is not None
    for field in fields:
        path = (*at, *field.target)
        kind = schema.kind(path)
        if kind is None:
            yield f"{'.'.join(path)} is no property"
        elif kind.name != "json" and not field.converters and field.many != (kind.name == "list"):
            if (terraform_type, ".".join(path)) not in LIST_MADE_BY_CODE:
                yield f"{'.'.join(path)} is {kind}"
        elif field.fields is not None:
            yield from wrong_targets(terraform_type, to, field.fields, path)


@pytest.mark.parametrize("terraform_type", TYPES)
def test_every_target_is_a_property_of_the_registry(terraform_type: str) -> None:
    for to, fields, _ in texts(terraform_type):
        schema = registry.schema(to)
        if schema is None:
            assert to in registry.satellites(), f"{to} is neither covered nor a satellite"
            continue
        if not schema.children():
            continue
        appended = {n for m in tables.merges(terraform_type) for n in m.append}
        checked = tuple(f for f in fields if f.target[0] not in appended)
        assert list(wrong_targets(terraform_type, to, checked)) == []


@pytest.mark.parametrize("terraform_type", TYPES)
def test_every_named_path_and_function_exists(terraform_type: str) -> None:
    mapped = tables.mapping(terraform_type)
    for merge in tables.merges(terraform_type):
        assert not merge.code or merge.code in PARTS
        schema = registry.schema(merge.parent)
        assert schema is not None
        assert all(schema.kind(tuple(p.split("."))) for p in (*merge.append, *merge.constants))
    if mapped is None:
        return
    assert not mapped.code or mapped.code in HOOKS
    schema = registry.schema(mapped.to)
    if schema is not None and schema.children():
        for path in (*mapped.sets.split(), *mapped.absent.split(), *mapped.constants):
            assert schema.kind(tuple(path.split("."))), path


def test_every_function_is_used() -> None:
    mapped = [tables.mapping(t) for t in TYPES]
    assert {m.code for m in mapped if m and m.code} == set(HOOKS)
    assert {m.code for t in TYPES for m in tables.merges(t) if m.code} == set(PARTS)


@pytest.mark.parametrize("terraform_type", TYPES)
def test_what_is_a_gap_is_not_called_supported(terraform_type: str) -> None:
    for path, names in gaps(terraform_type).items():
        for name in names:
            assert not supports(terraform_type, (*path, name))


def test_a_property_is_set_or_a_gap_or_certainly_absent_or_made_by_aws() -> None:
    for terraform_type in TYPES:
        mapped = tables.mapping(terraform_type)
        schema = registry.schema(mapped.to) if mapped else None
        if mapped is None or schema is None or mapped.partial:
            continue
        extra = {path.split(".")[0] for path in schema.extra}
        tag = registry.tag_property(mapped.to)
        known = {*settable(terraform_type), *mapped.absent.split(), *gaps(terraform_type).get((), ())}
        known |= {*schema.read_only, *extra, "Tags", "related", *([tag.name.split(".")[0]] if tag else [])}
        assert set(schema.children()) - known == set(), terraform_type


def test_supports_knows_parts_blocks_and_certain_absence() -> None:
    assert supports("aws_s3_bucket", ("VersioningConfiguration", "Status"))
    assert supports("aws_s3_bucket", ("BucketEncryption", "ServerSideEncryptionConfiguration"))
    assert supports("aws_s3_bucket", ("AbacStatus",))
    assert not supports("aws_s3_bucket", ("InventoryConfigurations",))
    assert not supports("aws_gamelift_fleet", ("Name",))


def test_most_covered_types_have_a_terraform_type() -> None:
    reached = {m.to for t in TYPES if (m := tables.mapping(t)) is not None}
    assert len(TYPES) >= 350
    assert len(reached & set(registry.covered())) >= 0.8 * len(registry.covered())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a {b", "`a` has a brace that is not closed"),
        ("a } b", "unexpected `}`"),
        ("A=b", "`A=b` is no field of a mapping"),
        ("a:nonsense", "`nonsense` in `a:nonsense` is no converter"),
    ],
)
def test_a_mistake_in_a_mapping_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text)
