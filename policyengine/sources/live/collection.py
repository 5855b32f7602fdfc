"""A whole collection: accounts, regions and tasks, several at a time, into a snapshot.

The tasks of one account and region follow each other, so that its clients and shared listings can be let go;
as many run together as there are ``workers``.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Collection as Names
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.aws.account import Account
from policyengine.aws.failures import CallFailure
from policyengine.aws.regions import Region, regions_of
from policyengine.model.errors import UsageError
from policyengine.model.resource import Resource
from policyengine.sources.live.context import Context, Shared
from policyengine.sources.live.plan import GLOBAL, Plan, Task
from policyengine.sources.live.spool import Kept, Spool
from policyengine.sources.live.table import collector_of
from policyengine.sources.live.work import do
from policyengine.sources.snapshot.manifest import NO_TYPE

WORKERS: Final = 8
_NAMED: Final = 5
"""Regions that were left out are named up to this many; the manifest names all."""
BLINDED: Final = "an SCP blinds the scanner: `policyengine permissions --format scp-exemption` prints the condition it needs"
Redact = Callable[[Resource], Resource]


class Target(NamedTuple):
    """An account to collect. ``open`` gives the account, or raises CallFailure; it is asked when its turn
    comes. ``organization``: it is the one that reads the organisation."""

    id: str
    name: str
    open: Callable[[], Account]
    organization: bool = False


class Skipped(NamedTuple):
    """Something that was left out on purpose, with the call or fact that says why."""

    account: str
    region: str
    why: str
    evidence: str


@dataclass(slots=True)
class Progress:
    """Where a collection stands; read by whoever shows it. ``tasks`` are those of the accounts begun so far."""

    accounts: int = 0
    accounts_begun: int = 0
    accounts_done: int = 0
    tasks: int = 0
    tasks_done: int = 0
    resources: int = 0

    @property
    def share(self) -> float:
        """How much is done, 0 to 1, if the accounts that have not begun have as much to do as the others."""
        if not self.tasks:
            return 0.0
        return self.tasks_done / self.tasks * self.accounts_begun / max(self.accounts, 1)


@dataclass(slots=True)
class Collected:
    """What a collection came to. ``tasks`` are all finished ones, those of an earlier try included."""

    tasks: list[Kept] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    broken: list[CallFailure] = field(default_factory=list)
    regions: dict[str, list[Region]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    stopped: bool = False

    def left_out(self) -> Iterator[str]:
        """Say what was left out on purpose, accounts with the same reason together."""
        yield from self.notes
        why: dict[tuple[str, str], list[str]] = {}
        for skipped in self.skipped:
            why.setdefault((skipped.why, skipped.evidence), []).append(skipped.region)
        for (reason, evidence), regions in sorted(why.items()):
            names = sorted(set(regions))
            named = f": {', '.join(names)}" if len(names) <= _NAMED else ""
            yield f"left out: {len(regions):,} region{'s' * (len(regions) > 1)} {reason} ({evidence}){named}"

    def failures(self) -> Iterator[tuple[CallFailure, int, tuple[str, ...]]]:
        """Yield each kind of failed call with how often it failed and the types that are not whole for it."""
        for failure in self.broken:
            yield failure, 1, ()
        merged: dict[tuple[str, str, str, str], tuple[CallFailure, int, set[str]]] = {}
        for kept in self.tasks:
            for failure, times in kept.failures:
                key = (failure.account, failure.region, failure.operation, failure.error)
                known = merged.setdefault(key, (failure, 0, set()))
                merged[key] = (known[0], known[1] + times, known[2])
            for type, failure in kept.incomplete.items():
                key = (failure.account, failure.region, failure.operation, failure.error)
                merged.setdefault(key, (failure, 1, set()))[2].add(type)
        for key in sorted(merged):
            failure, times, types = merged[key]
            yield failure, times, tuple(sorted(types))

    @property
    def coverage(self) -> frozenset[tuple[str, str, str]]:
        """(account, region, type) triples that are whole; every place where something may be that nobody saw,
        regions and accounts that were not read among them, is named with no type."""
        whole = {(k.task.account, k.task.place, type) for k in self.tasks for type in k.whole}
        places = {(k.task.account, k.task.place) for k in self.tasks}
        places |= {(a, r.name) for a, regions in self.regions.items() for r in regions if r.enabled}
        places |= {(f.account, place) for f in self.broken for place in (GLOBAL, f.region or "unknown")}
        return frozenset(whole | {(*place, NO_TYPE) for place in places - {w[:2] for w in whole}})


class Stop:
    """Asked for by Ctrl-C: tasks that have not begun are left out, those under way end with their next call."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def ask(self) -> None:
        """End the collection soon."""
        self._event.set()

    def __bool__(self) -> bool:
        return self._event.is_set()


