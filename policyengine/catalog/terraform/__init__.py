"""How Terraform's AWS provider spells the covered types. Adding a module to ``_modules`` registers it.

Every module has ``TYPES``: Terraform type -> :class:`TypeMap` (a resource of its own) or
:class:`Merge` (a part of another one; a tuple when it is part of several).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import ModuleType

from policyengine.catalog.terraform.language import Emit, Field, Merge, TypeMap

__all__ = ["Emit", "Field", "Merge", "TypeMap", "known", "mapping", "merges", "parts_of", "terraform_types"]


def _modules() -> tuple[ModuleType, ...]:
    from policyengine.catalog.terraform import (
        ai,
        analytics,
        caches,
        compute,
        containers,
        databases,
        delivery,
        dns,
        elb,
        federation,
        governance,
        iam,
        messaging,
        network,
        others,
        pipelines,
        policies,
        s3,
        security,
        storage,
    )

    return (
        ai, analytics, caches, compute, containers, databases, delivery, dns, elb, federation, governance, iam, messaging,
        network, others, pipelines, policies, s3, security, storage,
    )  # fmt: skip


@cache
def _all() -> Mapping[str, TypeMap | tuple[Merge, ...]]:
    found: dict[str, TypeMap | tuple[Merge, ...]] = {}
    for module in _modules():
        for name, declared in module.TYPES.items():
            if name in found:
                raise ValueError(f"`{name}` is declared twice in catalog/terraform")
            found[name] = (declared,) if isinstance(declared, Merge) else declared
    return found


def known(terraform_type: str) -> bool:
    """Say whether a Terraform type is mapped."""
    return terraform_type in _all()


def mapping(terraform_type: str) -> TypeMap | None:
    """Return how a Terraform type becomes a resource; None when it is a part or not covered."""
    found = _all().get(terraform_type)
    return found if isinstance(found, TypeMap) else None


def merges(terraform_type: str) -> tuple[Merge, ...]:
    """Return how a Terraform type is joined to others; () when it is a resource or not covered."""
    found = _all().get(terraform_type)
    return found if isinstance(found, tuple) else ()


def terraform_types() -> tuple[str, ...]:
    """Return the mapped Terraform types, sorted."""
    return tuple(sorted(_all()))


@cache
def parts_of(canonical_type: str) -> tuple[Merge, ...]:
    """Return every way a part is joined to resources of a canonical type."""
    found = (m for ms in _all().values() if isinstance(ms, tuple) for m in ms)
    return tuple(m for m in found if m.parent == canonical_type)
