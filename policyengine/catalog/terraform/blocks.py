"""Which attributes of a Terraform type are blocks.

A plan's configuration shows no ``dynamic`` block, and no block at all where the provider reads it as an
attribute (``ingress`` of ``aws_security_group``: "attributes as blocks",
https://developer.hashicorp.com/terraform/language/attr-as-blocks). So only for something that is no
block does silence of the configuration mean that nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final

from policyengine.catalog import terraform as tables
from policyengine.catalog.terraform.language import Field

_DEVICES = "root_block_device ebs_block_device ephemeral_block_device"

READ_BY_CODE: Final[Mapping[str, str]] = {
    "acl": "ingress egress",
    "api_v2_stage": "route_settings",
    "block_devices": _DEVICES,
    "codebuild_webhook": "filter_group filter",
    "dynamodb_table": "global_secondary_index local_secondary_index",
    "event_target": """
        dead_letter_config ecs_target http_target input_transformer kinesis_target network_configuration
        retry_policy sqs_target
    """,
    "instance": f"{_DEVICES} network_interface",
    "launch_template": "tag_specifications",
    "log_publishing": "log_publishing_options",
    "method_settings": "settings",
    "pipeline": "artifact_store encryption_key",
    "security_group": "ingress egress",
}
"""The blocks that functions named by ``TypeMap.code`` and ``Merge.code`` read by themselves."""

_OF_BLOCKS = frozenset({"parameters", "parametervalues", "connectionnames", "repositorynames"})
"""Converters that take blocks."""


@cache
def blocks(terraform_type: str) -> frozenset[str]:
    """Return the names of the blocks, at any depth, that the mapping of a type reads."""
    mapped = tables.mapping(terraform_type)
    if mapped is None:
        merges = tables.merges(terraform_type)
        codes = [merge.code for merge in merges]
        found = {name for merge in merges for name in _of_fields(merge.fields)}
    else:
        codes = [mapped.code]
        found = set(_of_fields(mapped.fields))
        for emit in mapped.emit:
            found.update(_of_fields(emit.fields))
            if emit.block:
                found.add(emit.each)
        for source in mapped.attributes[1] if mapped.attributes else ():
            found.update(source.split(".")[:-1])
    for code in codes:
        found.update(READ_BY_CODE.get(code, "").split())
    return frozenset(found)


def _of_fields(fields: Sequence[Field]) -> Iterable[str]:
    for field in fields:
        yield from field.source[:-1]
        if field.fields is not None:
            yield field.source[-1]
            yield from _of_fields(field.fields)
        elif not _OF_BLOCKS.isdisjoint(field.converters):
            yield field.source[-1]
