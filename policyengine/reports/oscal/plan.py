"""The assessment plan that results must name: what the run was told to do, said after the fact.

Nobody planned the run in OSCAL, and no system security plan is known. The plan therefore says only what is true of
every run: which rules were to be asked, of which targets. It is embedded, so that the reference leads somewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyengine.reports.base import RuleInfo, RunInfo
from policyengine.reports.oscal.collecting import assets, metadata
from policyengine.reports.oscal.words import Json, line, props, some, uuid5
from policyengine.reports.text import plural

MOST_TARGETS = 50


def assessment_plan(
    run: RunInfo, rules: Mapping[str, RuleInfo], components: list[Json], reviewed: Json
) -> dict[str, Any]:
    """Return the document."""
    activities = [_activity(run.id, rules[rule]) for rule in sorted(rules)]
    ssp = uuid5(run.id, "no-ssp")
    task = {
        "uuid": uuid5(run.id, "task"),
        "type": "action",
        "title": "Evaluate the rules",
        **dict(
            some(
                associated_activities=[
                    {"activity-uuid": a["uuid"], "subjects": [_subject(run)]} for a in activities
                ]
            )
        ),
    }
    return {
        "assessment-plan": {
            "uuid": uuid5(run.id, "plan"),
            "metadata": metadata(run, "What the run was told to do"),
            "import-ssp": {"href": f"#{ssp}"},
            "local-definitions": {**dict(some(components=components, activities=activities))},
            "reviewed-controls": reviewed,
            "assessment-subjects": [_subject(run)],
            "assessment-assets": assets(run),
            "tasks": [task],
            "back-matter": {
                "resources": [
                    {
                        "uuid": ssp,
                        "title": "No system security plan",
                        "description": "The run was given no system security plan; its components are accounts and targets.",
                    }
                ]
            },
        }
    }


def _subject(run: RunInfo) -> Json:
    named = ", ".join(run.targets[:MOST_TARGETS])
    more = len(run.targets) - MOST_TARGETS
    and_more = f" and {plural(more, 'more target')}" if more > 0 else ""
    return {
        "type": "component",
        "description": line(f"Every resource of {named}{and_more}" if named else "Every resource of the run"),
        "include-all": {},
    }


def _activity(run: str, rule: RuleInfo) -> Json:
    return {
        "uuid": uuid5(run, "activity", rule.id),
        "title": line(f"{rule.id}: {rule.title}"),
        "description": line(rule.why or rule.title),
        "props": [{"name": "method", "value": "TEST"}, *props({"rule": rule.id, "severity": rule.severity})],
    }
