"""What to collect where: the tasks of a run, made from what the rules in use read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from policyengine.aws.regions import HOME
from policyengine.catalog import registry
from policyengine.model.suppression import SUPPRESSION
from policyengine.sources.live.spec import AnyCollector, CodeCollector, Collector, asked
from policyengine.sources.live.table import TOLD_AS, collector_of, satellite_of
from policyengine.sources.live.wanted import Needs, wanted

GLOBAL = "global"
_TAGGABLE = "taggable"


class Task(NamedTuple):
    """One collector in one account and region; ``place`` is the region its resources have."""

    account: str
    region: str
    place: str
    types: tuple[str, ...]

    @property
    def key(self) -> str:
        """A name for files and logs, the same in every run."""
        return "-".join((self.account, self.place, self.types[0])).replace("::", "-").replace("/", "-")


class Plan(NamedTuple):
    """``collectors`` in order; ``impossible`` are types that rules read and nothing can collect."""

    collectors: tuple[AnyCollector, ...]
    needs: Needs
    impossible: tuple[str, ...]

    def tasks(
        self, account: str, partition: str, regions: Iterable[str], *, organization: bool
    ) -> Iterator[Task]:
        """Yield the tasks of one account: global types once, the others in each region.

        ``organization``: the account may read the organisation, and is the one that does.
        """
        regions = list(regions)
        for collector in self.collectors:
            place = _place(collector)
            if place == "organization" and not organization:
                continue
            if place == "region":
                for region in regions:
                    yield Task(account, region, region, collector.types)
            else:
                yield Task(account, _home(collector, partition), GLOBAL, collector.types)

    @property
    def reads_organization(self) -> bool:
        """Whether something is to be read that only the management account may see."""
        return any(_place(collector) == "organization" for collector in self.collectors)

    @property
    def shared(self) -> frozenset[tuple[str, ...]]:
        """The listings that several collectors begin with or read, so that they are kept."""
        parts = (part for collector in self.collectors for part in getattr(collector, "parts", ()))
        parents = (getattr(collector, "parent", None) for collector in (*self.collectors, *parts))
        asked_for = Counter(key for collector in self.collectors for key in self._asked(collector))
        twice = {key for key, times in asked_for.items() if times > 1}
        return frozenset((parent.type,) for parent in parents if parent is not None) | twice

    def _asked(self, collector: AnyCollector) -> Iterator[tuple[str, ...]]:
        if not isinstance(collector, Collector):
            return
        if collector.parent is None:
            yield asked(collector.list, collector.service)
        for step in collector.details:
            names = step.gives or (step.into.split(".")[0],)
            if step.once and wanted(self.needs, collector.type, names, named=step.only_named):
                yield asked(step, collector.service)


def make_plan(needs: Needs) -> Plan:
    """Return the plan for what rules read: type -> names. Satellites are read with their parents.

    ``taggable`` is every type that can be tagged and collected.
    """
    whole: dict[str, frozenset[str]] = {}
    impossible = []
    for type in registry.taggable_types() if _TAGGABLE in needs else ():
        if collector_of(type) is not None:
            _add(whole, type, needs[_TAGGABLE])
    for type in sorted(needs.keys() - {_TAGGABLE}):
        names = needs[type]
        parents = satellite_of(type)
        if parents:
            for parent in parents:
                _add(whole, parent, frozenset((getattr(collector_of(parent), "also", {})[type],)))
        elif type in TOLD_AS or type == SUPPRESSION:  # no account has comments
            continue
        elif collector_of(type) is None:
            impossible.append(type)
        else:
            _add(whole, type, names)
    collectors: dict[tuple[str, ...], AnyCollector] = {}
    for type in sorted(whole):
        collector = collector_of(type)
        if collector is not None:
            collectors.setdefault(collector.types, collector)
    return Plan(tuple(collectors.values()), whole, tuple(impossible))


def _add(whole: dict[str, frozenset[str]], type: str, names: frozenset[str]) -> None:
    whole[type] = whole.get(type, frozenset()) | names


def _place(collector: AnyCollector) -> str:
    if isinstance(collector, CodeCollector):
        return collector.place
    spec = registry.spec(collector.type)
    return GLOBAL if spec is not None and spec.is_global else "region"


def _home(collector: AnyCollector, partition: str) -> str:
    own = collector.home.get(partition) if isinstance(collector, Collector | CodeCollector) else None
    return HOME[partition] if own is None else own
