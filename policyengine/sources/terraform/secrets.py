"""The texts that a plan marks as sensitive, so that nobody prints lines of the configuration that hold them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policyengine.catalog import registry
from policyengine.model.leaves import texts
from policyengine.model.resource import Resource


def sensitive_texts(plan: Mapping[str, Any]) -> Iterator[str]:
    """Yield every text of ``resource_changes`` that Terraform marks as sensitive, before and after."""
    changes = plan.get("resource_changes")
    for entry in changes if isinstance(changes, list) else ():
        change = entry.get("change") if isinstance(entry, dict) else None
        if isinstance(change, dict):
            for side in ("before", "after"):
                yield from _marked(change.get(side), change.get(f"{side}_sensitive"))


def secret_properties(resource: Resource) -> Iterator[str]:
    """Yield the texts of properties that the catalog calls secret."""
    names = registry.secrets(resource.type)
    if names:
        yield from _named(resource.properties, names)


def _marked(value: Any, mark: Any) -> Iterator[str]:
    if mark is True:
        yield from texts(value)
    elif isinstance(value, dict) and isinstance(mark, dict):
        for key, inner in value.items():
            yield from _marked(inner, mark.get(key))
    elif isinstance(value, list) and isinstance(mark, list):
        for inner, below in zip(value, mark, strict=False):
            yield from _marked(inner, below)


def _named(value: Any, names: frozenset[str]) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner) if key in names else _named(inner, names)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner, names)
