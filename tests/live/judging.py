"""What bundled rules say of collected resources."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from policyengine.catalog.derive import derive
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.world import World
from policyengine.model.resource import Resource
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs
from policyengine.sources.fold import fold

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


@cache
def _rules() -> dict[str, dict[str, Any]]:
    return {form["id"]: form for form in load_packs().rules}


def verdict(
    rule: str, resource: Resource, others: Iterable[Resource] = (), *, whole: Iterable[str] = ("*",)
) -> str:
    """The verdict of one bundled rule on a resource, in an account of which these types are collected whole."""
    everything = fold([resource, *others])
    covered = {(r.account or "", r.region or "", type) for r in everything for type in whole}
    world = World(frozenset(covered))
    for each in everything:
        derive(each)
        world.add(each)
    judged = next(r for r in everything if r.id == resource.id and r.type == resource.type)
    evaluator = Evaluator(Pack("sha256:test", (_rules()[rule],)), now=NOW)
    (finding,) = evaluator.findings(judged, world)
    return str(finding.verdict)
