"""What both documents collect while findings come: observations and resources, kept on disk when they grow."""

from __future__ import annotations

from collections import Counter
from typing import Final

from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, UNKNOWN, VERDICTS
from policyengine.reports.base import Context, RunInfo
from policyengine.reports.oscal.parts import (
    account_component,
    error_observation,
    inventory_item,
    observation,
    observation_uuid,
    rule_observation,
    tool_component,
)
from policyengine.reports.oscal.risks import Risks
from policyengine.reports.oscal.stream import Open, Rows
from policyengine.reports.oscal.words import Json, line, props, uuid5
from policyengine.reports.tally import is_accepted
from policyengine.reports.text import plural
from policyengine.reports.times import moment

OSCAL_VERSION: Final = "1.2.3"
MOST_TOLD: Final = 50


class Collected:
    """Observations, resources, accounts, risks and counts of a run. ``passes``: also what does not fail."""

    def __init__(self, context: Context, *, passes: bool) -> None:
        self._context = context
        self._shown = frozenset(VERDICTS) if passes else frozenset((FAIL, UNKNOWN))
        self._last: tuple[str, ...] = ()
        self.observations, self.items = Rows(), Rows()
        self.accounts: set[str | None] = set()
        self.risks = Risks(context.rules)
        self.counts: Counter[tuple[str, str]] = Counter()
        self.waived: Counter[str] = Counter()
        self.titles = {rule: info.title for rule, info in context.rules.items()}
        self.results: str | None = None

    def begin(self, run: RunInfo) -> None:
        """Take what names the observations."""
        self.run, self.collected = run.id, moment(run.as_of)
        if self._context.extras.proof is not None:
            self.results = uuid5(run.id, "results")

    def add(self, finding: Finding) -> None:
        """Take the next finding."""
        self.counts[finding.rule, finding.verdict] += 1
        if finding.verdict == FAIL and is_accepted(finding.waiver):
            self.waived[finding.rule] += 1
        self.titles.setdefault(finding.rule, finding.title)
        if finding.verdict not in self._shown:
            return
        raw = observation_uuid(self.run, finding)
        self.observations.add(observation(self.run, self.collected, finding, raw, self.results))
        self.risks.add(finding, raw)
        if finding.identity != self._last:  # findings of a resource come one after the other
            self._last = finding.identity
            self.accounts.add(finding.account)
            self.items.add(inventory_item(self.run, finding))

    def errors(self, run: RunInfo) -> None:
        """Take what could not be read or evaluated."""
        made = [error_observation(run.id, self.collected, n, error) for n, error in enumerate(run.errors)]
        for _, row in made:
            self.observations.add(row)
        self.risks.incomplete(run, [raw for raw, _ in made])

    def populations(self, run: RunInfo) -> frozenset[str]:
        """Add an observation about each rule's population; return the rules."""
        counts = self.counts if run.verdicts is None else Counter(run.verdicts)
        rules = sorted({rule for (rule, _), number in counts.items() if number})
        for rule in rules:
            found = {name: counts[rule, name] for name in VERDICTS}
            title = self.titles.get(rule, rule)
            self.observations.add(
                rule_observation(run.id, self.collected, rule, title, found, self.waived[rule])
            )
        return frozenset(rules)

    def components(self, run: RunInfo) -> list[Json]:
        """Return a component for each account, and one for resources without."""
        known = self.accounts | set(run.accounts)
        return [
            account_component(account) for account in sorted(known, key=lambda a: (a is not None, a or ""))
        ]


def metadata(run: RunInfo, title: str) -> Json:
    """Return the metadata of a document: no parties, because a run knows of none."""
    return {
        "title": title,
        "last-modified": moment(run.finished_at),
        "version": line(run.id),
        "oscal-version": OSCAL_VERSION,
        "props": run_props(run),
        "remarks": "Written by a program from a run. Identifiers are stable: the same run gives the same document.",
    }


def document_uuid(run: RunInfo, *names: str, context: Context) -> str:
    """Return the UUID of a document: another one where it says more of the same run."""
    proof = context.extras.proof
    return uuid5(run.id, *names, "" if proof is None else proof.results_root)


def run_props(run: RunInfo) -> list[Json]:
    """Return what programs want to know of a run."""
    return props(
        {
            "run": run.id,
            "engine-version": run.engine_version,
            "rule-pack-digest": run.rule_pack_digest,
            "rules": run.rule_count,
            "resources": run.resources,
            "complete": "yes" if run.complete else "no",
        }
    )


def assets(run: RunInfo) -> Json:
    """Return the assessment assets: the tool, and the platform that is it."""
    tool = tool_component(run.engine_version, run.rule_count, run.rule_pack_digest)
    return {
        "components": [tool],
        "assessment-platforms": [
            {"uuid": uuid5(run.id, "platform"), "uses-components": [{"component-uuid": tool["uuid"]}]}
        ],
    }


def local_definitions(run: RunInfo, components: list[Json], items: Rows) -> Open:
    """Return the accounts, the resources and the tool."""
    return Open(
        {
            **({"components": components} if components else {}),
            "inventory-items": items,
            "assessment-assets": assets(run),
        }
    )


def results_resource(context: Context, uuid: str) -> Json:
    """Return the back-matter resource with the digests that the evidence can be checked against."""
    proof = context.extras.proof
    assert proof is not None  # whoever has the UUID asked before
    return {
        "uuid": uuid,
        "title": "Results of the run, a row for each resource",
        "description": "Merkle roots of RFC 6962 hashing with SHA-256 over the population and over the results.",
        "props": props(
            {
                "population-root": proof.population_root,
                "population": proof.population,
                "results-root": proof.results_root,
                "results": proof.results,
                "signer": proof.signer,
                "previous-manifest": proof.previous,
            }
        ),
    }


def left_open(run: RunInfo) -> str:
    """Return what a reader must know besides the findings, as paragraphs of markup; empty where there is nothing."""
    told = []
    if not run.complete:
        told.append("The run is incomplete: what could not be read or evaluated is not satisfied.")
    if run.undecidable:
        told.append(f"Rules that this kind of source cannot decide: {', '.join(sorted(run.undecidable))}")
    told += [f"Skipped: {count:,} {reason}" for reason, count in sorted(run.skipped.items())]
    if run.unknown_types:
        named = [f"{name} ({count:,})" for name, count in sorted(run.unknown_types.items())]
        told.append(f"Resources of types that no rule looks at: {', '.join(named)}")
    told += [f"Note: {note}" for note in run.notes]
    if len(told) > MOST_TOLD:
        told = [*told[:MOST_TOLD], f"{plural(len(told) - MOST_TOLD, 'more note')}: the JSON report has all"]
    return "\n\n".join(line(text) for text in told)
