"""Findings put together as what somebody has to act on: open, accepted, or not determined, rule by rule.

A waiver is a deviation that somebody approved until a date, and stays a risk. An entry of a baseline is debt that
nobody approved, and stays open. What could not be determined is a risk of its own: nobody knows that it is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, UNKNOWN
from policyengine.reports.base import RuleInfo, RunInfo
from policyengine.reports.jsontext import compact
from policyengine.reports.oscal.stream import Open, References
from policyengine.reports.oscal.words import UUID_BYTES, Json, line, prop, props, some, uuid5
from policyengine.reports.tally import is_debt
from policyengine.reports.text import plural, show_value
from policyengine.reports.times import moment

OPEN, ACCEPTED, BASELINE, UNDETERMINED, INCOMPLETE = (
    "open", "accepted", "baseline", "undetermined", "incomplete",
)  # fmt: skip
_WAIVER_KEYS: Final = ("id", "kind", "owner", "approver", "ticket", "granted", "expires")


@dataclass(slots=True)
class Risk:
    """Findings of one rule that are one thing to act on. ``observations`` are UUIDs of 16 bytes each."""

    kind: str
    rule: str
    title: str
    severity: str
    waiver: Mapping[str, Any] | None = None
    observations: bytearray = field(default_factory=bytearray)

    @property
    def count(self) -> int:
        """How many observations there are."""
        return len(self.observations) // UUID_BYTES

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from the other risks of a run, and orders them."""
        waiver = self.waiver
        return (
            self.rule,
            self.kind,
            "" if waiver is None else compact({name: waiver[name] for name in sorted(waiver)}),
        )

    @property
    def heading(self) -> str:
        """Its title, as markup."""
        lead = {UNDETERMINED: "Not determined: ", ACCEPTED: "Accepted: ", BASELINE: "Known from a baseline: "}
        return line(lead.get(self.kind, "") + self.title)

    @property
    def statement(self) -> str:
        """What is so, as markup."""
        rows = plural(self.count, "resource")
        said = {
            OPEN: f"{self.rule} fails on {rows}",
            ACCEPTED: f"{self.rule} fails on {rows}; a waiver accepts that, which satisfies no control",
            BASELINE: f"{self.rule} fails on {rows} since before the baseline; nobody has approved that",
            UNDETERMINED: f"{self.rule} could not be determined on {rows}: it may fail on any of them",
            INCOMPLETE: f"{plural(self.count, 'error')}: what could not be read or evaluated may fail",
        }
        return line(said[self.kind])

    @property
    def status(self) -> str:
        """OSCAL's status of it: a deviation is approved where somebody is named who did that."""
        if self.kind != ACCEPTED or self.waiver is None:
            return "open"
        return "deviation-approved" if self.waiver.get("approver") else "deviation-requested"

    def related(self) -> References:
        """Return references to its observations."""
        return References("observation-uuid", self.observations)

    @property
    def deadline(self) -> str | None:
        """Until when it was accepted; None where nobody said that."""
        try:
            return None if self.waiver is None else moment(str(self.waiver.get("expires") or ""))
        except ValueError:
            return None


class Risks:
    """Collects the risks of a run; memory is 16 bytes a finding."""

    def __init__(self, rules: Mapping[str, RuleInfo]) -> None:
        self._rules = rules
        self._found: dict[tuple[str, str, str], Risk] = {}

    def add(self, finding: Finding, observation: bytes) -> None:
        """Take a FAIL or UNKNOWN with its observation."""
        kind, waiver = UNDETERMINED, None
        if finding.verdict == FAIL:
            waiver = finding.waiver
            kind = OPEN if waiver is None else BASELINE if is_debt(finding) else ACCEPTED
        elif finding.verdict != UNKNOWN:
            return
        risk = Risk(kind, finding.rule, finding.title, finding.severity, waiver)
        self._found.setdefault(risk.key, risk).observations += observation

    def incomplete(self, run: RunInfo, observations: Sequence[bytes]) -> None:
        """Take what a run could not read or evaluate."""
        if run.complete and not run.errors:
            return
        risk = Risk(
            INCOMPLETE, "", "The run is incomplete", "", observations=bytearray(b"".join(observations))
        )
        self._found[risk.key] = risk

    def sorted(self) -> list[Risk]:
        """Return them in a fixed order."""
        return [self._found[key] for key in sorted(self._found)]

    def of_rule(self) -> dict[str, list[Risk]]:
        """Return rule -> its risks."""
        found: dict[str, list[Risk]] = {}
        for risk in self.sorted():
            found.setdefault(risk.rule, []).append(risk)
        return found

    def documents(self, run: RunInfo, origins: list[Json]) -> Iterator[Json]:
        """Yield every risk as OSCAL has it."""
        for risk in self.sorted():
            yield _document(risk, run.id, origins, self._rules.get(risk.rule))


def risk_uuid(run: str, risk: Risk) -> str:
    """Return the risk's UUID within a run."""
    return uuid5(run, "risk", *risk.key)


def risk_props(risk: Risk) -> list[Json]:
    """Return what programs want to know of a risk."""
    found = {"rule": risk.rule, "severity": risk.severity, "kind": risk.kind, "observations": risk.count}
    return props(found)


def _document(risk: Risk, run: str, origins: list[Json], rule: RuleInfo | None) -> Json:
    deadline = risk.deadline
    return Open(
        {
            "uuid": risk_uuid(run, risk),
            "title": risk.heading,
            "description": line(rule.why) if rule is not None and rule.why else risk.statement,
            "statement": risk.statement,
            "props": risk_props(risk),
            "status": risk.status,
            "origins": origins,
            **({} if deadline is None else {"deadline": deadline}),
            **dict(some(remediations=list(_responses(risk, run, rule)))),
            "related-observations": risk.related(),
        }
    )


def _responses(risk: Risk, run: str, rule: RuleInfo | None) -> Iterator[Json]:
    if risk.waiver is not None:
        yield _acceptance(risk, run, risk.waiver)
    if rule is not None and rule.fix and risk.kind != UNDETERMINED:
        yield {
            "uuid": uuid5(run, "fix", *risk.key),
            "lifecycle": "recommendation",
            "title": line(f"Fix: {risk.title}"),
            "description": line(rule.fix),
            "props": [{"name": "type", "value": "mitigate"}],
        }


def _acceptance(risk: Risk, run: str, waiver: Mapping[str, Any]) -> Json:
    kind = "baseline" if risk.kind == BASELINE else "waiver"
    said = {f"waiver-{key}": show_value(waiver[key], 500) for key in _WAIVER_KEYS if waiver.get(key)}
    return {
        "uuid": uuid5(run, "waiver", *risk.key),
        # `completed` would read as if something had been done about it
        "lifecycle": "planned",
        "title": "Accepted by a waiver" if risk.kind == ACCEPTED else "Kept as debt by a baseline",
        "description": line(
            show_value(waiver["reason"], 2_000) if waiver.get("reason") else "no reason was given"
        ),
        "props": [
            # a baseline is no decision about the risk, so no type of response fits
            *([{"name": "type", "value": "accept"}] if risk.kind == ACCEPTED else []),
            *props(said),
            *([] if "waiver-kind" in said else [prop("waiver-kind", kind)]),
        ],
    }
