"""Seeing one resource afresh, and judging it by one rule: the collectors and the engine of a scan, for one resource.

What the rule reads of the resource is asked of AWS for it alone; types that the rule's relations lead to are collected
whole where the rule looks for them. The resource is told with its tags and the time it was made, whatever the rule
reads.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, Final, NamedTuple

from policyengine.aws.account import Account
from policyengine.aws.failures import CallFailure
from policyengine.aws.region_names import REGION_NAME
from policyengine.aws.regions import HOME, regions_of
from policyengine.catalog import registry
from policyengine.config.settings import Settings
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import prepare
from policyengine.engine.reach import reach_of
from policyengine.engine.scan import learn_organization
from policyengine.engine.tables import Tables
from policyengine.model.finding import Finding
from policyengine.model.reasons import PASS
from policyengine.model.resource import Resource
from policyengine.remediate.accounts import SCANNER, Doors
from policyengine.remediate.api import Refused
from policyengine.remediate.gathering import (
    Gathered,
    Gathering,
    narrowed,
    places_of,
    plan_of,
    reaches_beyond,
)
from policyengine.remediate.ports import Observation, Subject
from policyengine.rules.pack import Pack
from policyengine.sources.live.context import Only
from policyengine.sources.live.one import one_of
from policyengine.sources.live.plan import GLOBAL, Plan, Task
from policyengine.sources.live.spec import AnyCollector, CodeCollector, Collector
from policyengine.sources.live.table import collector_of

READ_ANYWAY: Final = frozenset({"tags"})
KEPT_SECONDS: Final = 300.0
"""How long it is believed how many resources of a type there are, and which id a resource has. The count is of the
type in an account and region, whichever resource it was asked for: it stands under the id ""."""
MOST_KEPT: Final = 10_000
OTHERS: Final = "others"
"""Stands in a coverage for the other accounts of an organisation, which are not looked at."""
_REGION: Final = re.compile(REGION_NAME)
_WORKERS: Final = 8


class _Known(NamedTuple):
    """What a whole listing told: how many there are and which id it is, and until when that holds."""

    population: int
    id: str
    until: float


class LiveObserver:
    """Implements :class:`policyengine.remediate.ports.Observer`. Safe to use from many threads.

    ``redact`` takes out what no finding may quote (:class:`policyengine.sources.redaction.Redactor`);
    ``clock`` gives seconds since the epoch.
    """

    def __init__(
        self,
        doors: Doors,
        pack: Pack,
        *,
        settings: Settings,
        redact: Callable[[Resource], Resource],
        clock: Callable[[], float],
    ) -> None:
        self._doors = doors
        self._pack = pack
        self._settings = settings
        self._redact = redact
        self._clock = clock
        self._known: dict[tuple[str, str, str, str], _Known] = {}
        self._regions: dict[str, tuple[str, ...]] = {}
        self._managements: dict[str, str] = {}
        self._lock = threading.Lock()

    def observe(self, subject: Subject) -> Observation:
        """Return what is there now, a FAIL with the waiver that accepts it. See
        :class:`policyengine.remediate.ports.Observer`."""
        seen = self._seen(subject)
        if not self._settings.waiving.waivers:
            return seen
        from policyengine.remediate.accepted import with_waiver  # few organisations have waivers

        now = datetime.fromtimestamp(self._clock(), UTC)
        return with_waiver(seen, self._settings, self._pack, now, self._seen)

    def _seen(self, subject: Subject) -> Observation:
        form = self._form(subject)
        collector = collector_of(subject.type)
        if collector is None:
            raise Refused("unknown_target", f"nothing collects {subject.type}")
        account = self._doors.open(SCANNER, subject.account).account
        with ThreadPoolExecutor(_WORKERS, "observe") as calls:
            look = partial(_Look, self, subject, form, collector, account, calls)
            return look().by_its_id() or look().observation()

    def _form(self, subject: Subject) -> dict[str, Any]:
        """Return the rule as it is about the subject's type. Raises Refused."""
        form = self._pack.rule(subject.rule)
        if (
            form is None and subject.rule in self._settings.waiving.rules
        ):  # it compensates what a waiver accepts
            form = dict(self._settings.waiving.rules[subject.rule])
        if form is None:
            raise Refused("unknown_target", f"there is no rule `{subject.rule[:80]}` among those in use")
        if subject.rule in self._settings.disabled:
            why = self._settings.disabled[subject.rule]
            raise Refused("unknown_target", f"the rule `{subject.rule}` is disabled: {why}")
        about = narrowed(form, subject.type)
        if about is None:
            raise Refused("unknown_target", f"`{subject.rule}` is not about {subject.type[:80]}")
        spec = registry.spec(subject.type)
        is_global = spec is not None and spec.is_global
        if is_global != (subject.region == GLOBAL):
            expected = "`global`" if is_global else "a region"
            raise Refused(
                "unknown_target",
                f"the region of {subject.type} is {expected}; found `{subject.region[:40]}`",
            )
        if not is_global and not _REGION.fullmatch(subject.region):
            raise Refused("unknown_target", f"`{subject.region[:40]}` is no region of AWS")
        return about

    def _enabled(self, account: Account) -> tuple[str, ...]:
        """Return the regions an account can use. Raises Refused."""
        found = self._regions.get(account.id)
        if found is None:
            try:
                found = tuple(region.name for region in regions_of(account) if region.enabled)
            except CallFailure as failure:
                raise Refused("not_known", f"the regions of account {account.id}: {failure}") from None
            self._regions[account.id] = found
        return found

    def _managing(self) -> Account | None:
        """Return the caller's own account where it manages an organisation: there its policies can be read."""
        own = self._doors.open(SCANNER, self._doors.own.account).account
        return own if self._management(own) == own.id else None

    def _is_alone(self, account: Account) -> bool:
        """Whether an account is in no organisation, so that nothing is to be looked for in others."""
        return self._management(account) == ""

    def _management(self, account: Account) -> str | None:
        """Return the account that manages the organisation of one, "" where there is none; None if it is not known."""
        found = self._managements.get(account.id)
        if found is None:
            try:
                answer = account.call("organizations", "DescribeOrganization", {}, HOME[account.partition])
                found = answer.get("Organization", {}).get("MasterAccountId")
            except CallFailure as failure:
                found = "" if failure.error == "AWSOrganizationsNotInUseException" else None
            if found is not None:
                self._managements[account.id] = found
        return found

    def _judge(self, form: dict[str, Any], resource: Resource, gathered: Gathered) -> Finding | None:
        """Return the one finding, as a scan of what was gathered would have it."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        evaluator = Evaluator(Pack(self._pack.digest, (form,)), now=now, settings=self._settings)
        learn_organization(evaluator, gathered)
        world = Tables(evaluator, gathered).whole()
        prepare(resource)
        found = evaluator.findings(resource, world)
        return found[0] if found else None

    def _recall(self, key: tuple[str, str, str, str]) -> _Known | None:
        known = self._known.get(key)
        return known if known is not None and known.until > self._clock() else None

    def _remember(self, key: tuple[str, str, str, str], known: _Known) -> None:
        with self._lock:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[key] = known


class _Look:
    """One observation under way."""

    def __init__(
        self,
        observer: LiveObserver,
        subject: Subject,
        form: dict[str, Any],
        collector: AnyCollector,
        account: Account,
        calls: ThreadPoolExecutor,
    ) -> None:
        self.observer = observer
        self.subject = subject
        self.form = form
        self.collector = collector
        self.account = account
        self.plan: Plan = plan_of(form, subject.type, READ_ANYWAY)
        now = datetime.fromtimestamp(observer._clock(), UTC).isoformat(timespec="seconds")
        self.gathering = Gathering(self.plan, redact=observer._redact, now=now, calls=calls)

    def observation(self) -> Observation:
        """Return what is there, from a listing or, where a listing told its id a moment ago, by this id."""
        known = None if self._looks_around else self.observer._recall(self._key(self.subject.id))
        return self._observed(known)

    def by_its_id(self) -> Observation | None:
        """Return what is there where AWS has just this id and others of the type were counted a moment ago.

        None: that is not so, or the id is one that only a listing explains.
        """
        counted = self.observer._recall(self._key(""))
        if counted is None or self._looks_around or self.observer._recall(self._key(self.subject.id)):
            return None
        if not isinstance(self.collector, Collector) or one_of(self.collector) is None:
            return None
        try:
            found = self._observed(counted._replace(id=self.subject.id))
        except Refused:
            return None
        if found.resource is None or found.resource.id != self.subject.id:
            return None
        self.observer._remember(self._key(self.subject.id), counted._replace(id=self.subject.id))
        return found

    def _key(self, id: str) -> tuple[str, str, str, str]:
        return (self.subject.account, self.subject.region, self.subject.type, id)

    def _observed(self, known: _Known | None) -> Observation:
        subject, account = self.subject, self.account
        tasks = self._tasks()
        own = next(task for task in tasks if task.types == self.collector.types)
        only = Only(
            subject.type,
            own.place,
            subject.id,
            found=known.id if known is not None else None,
            narrow=not self._looks_around,
        )
        population = self._collect_own(own, only)
        resource = self._found(only)
        finding = self._passed_already(resource)
        if finding is None:
            self._collect_others(own, tasks)
            resource = self._found(only)
            population = max(population, self._listed())
        if known is not None:
            population = known.population
        elif resource is not None:
            told = _Known(population, resource.id, self.observer._clock() + KEPT_SECONDS)
            self.observer._remember(self._key(subject.id), told)
            self.observer._remember(self._key(""), told)
        if finding is None and resource is not None:
            finding = self.observer._judge(self.form, resource, self.gathering.gathered)
        return Observation(resource, finding, population, own.region, account.partition)

    def _passed_already(self, resource: Resource | None) -> Finding | None:
        """Return the finding of a resource that passes whatever the others of its account and region are like.

        The others are not covered yet: were the answer in them, it would be UNKNOWN. A FAIL is not told before all is
        read, because its evidence names everything that is wrong.
        """
        if resource is None or self._looks_around or self._wide or self.plan.reads_organization:
            return None
        self._cover_places()
        finding = self.observer._judge(self.form, resource, self.gathering.gathered)
        return finding if finding is not None and finding.verdict == PASS else None

    def _collect_own(self, own: Task, only: Only) -> int:
        """Read the subject; returns how many of its type were listed. Raises Refused where that is not known."""
        account, type = self.account, self.subject.type
        outcomes = self.gathering.collect(account, [own], only=only, regions=self._regions)
        failure = outcomes[own.types].incomplete.get(type)
        if failure is not None:
            raise Refused(
                "not_known",
                f"{type} of account {account.id} in {self.subject.region} cannot be listed: {failure}",
            )
        return max(only.seen, self._listed())

    def _listed(self) -> int:
        there = self.gathering.gathered.scan_types((self.subject.type,))
        return sum(1 for each in there if each.region == self.subject.region)

    def _collect_others(self, own: Task, tasks: list[Task]) -> None:
        """Read what the rule asks about beside the subject."""
        account = self.account
        self.gathering.collect(account, [t for t in tasks if t is not own], regions=self._regions)
        if self.plan.reads_organization:
            managing = self.observer._managing()
            if managing is not None:
                of_it = self.plan.tasks(managing.id, managing.partition, (), organization=True)
                self.gathering.collect(managing, [t for t in of_it if t not in tasks and _of_organization(t)])
        self._cover_places()

    def _cover_places(self) -> None:
        covered = self.gathering.gathered.covered
        covered.update(places_of(self.account.id, self._regions, all_of_them=self._wide))
        if reaches_beyond(self.form) and not self.observer._is_alone(self.account):
            covered.update(places_of(OTHERS, (), all_of_them=False))

    def _found(self, only: Only) -> Resource | None:
        """Return the resource. Raises Refused where several have the name."""
        gathered = self.gathering.gathered.scan_types((self.subject.type,))
        found = [r for r in gathered if only.is_it(r.id, r.arn) and r.region == self.subject.region]
        exact = [r for r in found if r.id == self.subject.id] or found
        if len(exact) > 1:
            names = ", ".join(sorted(r.id for r in exact)[:5])
            raise Refused("unknown_target", f"`{self.subject.id}` may be any of {names}: name it by its id")
        return exact[0] if exact else None

    @cached_property
    def _wide(self) -> bool:
        """Whether regional types are to be looked for in every region of the account."""
        return self.subject.region == GLOBAL or reaches_beyond(self.form)

    @property
    def _regions(self) -> tuple[str, ...]:
        if self._wide:
            return self.observer._enabled(self.account)
        return (self.subject.region,)

    @cached_property
    def _looks_around(self) -> bool:
        """Whether the rule asks about other resources of the subject's own type, so that all of them are read."""
        reach = reach_of((self.form,))
        reached = reach.local | reach.whole | reach.named.keys()
        return not {self.subject.type, *self.collector.also}.isdisjoint(reached)

    def _tasks(self) -> list[Task]:
        subject, account = self.subject, self.account
        managing = self._place == "organization"
        tasks = list(self.plan.tasks(account.id, account.partition, self._regions, organization=managing))
        own = [t for t in tasks if t.types == self.collector.types and t.place == subject.region]
        if not own:
            raise Refused("unknown_target", f"{subject.type} cannot be read in {subject.region}")
        others = [t for t in tasks if t.types != self.collector.types]
        if self._looks_around:
            others += [t for t in tasks if t.types == self.collector.types and t.place != subject.region]
        return [*own[:1], *others]

    @property
    def _place(self) -> str:
        return self.collector.place if isinstance(self.collector, CodeCollector) else ""


def _of_organization(task: Task) -> bool:
    collector = collector_of(task.types[0])
    return isinstance(collector, CodeCollector) and collector.place == "organization"
