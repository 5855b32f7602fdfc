"""Controls: which were reviewed, and the finding about each.

A control is satisfied only where :mod:`policyengine.reports.controls` says so: rules that decide the whole of it passed
on everything they apply to in a complete run. Everything else is not satisfied, and the reason and the remarks say why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from policyengine.model.reasons import VERDICTS
from policyengine.reports.controls import ControlResult
from policyengine.reports.extras import FrameworkInfo
from policyengine.reports.frameworks_of import rest_of
from policyengine.reports.oscal.ids import control_id
from policyengine.reports.oscal.parts import rule_observation_uuid
from policyengine.reports.oscal.risks import Risk, risk_uuid
from policyengine.reports.oscal.words import Json, line, prop, props, some, uuid5
from policyengine.reports.text import plural

NO_CONTROL: Final = "policyengine__rules"
REASON: Final = {"satisfied": "pass", "failed": "fail", "accepted": "fail"}
"""Status of a control -> reason of OSCAL; ``other`` for all that is neither known to hold nor to fail."""


def reviewed(results: Iterable[ControlResult]) -> list[ControlResult]:
    """Return the controls that rules of this run speak of."""
    return [result for result in results if result.decided != "none"]


def reviewed_controls(
    results: Sequence[ControlResult], frameworks: Mapping[str, FrameworkInfo], unspoken: int
) -> Json:
    """Return OSCAL's reviewed controls, a selection for each framework."""
    chosen: dict[str, dict[str, list[str]]] = {}
    for result in results:
        found = control_id(result.framework, result.control)
        statements = chosen.setdefault(result.framework, {}).setdefault(found.control, [])
        if found.statement and found.statement not in statements:
            statements.append(found.statement)
    selections = [_selection(frameworks[name], controls) for name, controls in chosen.items()]
    if not selections:
        # OSCAL demands a control, and to include all would say that all of something were reviewed
        said = (
            "No rule of the run speaks of a control of a framework; the id stands for the rules themselves."
        )
        selections = [{"description": said, "include-controls": [{"control-id": NO_CONTROL}]}]
    remark = f"{plural(unspoken, 'control')} of these frameworks, of which no rule of the run speaks, were not reviewed"
    return {"control-selections": selections, **dict(some(remarks=line(remark) if unspoken else ""))}


def _selection(framework: FrameworkInfo, controls: Mapping[str, Sequence[str]]) -> Json:
    of = " ".join(part for part in (framework.title, framework.version) if part)
    return {
        "description": line(f"Controls of {of} that rules of the run speak of, wholly or in part"),
        "props": props(
            {
                "framework": framework.id,
                "framework-version": framework.version,
                "framework-source": framework.source,
                "framework-note": framework.note,
            }
        ),
        "include-controls": [
            {"control-id": name, **dict(some(statement_ids=list(statements)))}
            for name, statements in controls.items()
        ],
    }


@dataclass(frozen=True, slots=True)
class Findings:
    """What findings about controls refer to; ``seen`` are rules that have an observation about their population."""

    run: str
    origins: list[Json]
    risks: Mapping[str, Sequence[Risk]]
    seen: frozenset[str]
    frameworks: Mapping[str, FrameworkInfo]

    def documents(self, results: Iterable[ControlResult]) -> Iterator[Json]:
        """Yield the finding of each control."""
        for result in results:
            yield self._finding(result)

    def _finding(self, result: ControlResult) -> Json:
        rules = [rule for rule, _ in result.rules]
        related = [
            {"risk-uuid": risk_uuid(self.run, risk)} for rule in rules for risk in self.risks.get(rule, ())
        ]
        observations = [
            {"observation-uuid": rule_observation_uuid(self.run, rule)} for rule in rules if rule in self.seen
        ]
        whom, why = rest_of(self.frameworks, result)
        rest = f"What rules do not decide of the control remains with: {whom}" + (f". {why}" if why else "")
        return {
            "uuid": uuid5(self.run, "finding", result.framework, result.control),
            "title": line(f"{result.framework} {result.control}: {result.label}"),
            "description": line(_told(result)),
            "props": [*_props(result), *props({"remains": whom})],
            "origins": self.origins,
            "target": _target(result),
            **dict(some(related_observations=observations, related_risks=related)),
            **({"remarks": line(rest)} if whom else {}),
        }


def _told(result: ControlResult) -> str:
    counts = ", ".join(f"{result.verdicts[name]:,} {name}" for name in VERDICTS)
    return f"{result.sentence}. Verdicts: {counts}; waived among FAIL: {result.waived:,}"


def _props(result: ControlResult) -> list[Json]:
    return [
        prop("framework", result.framework),
        prop("control", result.control),
        prop("result", result.status),
        prop("decides", result.decides),
        prop("decided", result.decided),
        *(prop(name.lower().replace("_", "-"), result.verdicts[name]) for name in VERDICTS),
        prop("waived", result.waived),
        *(
            prop("rule", rule, **{"class": "unasked" if rule in result.unasked else decides})
            for rule, decides in result.rules
        ),
    ]


def _target(result: ControlResult) -> Json:
    kind, target = control_id(result.framework, result.control).target
    satisfied = result.status == "satisfied"
    return {
        "type": kind,
        "target-id": target,
        "title": line(f"{result.framework} {result.control}"),
        "status": {
            "state": "satisfied" if satisfied else "not-satisfied",
            "reason": REASON.get(result.status, "other"),
            "remarks": line(f"{result.label}: {result.sentence}"),
        },
    }
