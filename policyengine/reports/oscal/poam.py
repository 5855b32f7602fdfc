"""``--format oscal-poam``: an OSCAL plan of action and milestones with everything that is open after a run.

One item for each rule that fails, for each rule that could not be determined, for each waiver under which a rule
fails, and one where the run is incomplete. A deadline stands only where somebody named one: the end of a waiver.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from policyengine.model.finding import Finding
from policyengine.reports.base import Context, RunInfo
from policyengine.reports.oscal.collecting import (
    Collected,
    document_uuid,
    left_open,
    local_definitions,
    metadata,
    results_resource,
)
from policyengine.reports.oscal.parts import origins
from policyengine.reports.oscal.risks import Risk, risk_props, risk_uuid
from policyengine.reports.oscal.stream import Open, Rows, write
from policyengine.reports.oscal.words import Json, props, some, uuid5, value


class OscalPoamReport:
    """``--format oscal-poam``."""

    def __init__(self, out: TextIO, context: Context) -> None:
        self._out = out
        self._context = context
        self._collected = Collected(context, passes=False)

    def begin(self, run: RunInfo) -> None:
        """Nothing is written yet: what is not final stands at the top."""
        self._collected.begin(run)

    def add(self, finding: Finding) -> None:
        """Take the next finding."""
        self._collected.add(finding)

    def end(self, run: RunInfo) -> None:
        """Write the document."""
        collected = self._collected
        collected.errors(run)
        made_by = origins(run.engine_version)
        risks = collected.risks
        results = collected.results
        back = [] if results is None else [results_resource(self._context, results)]
        whole = Open(
            {
                "uuid": document_uuid(run, "poam", context=self._context),
                "metadata": metadata(run, "Plan of action and milestones for what rules found"),
                "system-id": {"id": value(", ".join(run.accounts or run.targets) or run.id)},
                "local-definitions": local_definitions(run, collected.components(run), collected.items),
                "observations": collected.observations,
                "risks": Rows(risks.documents(run, made_by)),
                "poam-items": Rows(self._items(run, made_by)),
                **dict(some(back_matter={"resources": back} if back else None)),
            }
        )
        write(self._out, Open({"plan-of-action-and-milestones": whole}))
        self._out.write("\n")

    def _items(self, run: RunInfo, made_by: list[Json]) -> Iterator[Json]:
        found = self._collected.risks.sorted()
        for risk in found:
            yield _item(risk, run.id, made_by)
        if not found:
            yield _nothing(run, made_by)


def _item(risk: Risk, run: str, made_by: list[Json]) -> Json:
    return Open(
        {
            "uuid": uuid5(run, "poam-item", *risk.key),
            "title": risk.heading,
            "description": risk.statement,
            "props": risk_props(risk),
            "origins": made_by,
            "related-observations": risk.related(),
            "related-risks": [{"risk-uuid": risk_uuid(run, risk)}],
        }
    )


def _nothing(run: RunInfo, made_by: list[Json]) -> Json:
    """Return the one item that OSCAL demands where nothing is open."""
    return {
        "uuid": uuid5(run.id, "poam-item", "nothing"),
        "title": "Nothing is open",
        "description": "No rule fails, none could not be determined, and the run is complete. The item is here because "
        "OSCAL does not allow a plan without any.",
        "props": props({"kind": "nothing", "observations": 0}),
        "origins": made_by,
        **dict(some(remarks=left_open(run))),
    }