class Collecting:
    """One collection; :meth:`run` does it. ``regions`` limits the regions, ``now`` is the time lines carry."""

    def __init__(
        self,
        plan: Plan,
        targets: Sequence[Target],
        spool: Spool,
        *,
        now: str,
        regions: Names[str] = (),
        workers: int = WORKERS,
        redact: Redact | None = None,
        stop: Stop | None = None,
    ) -> None:
        self.plan = plan
        self.targets = targets
        self.spool = spool
        self.now = now
        self.progress = Progress(accounts=len(targets))
        self.collected = Collected()
        self._regions = frozenset(regions)
        self._workers = workers
        self._redact = redact
        self._stop = stop if stop is not None else Stop()
        self._lock = threading.Lock()

    def run(self) -> Collected:
        """Collect all that can be collected. Raises OSError (the spool) and UsageError (a region AWS does not know)."""
        with (
            ThreadPoolExecutor(self._workers, "collect") as tasks,
            ThreadPoolExecutor(self._workers, "call") as calls,
        ):
            waiting: set[Future[None]] = set()
            try:
                for work in self._work(calls):
                    waiting.add(tasks.submit(work))
                    if len(waiting) >= self._workers * 2:
                        waiting = _after_the_first(waiting)
                while waiting:
                    waiting = _after_the_first(waiting)
            except BaseException:
                self._stop.ask()
                for future in waiting:
                    future.cancel()
                raise
        self.collected.stopped = bool(self._stop)
        self.collected.tasks.sort(key=lambda kept: (kept.task.account, kept.task.place, kept.task.types))
        return self.collected

    def _work(self, calls: ThreadPoolExecutor) -> Iterator[Callable[[], None]]:
        """Yield what is to be done, account by account and region by region."""
        for target in self.targets:
            if self._stop:
                return
            account = self._opened(target)
            regions = self._enabled(account) if account is not None else None
            self.progress.accounts_begun += 1
            if account is not None and regions is not None:
                yield from self._of_account(target, account, regions, calls)
            else:
                self._account_done()

    def _account_done(self) -> None:
        with self._lock:
            self.progress.accounts_done += 1

    def _opened(self, target: Target) -> Account | None:
        try:
            return target.open()
        except CallFailure as failure:
            self._lost(target.id, failure)
            return None

    def _lost(self, account: str, failure: CallFailure) -> None:
        self.collected.broken.append(
            CallFailure(
                failure.operation, failure.reason, failure.error, failure.text, account, failure.region
            )
        )

    def _enabled(self, account: Account) -> list[str] | None:
        """Return the regions to collect; what is left out is said with the listing as evidence."""
        try:
            found = regions_of(account)
        except CallFailure as failure:
            # the regions that were named can be read; which others there are stays unknown, and is said
            self._lost(account.id, failure)
            return sorted(self._regions) if self._regions and account.broken is None else None
        self.collected.regions[account.id] = found
        known = {region.name: region for region in found}
        if unheard := sorted(self._regions - known.keys()):
            raise UsageError(
                f"--regions `{unheard[0]}` is no region of the partition {account.partition} (ec2:DescribeRegions); "
                f"its regions are {', '.join(sorted(known))}"
            )
        wanted = [region for region in found if not self._regions or region.name in self._regions]
        for region in wanted:
            if not region.enabled:
                self._skip(account.id, region.name, "not enabled", f"ec2:DescribeRegions: {region.status}")
        return [region.name for region in wanted if region.enabled]

    def _skip(self, account: str, region: str, why: str, evidence: str) -> None:
        self.collected.skipped.append(Skipped(account, region, why, evidence))

    def _of_account(
        self, target: Target, account: Account, regions: list[str], calls: ThreadPoolExecutor
    ) -> Iterator[Callable[[], None]]:
        tasks = list(
            self.plan.tasks(account.id, account.partition, regions, organization=target.organization)
        )
        tasks.sort(key=lambda task: (task.place != GLOBAL, task.place))
        self.progress.tasks += len(tasks)
        tasks = [task for task in tasks if not self._is_kept(task)]
        left = Counter(task.region for task in tasks)
        if not tasks:
            self._account_done()
        shared = {place: Shared(self.plan.shared) for place in {task.place for task in tasks}}
        for task in tasks:
            context = Context(
                account,
                task.region,
                task.place,
                self.plan.needs,
                shared[task.place],
                calls,
                self.now,
                tuple(regions),
            )
            yield partial(self._do, task, context, left)

    def _is_kept(self, task: Task) -> bool:
        """Whether an earlier try got all of it."""
        kept = self.spool.done(task)
        if kept is None or not kept.clean:
            return False
        self._finished(kept)
        return True

    def _do(self, task: Task, context: Context, left: Counter[str]) -> None:
        try:
            if not self._stop:
                self._collect(task, context)
        finally:
            with self._lock:
                left[task.region] -= 1
                last = not left[task.region]
                whole = not left.total()
            if last:
                context.account.release(task.region)
            if whole:
                self._account_done()

    def _collect(self, task: Task, context: Context) -> None:
        collector = collector_of(task.types[0])
        assert collector is not None  # the plan has only types that can be collected
        writer = self.spool.begin(task)
        try:
            outcome = do(collector, context, writer.write, redact=self._redact)
        except BaseException:
            self.spool.drop(writer)
            raise
        if self._stop:
            self.spool.drop(writer)
            return
        self._finished(self.spool.finish(task, writer, outcome))

    def _finished(self, kept: Kept) -> None:
        with self._lock:
            self.collected.tasks.append(kept)
            self.progress.tasks_done += 1
            self.progress.resources += kept.resources


