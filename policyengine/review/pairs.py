"""The resources of both sides of a change, two by two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from policyengine.model.resource import Resource

Identity = tuple[str, str, str, str]


class Pair(NamedTuple):
    """A resource before and after; one of them is None where it is new or gone. ``how`` says why both are one."""

    base: Resource | None
    head: Resource | None
    how: str

    @property
    def either(self) -> Resource:
        """Return the resource of the head, or of the base where the head has none."""
        found = self.head if self.head is not None else self.base
        assert found is not None
        return found


@dataclass(frozen=True)
class Pairing:
    """Everything that was read of both sides. ``renamed`` leads from the identity of a resource of the head to that
    of the base, where they differ."""

    pairs: Sequence[Pair]
    base: Sequence[Resource] = ()
    head: Sequence[Resource] = ()
    renamed: Mapping[Identity, Identity] = field(default_factory=dict)
