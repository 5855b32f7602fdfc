"""What the bundled rules find on a resource written by hand, as a fresh look in an account would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from policyengine.catalog.derive import derive
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.world import World
from policyengine.model.finding import Finding
from policyengine.model.resource import Resource
from policyengine.remediate.api import Target
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@cache
def _rules() -> dict[str, dict[str, Any]]:
    return {form["id"]: form for form in load_packs().rules}


def finding(rule: str, resource: Resource, others: tuple[Resource, ...] = ()) -> Finding:
    """Return one rule's finding in a place of which everything was collected."""
    everything = (resource, *others)
    world = World(frozenset({(r.account or "", r.region or "", "*") for r in everything}))
    for each in everything:
        derive(each)
        world.add(each)
    evaluator = Evaluator(Pack("sha256:test", (_rules()[rule],)), now=NOW)
    (found,) = evaluator.findings(resource, world)
    return found


def judged(about: Target, rule: str, properties: Mapping[str, Any], *others: Resource) -> Target:
    """Return the target with these properties and the finding of the rule on them."""
    old = about.resource
    resource = Resource(old.type, old.id, old.account, old.region, dict(properties), arn=old.arn)
    return replace(about, resource=resource, finding=finding(rule, resource, others))
