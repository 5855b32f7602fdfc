"""Collecting what one rule reads to judge one resource: as a scan does, and held in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from typing import Any, Final

from policyengine.aws.account import Account
from policyengine.catalog import registry
from policyengine.engine.needs import needs_of, top_names
from policyengine.engine.rule import predicate_names
from policyengine.model.resource import Coverage, Resource
from policyengine.model.values import Unresolved
from policyengine.rules.predicates.table import PREDICATES
from policyengine.sources.live.context import Context, Only, Shared
from policyengine.sources.live.plan import GLOBAL, Plan, Task, make_plan
from policyengine.sources.live.table import collector_of
from policyengine.sources.live.work import Outcome, do
from policyengine.sources.snapshot.lines import parse_line
from policyengine.sources.snapshot.satellites import Satellites, find_satellites

Form = Mapping[str, Any]
NO_TYPE: Final = ""
"""Stands in a coverage for a place where no type is whole."""
ELSEWHERE: Final = "elsewhere"
"""Stands in a coverage for the regions of an account that were not looked at."""
TAGGABLE: Final = "taggable"


def narrowed(form: Form, type: str) -> dict[str, Any] | None:
    """Return the rule as it is about one type; None where it is not about it."""
    names = {type, TAGGABLE} if registry.taggable(type) else {type}
    variants = [{**v, "types": [type]} for v in form["variants"] if not names.isdisjoint(v["types"])]
    return {**form, "variants": variants} if variants else None


def plan_of(form: Form, type: str, also: Collection[str]) -> Plan:
    """Return what to collect for a narrowed rule; ``also`` are names that are read of the type whatever the rule says."""
    needs = top_names(needs_of([form]))
    return make_plan({**needs, type: needs.get(type, frozenset()) | frozenset(also)})


def reaches_beyond(form: Form) -> bool:
    """Whether a rule asks about other regions or accounts than the resource's own."""
    for variant in form["variants"]:
        if any(relation["scope"] not in ("self", "account-region") for relation in variant["with"].values()):
            return True
        trees = (variant["when"], variant["require"])
        if any(PREDICATES[name].wide for tree in trees for name in predicate_names(tree)):
            return True
    return False


class Gathered:
    """What was collected, as a source of the engine: lines in memory, and what they cover."""

    kind = "snapshot"
    target = "live"

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.covered: set[tuple[str, str, str]] = set()
        self.failed: dict[tuple[str, str, str], Unresolved] = {}
        self.errors: list[Any] = []
        self._satellites: Satellites | None = None

    @property
    def coverage(self) -> Coverage:
        """(account, region, type) triples of which every resource is there."""
        return frozenset(self.covered)

    def take(self, task: Task, outcome: Outcome, *, without: Collection[str] = ()) -> None:
        """Note what a task covers; ``without`` are types of which only one resource was read."""
        self._satellites = None  # what was read now may have parts of their own
        place = (task.account, task.place)
        self.covered.add((*place, NO_TYPE))
        self.covered.update((*place, type) for type in outcome.whole if type not in without)
        for type, failure in outcome.incomplete.items():
            self.failed[task.account, task.region, type] = Unresolved(failure.reason, failure.operation)

    def resources(self) -> Iterator[Resource]:
        """Yield every resource."""
        return self._folding().apply(self._scan(None))

    def scan_types(self, types: Collection[str], _shard: Any = None) -> Iterator[Resource]:
        """Yield the resources of these types."""
        return self._folding().apply(self._scan(types))

    def _folding(self) -> Satellites:
        if self._satellites is None:
            self._satellites = find_satellites(self._scan)
        return self._satellites

    def _scan(self, types: Collection[str] | None) -> Iterator[Resource]:
        for line in self.lines:
            resource = parse_line(line)
            if types is None or resource.type in types:
                yield resource


class Gathering:
    """One collection for one rule."""

    def __init__(
        self,
        plan: Plan,
        *,
        redact: Callable[[Resource], Resource],
        now: str,
        calls: Executor | None,
    ) -> None:
        self.plan = plan
        self.gathered = Gathered()
        self._redact = redact
        self._now = now
        self._calls = calls

    def collect(
        self,
        account: Account,
        tasks: Iterable[Task],
        *,
        only: Only | None = None,
        regions: tuple[str, ...] = (),
    ) -> dict[tuple[str, ...], Outcome]:
        """Do the tasks, and return what became of each, by its types; failures are in the outcomes."""
        shared: dict[str, Shared] = {}
        outcomes: dict[tuple[str, ...], Outcome] = {}
        for task in tasks:
            collector = collector_of(task.types[0])
            assert collector is not None  # the plan has only types that can be collected
            own = only if only is not None and only.type in task.types and task.place == only.place else None
            # a listing that only one resource was asked of is nobody else's
            kept = Shared(frozenset()) if own else shared.setdefault(task.place, Shared(self.plan.shared))
            context = Context(
                account, task.region, task.place, self.plan.needs, kept, self._calls, self._now, regions, own
            )
            outcome = do(collector, context, self.gathered.lines.append, redact=self._redact)
            alone = (own.type, *collector.also) if own is not None and own.narrow else ()
            self.gathered.take(task, outcome, without=alone)
            if own is not None or task.types not in outcomes:
                outcomes[task.types] = outcome
        return outcomes


def places_of(account: str, regions: Iterable[str], *, all_of_them: bool) -> Iterator[tuple[str, str, str]]:
    """Yield coverage of no type for every place of an account: what was not looked for there is not known."""
    for place in (GLOBAL, *regions, *(() if all_of_them else (ELSEWHERE,))):
        yield (account, place, NO_TYPE)
