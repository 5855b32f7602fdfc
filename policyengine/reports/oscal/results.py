"""``--format oscal``: OSCAL assessment results of a run.

One observation for every FAIL and UNKNOWN and one for each rule about its whole population, whose four verdicts add
up; what passes is counted there. ``oscal-full`` has an observation for everything. One finding for every control that
rules of the run speak of; it is satisfied only where rules decide the whole control and all of it passed.
"""

from __future__ import annotations

import base64
from typing import TextIO

from policyengine.model.finding import Finding
from policyengine.reports.base import Context, RunInfo
from policyengine.reports.controls import control_tally
from policyengine.reports.frameworks_of import with_frameworks
from policyengine.reports.jsontext import compact
from policyengine.reports.oscal.collecting import (
    Collected,
    document_uuid,
    left_open,
    local_definitions,
    metadata,
    results_resource,
    run_props,
)
from policyengine.reports.oscal.findings import Findings, reviewed, reviewed_controls
from policyengine.reports.oscal.parts import origins
from policyengine.reports.oscal.plan import assessment_plan
from policyengine.reports.oscal.stream import One, Open, Rows, write
from policyengine.reports.oscal.words import Json, prop, some, uuid5
from policyengine.reports.tally import Tally
from policyengine.reports.times import moment


class OscalResultsReport:
    """``--format oscal`` and, with ``passes``, ``--format oscal-full``."""

    def __init__(self, out: TextIO, context: Context, *, passes: bool = False) -> None:
        self._out = out
        self._context = with_frameworks(context)
        self._passes = passes
        self._collected = Collected(context, passes=passes)
        self._controls = control_tally(self._context)
        self._tally = Tally()

    def begin(self, run: RunInfo) -> None:
        """Nothing is written yet: what is not final stands at the top."""
        self._collected.begin(run)

    def add(self, finding: Finding) -> None:
        """Take the next finding."""
        self._tally.add(finding)
        self._controls.add(finding)
        self._collected.add(finding)

    def end(self, run: RunInfo) -> None:
        """Write the document."""
        self._collected.errors(run)
        seen = self._collected.populations(run)
        if run.verdicts is not None:
            self._tally.correct(run.verdicts, self._context.rules)
        frameworks = self._context.extras.frameworks
        every = self._controls.results_of(run)
        spoken = reviewed(every)
        controls = reviewed_controls(spoken, frameworks, len(every) - len(spoken))
        components = self._collected.components(run)
        plan = uuid5(run.id, "plan-resource")
        extent = "all" if self._passes else "brief"
        about = Findings(
            run.id, origins(run.engine_version), self._collected.risks.of_rule(), seen, frameworks
        )
        whole = Open(
            {
                "uuid": document_uuid(run, "assessment-results", extent, context=self._context),
                "metadata": metadata(run, "Assessment results of rules on AWS configuration"),
                "import-ap": {"href": f"#{plan}"},
                "results": One(self._result(run, components, controls, Rows(about.documents(spoken)))),
                "back-matter": self._back_matter(run, plan, components, controls),
            }
        )
        write(self._out, Open({"assessment-results": whole}))
        self._out.write("\n")

    def _result(self, run: RunInfo, components: list[Json], controls: Json, found: Rows) -> Open:
        collected = self._collected
        return Open(
            {
                "uuid": uuid5(run.id, "result"),
                "title": "Rules on AWS configuration",
                "description": "Verdicts of rules on resources, and what they say of controls.",
                "start": moment(run.started_at),
                "end": moment(run.finished_at),
                "props": [*run_props(run), *self._counts()],
                **dict(some(remarks=left_open(run))),
                "local-definitions": local_definitions(run, components, collected.items),
                "reviewed-controls": controls,
                "observations": collected.observations,
                "risks": Rows(collected.risks.documents(run, origins(run.engine_version))),
                "findings": found,
            }
        )

    def _counts(self) -> list[Json]:
        counts = self._tally.summary()
        return [prop(name.lower().replace("_", "-"), counts[name]) for name in counts]

    def _back_matter(self, run: RunInfo, plan: str, components: list[Json], controls: Json) -> Json:
        document = compact(assessment_plan(run, self._context.rules, components, controls))
        found = [
            {
                "uuid": plan,
                "title": "What the run was told to do",
                "description": "An OSCAL assessment plan, made from the run after the fact: nobody had written one.",
                "base64": {
                    "filename": "assessment-plan.json",
                    "media-type": "application/oscal+json",
                    "value": base64.b64encode(document.encode("ascii")).decode("ascii"),
                },
            }
        ]
        if self._collected.results is not None:
            found.append(results_resource(self._context, self._collected.results))
        return {"resources": found}
