"""An evaluator that says of each verdict what it rests on besides the resource."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.kept.recording import Dependency, Recorder
from policyengine.engine.rule import BoundRule
from policyengine.engine.world import World
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, UNKNOWN
from policyengine.model.resource import Resource

_EXPLAINED: Final = frozenset((FAIL, UNKNOWN, NOT_APPLICABLE))
Rests = frozenset[Dependency] | None
"""What was read of the world; None where that is not known, so that it may be anything."""


class Judged(NamedTuple):
    """rule -> verdict, rule -> what was found, and rule -> what the verdict rests on."""

    verdicts: Mapping[str, str]
    findings: Mapping[str, Finding]
    rests: Mapping[str, Rests]


class RestingEvaluator(Evaluator):
    """An evaluator of resources without branches. INVARIANT: it finds what :class:`Evaluator` finds."""

    _recorder: tuple[World, Recorder] | None = None

    def recorder(self, world: World) -> Recorder:
        """Return what records the reading of a world."""
        if self._recorder is None or self._recorder[0] is not world:
            self._recorder = (world, Recorder(world, self.now))
        return self._recorder[1]

    def judged(
        self,
        resource: Resource,
        world: World,
        at: datetime,
        is_new: Callable[[str, str], bool],
        only: Collection[str] | None = None,
    ) -> Judged:
        """Return the verdicts at a time of all rules about a resource, or of some; and what was found where a rule and
        verdict are new."""
        recorder = self.recorder(world)
        recorder.set_clock(at)
        recorder.start(resource)
        verdicts: dict[str, str] = {}
        findings: dict[str, Finding] = {}
        rests: dict[str, Rests] = {}
        for rule in self._rules_about(resource):
            if only is None or rule.id in only:
                self._judge(rule, recorder, is_new, verdicts, findings, rests)
        if resource.type in self._untaggable and self._is_aws_own(resource):
            for found in self._with_set_aside([], resource, _EXPLAINED, None):
                if only is None or found.rule in only:
                    verdicts[found.rule], rests[found.rule] = NOT_APPLICABLE, frozenset()
                    if is_new(found.rule, NOT_APPLICABLE):
                        findings[found.rule] = found
        return Judged(verdicts, findings, rests)

    def _judge(
        self,
        rule: BoundRule,
        recorder: Recorder,
        is_new: Callable[[str, str], bool],
        verdicts: dict[str, str],
        findings: dict[str, Finding],
        rests: dict[str, Rests],
    ) -> None:
        subject, resource = recorder.subject, recorder.subject.resource
        recorder.begin(rule.relations)
        try:
            verdict = rule.decide(resource, subject)
            if verdict in _EXPLAINED and is_new(rule.id, verdict):
                findings[rule.id] = rule.finding(verdict, resource, subject)
            rests[rule.id] = recorder.current
        except Exception as error:  # noqa: BLE001  # whatever a rule raises, it is a crash of that rule
            verdict, rests[rule.id] = UNKNOWN, None
            crash = self._crashed(rule, error)
            if is_new(rule.id, verdict):
                findings[rule.id] = rule.finding(verdict, resource, subject, crash)
        verdicts[rule.id] = verdict
