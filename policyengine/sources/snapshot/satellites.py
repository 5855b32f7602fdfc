"""Satellites that stand on lines of their own, folded into the resources they belong to.

Our collector folds them before it writes, so usually there are none and nothing is held in memory.
Where there are, the parents' types are read once more, and only parents that receive something are
kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from policyengine.catalog import registry
from policyengine.model.resource import Resource
from policyengine.sources.fold import fold

Identity = tuple[str, str, str, str]
Scan = Callable[[Collection[str]], Iterator[Resource]]


class Satellites:
    """What folding changes: parents by identity, and the satellites that found one."""

    __slots__ = ("_gone", "_parents")

    def __init__(self, parents: dict[Identity, Resource], gone: frozenset[Identity]) -> None:
        self._parents = parents
        self._gone = gone

    @property
    def parents(self) -> Collection[Resource]:
        """The resources that are other than their lines."""
        return self._parents.values()

    def apply(self, resources: Iterator[Resource]) -> Iterator[Resource]:
        """Yield the resources, parents with what they received, satellites without a parent."""
        if not self._gone and not self._parents:
            return resources
        return self._applied(resources)

    def _applied(self, resources: Iterator[Resource]) -> Iterator[Resource]:
        for resource in resources:
            identity = resource.identity
            if identity not in self._gone:
                yield self._parents.get(identity, resource)


def find_satellites(scan: Scan) -> Satellites:
    """Return what folding changes in a snapshot; ``scan`` gives the resources of some types."""
    declared = registry.satellites()
    alone = list(scan(frozenset(declared)))
    wanted = {parent for found in alone for parent, _ in declared[found.type]}
    if not wanted:
        return Satellites({}, frozenset())
    # a type may be both: an association is a satellite and has a parent that is one
    before = [*alone, *(parent for parent in scan(wanted) if parent.type not in declared)]
    after = fold(before)
    same = {id(resource) for resource in before}
    changed = {r.identity: r for r in after if id(r) not in same}
    gone = {r.identity for r in before} - {r.identity for r in after}
    return Satellites(changed, frozenset(gone))
