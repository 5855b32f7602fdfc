"""A resource while it is being built from a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.sources.terraform.configuration import Entry, Planned
from policyengine.sources.terraform.mapper import Trace, settle
from policyengine.sources.terraform.values import Pending, Target


@dataclass(slots=True)
class Draft:
    """One canonical resource in the making.

    ``suffix`` is added to the address when a Terraform resource holds several canonical ones;
    ``merged`` are the parts joined to it, and ``links`` the attribute -> resources of the plan that
    the configuration says it names.
    """

    entry: Entry
    type: str
    tree: dict[str, Any]
    properties: dict[str, Any]
    trace: Trace
    suffix: str = ""
    tags: Any = None
    region: str | None = None
    account: str | None = None
    links: dict[str, tuple[Target, ...]] = field(default_factory=dict)
    merged: list[Draft] = field(default_factory=list)
    emitted: list[Draft] = field(default_factory=list)

    @property
    def planned(self) -> Planned:
        """Return what references see."""
        return self.entry.planned

    @property
    def id(self) -> str:
        """Return the address, with the suffix of what is held within."""
        return self.planned.address + self.suffix

    def itself(self, attribute: str = "id") -> Any:
        """Return what names this resource: its known attribute, else a reference to it."""
        known = self.tree.get(attribute)
        return known if isinstance(known, str) and known else self.reference(attribute)

    def reference(self, attribute: str) -> Unresolved:
        """Return a reference to this resource, as another resource would hold it."""
        address = self.planned.address
        return Unresolved(
            "known_after_apply", f"{address}.{attribute}", present=True, target=(address, attribute)
        )

    def emit(self, type: str, properties: dict[str, Any], trace: Trace, suffix: str) -> None:
        """Add a canonical resource that this one holds within itself."""
        self.emitted.append(
            Draft(
                self.entry,
                type,
                self.tree,
                properties,
                trace,
                suffix,
                region=self.region,
                account=self.account,
            )
        )


def known_blocks(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give the known blocks of a list of blocks with their positions; see ``unread`` for the others."""
    for at, block in enumerate(value if isinstance(value, list) else [value]):
        if isinstance(block, dict):
            yield at, block


def unread(value: Any) -> Unresolved | None:
    """Return what stands for the blocks of a list that are not known; None when all are."""
    if isinstance(value, Pending):
        return value.scalar()
    if isinstance(value, Unresolved):
        return value
    for block in value if isinstance(value, list) else ():
        if not isinstance(block, dict):
            return unread(block) or Unresolved("unsupported", "no block where one should be")
    return None


def with_unread(found: list[Any], written: Any) -> Any:
    """Return what was made of the known blocks, open to those that are not; None when there are none."""
    more = unread(written)
    if more is not None:
        return OpenList(found, more) if found else more
    return found or None


def open_map(found: dict[str, Any], more: Unresolved | None) -> Any:
    """Return a map, open to ``more`` where that is given; None when there is nothing."""
    if more is not None:
        return OpenDict(found, more) if found else more
    return found or None


def put_found(properties: dict[str, Any], name: str, value: Any) -> None:
    """Set a property unless there is nothing to set."""
    if value is not None:
        properties[name] = value


def values(value: Any) -> list[Any]:
    """Return the elements of a list attribute as model values; an unknown list is one unknown value.

    An OpenList where there may be more elements.
    """
    if value is None or value == "":
        return []
    if isinstance(value, Pending):
        found = value.many()
        return found if isinstance(found, list) else [found]
    if isinstance(value, list):
        return [settle(v) for v in value if v is not None]
    return [settle(value)]