def _after_the_first(waiting: set[Future[None]]) -> set[Future[None]]:
    """Wait until some of them are done, and return the others. Raises what one of them raised."""
    done, others = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        future.result()
    return others


def lines_of(spool: Spool, collected: Collected) -> Iterator[tuple[tuple[str, str], bytes]]:
    """Yield ((account, region), line) of every finished task."""
    for kept in collected.tasks:
        place = (kept.task.account, kept.task.place)
        for line in spool.lines(kept.task):
            yield place, line


def errors_of(collected: Collected) -> list[dict[str, Any]]:
    """Return the manifest's ``errors``: one for each kind of failed call."""
    found = []
    for failure, times, types in collected.failures():
        repeated = f" ({times} times)" if times > 1 else ""
        if failure.by_scp:
            repeated += f"; {BLINDED}"
        found.append(
            {
                "code": failure.reason,
                "message": f"{failure.error}{f': {failure.text}' if failure.text else ''}{repeated}",
                "account": failure.account or None,
                "region": failure.region or None,
                "operation": failure.operation,
                **({"types": list(types)} if types else {}),
            }
        )
    return found


def write(target: Path, spool: Spool, collected: Collected, *, created: str, about: dict[str, Any]) -> Path:
    """Write the snapshot and remove the spool; it stays where something could not be read, to go on with."""
    from policyengine.sources.snapshot.writer import write_lines

    folder = write_lines(
        target,
        lines_of(spool, collected),
        created=created,
        coverage=collected.coverage,
        errors=errors_of(collected),
        collection={**about, **reconciliation(collected)},
        calls=spool.call_lines(),
    )
    if not any(True for _ in collected.failures()):
        spool.remove()
    return folder


def reconciliation(collected: Collected) -> dict[str, Any]:
    """Return what was expected and what came of it, by account and region."""
    places: dict[tuple[str, str], dict[str, Any]] = {}
    read = {kept.task.account for kept in collected.tasks}
    for kept in collected.tasks:
        row = places.setdefault(
            (kept.task.account, kept.task.place), {"types": 0, "whole": 0, "resources": 0, "missing": {}}
        )
        # a collector of several types leaves out those that no rule needs
        row["types"] += sum(type in kept.whole or type in kept.incomplete for type in kept.task.types)
        row["whole"] += sum(type in kept.whole for type in kept.task.types)
        row["resources"] += kept.resources
        for type, failure in sorted(kept.incomplete.items()):
            row["missing"][type] = f"{failure.reason}: {failure.detail}"
        if kept.not_offered:
            services = row.setdefault("not_offered", [])
            services += [kept.not_offered] if kept.not_offered not in services else []
    return {
        "places": [
            {"account": account, "region": region, **row} for (account, region), row in sorted(places.items())
        ],
        "skipped": [skipped._asdict() for skipped in sorted(collected.skipped)],
        "accounts_not_read": [
            {"account": f.account, "operation": f.operation, "error": f.error, "reason": f.reason}
            for f in collected.broken
            if f.account not in read
        ],
        "regions": {
            account: {region.name: region.status for region in regions}
            for account, regions in sorted(collected.regions.items())
        },
    }
