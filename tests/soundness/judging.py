"""The verdict of one rule on the resources of a test case, as a scan would give it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from policyengine.catalog import registry
from policyengine.catalog.derive import derive
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.world import World
from policyengine.model.finding import Finding
from policyengine.model.resource import NO_COVERAGE, Coverage, Resource
from policyengine.rules import schema as s
from policyengine.rules.data import data_root
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs
from policyengine.testing.cases import load_tests, resources_of, tests_of

from .holes import copy_of


class Situation(NamedTuple):
    """A case read: its rule with the case's parameters, resources, which one is judged, what is covered."""

    rule: Mapping[str, Any]
    case: s.Case
    resources: list[Resource]
    subject: int
    coverage: Coverage
    now: datetime

    @property
    def tag_properties(self) -> frozenset[str]:
        """Properties that say again what ``tags`` says."""
        found = (registry.tag_property(r.type) for r in self.resources)
        return frozenset(f.name for f in found if f is not None)


@cache
def rules() -> dict[str, dict[str, Any]]:
    """Return the bundled rules by id."""
    return {form["id"]: form for form in load_packs().rules}


@cache
def situations(rule_id: str) -> tuple[Situation, ...]:
    """Return the cases of a rule."""
    form = rules()[rule_id]
    path = data_root().rules / form["source"]
    return tuple(_situation(form, case) for case in load_tests(tests_of(path)).cases)


def _situation(form: Mapping[str, Any], case: s.Case) -> Situation:
    resources, subject = resources_of(form, case)
    declared = form["parameters"].items()
    parameters = {n: {**p, "default": case.parameters.get(n, p["default"])} for n, p in declared}
    index = next(i for i, r in enumerate(resources) if r is subject)
    now = datetime.fromisoformat(case.context.as_of)
    return Situation(
        {**form, "parameters": parameters}, case, resources, index, _coverage(case, resources), now
    )


def _coverage(case: s.Case, resources: Sequence[Resource]) -> Coverage:
    wanted = case.context.coverage or ("all" if case.resources is not None else "none")
    if wanted == "none":
        return NO_COVERAGE
    places = {(r.account, r.region) for r in resources} | {(case.context.account, case.context.region)}
    places |= {(account, "global") for account, _ in places}
    return frozenset((account or "", region or "", "*") for account, region in places)


def judge(
    situation: Situation,
    resources: Sequence[Resource],
    coverage: Coverage | None = None,
    subject: int | None = None,
) -> Finding:
    """Return the finding of the situation's rule on these resources (which are not changed)."""
    own = [copy_of(r) for r in resources]
    world = World(situation.coverage if coverage is None else coverage)
    for resource in own:
        derive(resource)
        world.add(resource)
    judged = own[situation.subject if subject is None else subject]
    evaluator = Evaluator(Pack("sha256:test", (dict(situation.rule),)), now=situation.now)
    (finding,) = evaluator.findings(judged, world)
    return finding
