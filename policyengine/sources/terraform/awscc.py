"""The ``awscc`` provider: generated from the same registry, so only the case of names differs.

``awscc_s3_bucket`` is ``AWS::S3::Bucket``, ``bucket_name`` is ``BucketName``; a property the registry
schema does not know is left out.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from policyengine.catalog import registry
from policyengine.catalog.schema import Schema
from policyengine.model.resource import Path
from policyengine.model.values import OpenList, Unresolved
from policyengine.sources.terraform.draft import Draft
from policyengine.sources.terraform.mapper import Mapper, parse_json, settle
from policyengine.sources.terraform.values import Pending


def _flat(name: str) -> str:
    return name.replace("_", "").replace("::", "").lower()


@cache
def _types() -> dict[str, str]:
    return {_flat(t.removeprefix("AWS::")): t for t in registry.covered()}


def canonical_type(terraform_type: str) -> str | None:
    """Return the registry type of an ``awscc_*`` type that is covered; None for any other."""
    provider, _, rest = terraform_type.partition("_")
    return _types().get(_flat(rest)) if provider == "awscc" else None


def fill(made: Draft, mapper: Mapper) -> None:
    """Set type and properties of a draft from its tree."""
    made.type = canonical_type(made.planned.type) or ""
    schema = registry.schema(made.type)
    if schema is not None:
        made.properties.update(_object(schema, made.tree, (), (), mapper))


def _object(
    schema: Schema, tree: dict[str, Any], at: tuple[str, ...], source: Path, mapper: Mapper
) -> dict[str, Any]:
    names = {_flat(name): name for name in schema.children(at)}
    found: dict[str, Any] = {}
    for key, value in tree.items():
        name = names.get(_flat(key))
        if name is None or value is None or (name in schema.read_only and isinstance(value, Pending)):
            continue
        below = (*at, name)
        mapper.note(tuple(below), (*source, key))
        converted = _value(schema, value, below, (*source, key), mapper)
        if converted is not None and converted not in ({}, []):
            found[name] = converted
    return found


def _value(
    schema: Schema, value: Any, at: tuple[str, ...], source: Path, mapper: Mapper, element: bool = False
) -> Any:
    kind = schema.kind(at)
    if kind is not None and element:
        kind = kind.element
    name = kind.name if kind else ""
    if isinstance(value, Pending):
        return value.many() if name == "list" else value.scalar()
    if isinstance(value, Unresolved | OpenList):
        return value
    if name == "json" and isinstance(value, str):
        return parse_json(value)
    if isinstance(value, dict) and schema.children(at):
        return _object(schema, value, at, source, mapper)
    if isinstance(value, list):
        return [
            _value(schema, v, at, (*source, n), mapper, element=True)
            for n, v in enumerate(value)
            if v is not None
        ]
    return settle(value)
