"""Everything that some rules are about in one account and region, collected and judged: for rules that run on a schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final

from policyengine.aws.failures import CallFailure
from policyengine.aws.regions import HOME, regions_of
from policyengine.config.settings import Settings
from policyengine.engine.elsewhere import learn_elsewhere
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.needs import needs_of, top_names
from policyengine.engine.piece import prepare
from policyengine.engine.scan import learn_organization
from policyengine.engine.tables import Tables
from policyengine.model.finding import Finding
from policyengine.model.resource import Resource
from policyengine.remediate.accounts import SCANNER, Doors
from policyengine.remediate.api import Refused
from policyengine.remediate.gathering import Gathering, places_of, reaches_beyond
from policyengine.rules.pack import Pack
from policyengine.sources.live.plan import GLOBAL, make_plan

_WORKERS: Final = 8


class Survey:
    """One survey. ``incomplete`` is, once the findings are exhausted, why the types of which resources may be missing
    could not be listed: type -> the failed call."""

    def __init__(
        self, doors: Doors, pack: Pack, settings: Settings, redact: Callable[[Resource], Resource], now: float
    ) -> None:
        self._doors = doors
        self._pack = pack
        self._settings = settings
        self._redact = redact
        self._now = datetime.fromtimestamp(now, UTC)
        self.incomplete: dict[str, CallFailure] = {}

    def findings(
        self, rules: Sequence[str], account: str, region: str
    ) -> Iterator[tuple[Resource, list[Finding]]]:
        """Yield every resource of the place that some rule is about, with what the rules say of it.

        What is global belongs to the partition's home region. Raises Refused where the account cannot be entered or its
        regions are not known.
        """
        forms = tuple(form for form in self._pack.rules if form["id"] in rules)
        opened = self._doors.open(SCANNER, account).account
        home = HOME[opened.partition]
        wide = region == home or any(reaches_beyond(form) for form in forms)
        try:
            regions = tuple(r.name for r in regions_of(opened) if r.enabled) if wide else (region,)
        except CallFailure as failure:
            raise Refused("not_known", f"the regions of account {account}: {failure}") from None
        evaluator = Evaluator(Pack(self._pack.digest, forms), now=self._now, settings=self._settings)
        with ThreadPoolExecutor(_WORKERS, "survey") as calls:
            plan = make_plan(top_names(needs_of((*forms, *self._settings.waiving.rules.values()))))
            gathering = Gathering(
                plan, redact=self._redact, now=self._now.isoformat(timespec="seconds"), calls=calls
            )
            tasks = plan.tasks(account, opened.partition, regions, organization=region == home)
            for outcome in gathering.collect(opened, tasks, regions=regions).values():
                self.incomplete.update(outcome.incomplete)
        gathered = gathering.gathered
        gathered.covered.update(places_of(account, regions, all_of_them=wide))
        learn_organization(evaluator, gathered)
        if self._settings.waiving.rules:
            learn_elsewhere(evaluator, gathered)
        world = Tables(evaluator, gathered).whole()
        places = {region, GLOBAL} if region == home else {region}
        for resource in gathered.resources():
            if resource.region in places and evaluator.applicable(resource.type):
                prepare(resource)
                yield resource, evaluator.judge(resource, world)
