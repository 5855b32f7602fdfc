"""The lines of one template resource's branches, joined to one resource again."""

from __future__ import annotations

from collections.abc import Iterator

from policyengine.model.resource import Resource


def join_branches(resources: Iterator[Resource]) -> Iterator[Resource]:
    """Yield each resource once; neighbours of one code identity with branches become ``variants``.

    The writer puts the branches of a resource on neighbouring lines.
    """
    held: Resource | None = None
    for resource in resources:
        if held is None and resource.branch is None:
            yield resource
            continue
        if held is not None and _same(held, resource):
            held.variants = (*held.variants, resource)
            continue
        if held is not None:
            yield held
        held = resource if resource.branch is not None and resource.file is not None else None
        if held is None:
            yield resource
    if held is not None:
        yield held


def _same(held: Resource, other: Resource) -> bool:
    return other.branch is not None and other.file is not None and held.identity == other.identity
