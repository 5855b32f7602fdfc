"""Mappings by partition that say of each partition what pseudo parameters say: its name and its domain.

``{aws: {EC2: ec2.amazonaws.com}, aws-cn: {EC2: ec2.amazonaws.com.cn}}`` by ``AWS::Partition`` is
``ec2.${AWS::URLSuffix}``, whichever the partition is:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policyengine.model.values import Unresolved

_SUFFIXES: Final = {"aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-us-gov": "amazonaws.com"}
_PARTITION: Final = "Ref: AWS::Partition"


def by_partition(tables: Any, keys: list[Any]) -> str | None:
    """Return the text with pseudo parameters, as ``Fn::Sub`` takes it, that a mapping stands for.

    ``keys``: the mapping's name, the partition (not known), the second key. None: it stands for no such text.
    """
    name, partition, key = keys
    if not isinstance(partition, Unresolved) or partition.detail != _PARTITION:
        return None
    if not isinstance(tables, Mapping) or not isinstance(name, str) or not isinstance(key, str):
        return None
    table = tables.get(name)
    if not isinstance(table, Mapping) or not table or not table.keys() <= _SUFFIXES.keys():
        return None
    texts = {_text(where, entry.get(key)) for where, entry in table.items() if isinstance(entry, Mapping)}
    return texts.pop() if len(texts) == 1 else None


def _text(partition: str, value: Any) -> str | None:
    """Return a value with pseudo parameters in place of what it says of a partition."""
    if not isinstance(value, str) or "${" in value:
        return None
    suffix = _SUFFIXES[partition]
    if value == suffix or value.endswith(f".{suffix}"):
        value = f"{value.removesuffix(suffix)}${{AWS::URLSuffix}}"
    return (
        "${AWS::Partition}"
        if value == partition
        else value.replace(f"arn:{partition}:", "arn:${AWS::Partition}:")
    )
