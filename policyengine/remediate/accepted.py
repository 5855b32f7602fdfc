"""Whether somebody accepts what fails, asked of the live account before it is changed.

Where that cannot be told (what stands above the account, a compensating rule, values that are only known redacted), the
change is refused: what a person accepted is never changed on a guess.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from policyengine.catalog import registry
from policyengine.config.settings import Settings
from policyengine.config.waivers import Compensating
from policyengine.engine.accepted import LAPSED
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.waiving import Accepting
from policyengine.engine.world import World
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, PASS, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.remediate.api import Refused
from policyengine.remediate.ports import Observation, Subject
from policyengine.rules.pack import Pack
from policyengine.sources.live.plan import GLOBAL

_ACCOUNT: Final = "AWS::::Account"
_REGION: Final = "PolicyEngine::Account::Region"
Observe = Callable[[Subject], Observation]


def with_waiver(
    seen: Observation, settings: Settings, pack: Pack, now: datetime, observe: Observe
) -> Observation:
    """Return what was seen, its FAIL with the waiver that accepts it. ``observe`` looks at what compensating rules are about.

    Raises Refused (``not_known``) where it cannot be told whether one does.
    """
    finding, resource = seen.finding, seen.resource
    if finding is None or resource is None or finding.verdict != FAIL or not settings.waiving.waivers:
        return seen
    forms = tuple(form for form in pack.rules if form["id"] == finding.rule)
    evaluator = Evaluator(Pack(pack.digest, forms), now=now, settings=settings)
    accepting = Accepting(evaluator, _Compensation(settings, observe))
    found = accepting.over(finding, resource, World())
    if found.waiver is None:
        doubt = accepting.doubts(finding, resource)
        if doubt:
            raise Refused("not_known", f"{doubt}: whether somebody accepts this is not known")
        met = accepting.take()
        pinned = {
            waiver.id for waiver in settings.waiving.waivers if waiver.pins is not None and not waiver.refused
        }
        for id_ in sorted(id_ for id_, state in met.waivers if state == LAPSED and id_ in pinned):
            if "changed since it was granted" in met.why[id_]:
                # it may also be read here in other words, and under another key of redaction: a person decides
                text = f"waiver {id_} accepts this for other values ({met.why[id_]}): end it, or pin it again"
                raise Refused("waived", text)
    return seen._replace(finding=found)


class _Compensation:
    """Decides compensating rules by looking (``engine.waiving.Compensation``)."""

    def __init__(self, settings: Settings, observe: Observe) -> None:
        self._settings = settings
        self._observe = observe

    def __call__(self, comp: Compensating, finding: Finding, resource: Resource, world: World) -> str:
        """Say why a compensating rule does not hold, "" where it passes. Raises Refused where that is not known."""
        subject = self._subject(comp, resource)
        try:
            seen = self._observe(subject)
        except Refused as refused:
            raise self._not_known(comp, refused.text) from None
        found = seen.finding
        if found is None:
            return f"compensating rule {comp.rule} says nothing of {subject.type} {subject.id}"
        if found.verdict == UNKNOWN:
            raise self._not_known(comp, found.message)
        return "" if found.verdict == PASS else f"compensating rule {comp.rule} is {found.verdict}"

    def _not_known(self, comp: Compensating, why: str) -> Refused:
        return Refused(
            "not_known", f"a waiver accepts this while {comp.rule} passes, and that is not known now: {why}"
        )

    def _subject(self, comp: Compensating, resource: Resource) -> Subject:
        account, region = resource.account or "", resource.region or ""
        form = self._settings.waiving.rules.get(comp.rule)
        types = sorted(
            {type_ for variant in (form or {"variants": ()})["variants"] for type_ in variant["types"]}
        )
        if comp.resource is None:
            if _ACCOUNT in types:
                return Subject(comp.rule, _ACCOUNT, account, account, GLOBAL)
            if _REGION in types:
                return Subject(comp.rule, _REGION, region, account, region)
            return Subject(comp.rule, resource.type, resource.id, account, region)
        parts = comp.resource.split("/", 3)
        if len(parts) == 4 and parts[2] in types:
            return Subject(comp.rule, parts[2], parts[3], parts[0], parts[1])
        if len(types) != 1:
            raise self._not_known(
                comp, f"`{comp.resource}` may be of several types; name it ACCOUNT/REGION/TYPE/ID"
            )
        spec = registry.spec(types[0])
        return Subject(
            comp.rule,
            types[0],
            comp.resource,
            account,
            GLOBAL if spec is not None and spec.is_global else region,
        )
