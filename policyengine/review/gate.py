"""What a change does to what will judge the next one: rules, settings, waivers, baseline.

The change itself is judged by what the base has, so nothing here fails a build but what the head no longer accepts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from policyengine.config.settings import Settings
from policyengine.config.waivers import Baseline, Waiver
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, SEVERITIES
from policyengine.reports.text import plural, show_value
from policyengine.review.changes import Change, Effect
from policyengine.review.pairs import Pairing
from policyengine.review.verdicts import ByRule, broken


class Gate(NamedTuple):
    """What judges. ``rules``: id -> what of it decides. ``file`` is what the configuration is called."""

    settings: Settings
    rules: Mapping[str, str]
    severities: Mapping[str, str]
    file: str | None


def gate_changes(base: Gate, head: Gate) -> Iterator[Change]:
    """Yield what will be judged otherwise once the change is merged: looser is something to know of."""
    file = head.file or base.file
    for text, effect in (
        *_rules(base, head),
        *_settings(base, head),
        *_accepted(base.settings, head.settings),
    ):
        yield Change("gate", effect, "low", text, None, file=file)


def waivers_lost(pairing: Pairing, head: ByRule, gate: Gate) -> Iterator[Change]:
    """Yield failures that the base's waivers or baseline accept and that those of the head do not."""
    waivers = {waiver.id for waiver in gate.settings.waiving.waivers}
    entries = kept_entries(gate)
    pairs = {pair.head.identity: pair for pair in pairing.pairs if pair.head is not None}
    for identity, findings in head.items():
        pair = pairs.get(identity)
        for finding in findings.values():
            if pair is None or finding.verdict != FAIL or not finding.waiver:
                continue
            name = str(finding.waiver.get("id"))
            by_baseline = finding.waiver.get("kind") == "baseline"
            if (finding.id not in entries) if by_baseline else (name not in waivers):
                yield _lost(finding, name, pair.either, pair.base)


def kept_entries(gate: Gate) -> frozenset[str]:
    """Return the ids of the failures that a baseline takes."""
    baseline = gate.settings.waiving.baseline
    return frozenset(entry.id for entry in baseline.entries) if baseline is not None else frozenset()


def _lost(finding: Finding, name: str, resource: Any, old: Any) -> Change:
    return Change(
        "waiver", "worse", finding.severity, f"nothing accepts it any more (`{name}` did): {finding.message}", resource, old,
        finding.evidence[0].path if finding.evidence else (), name, None,
        rules=(broken(finding, finding),), location=finding.location,
    )  # fmt: skip


Told = tuple[str, Effect]


def _rules(base: Gate, head: Gate) -> Iterator[Told]:
    for rule in sorted(base.rules.keys() - head.rules.keys()):
        yield f"rule `{rule}` is gone", "new"
    for rule in sorted(head.rules.keys() - base.rules.keys()):
        yield f"rule `{rule}` is new; this change is not judged by it yet", "better"
    for rule in sorted(base.rules.keys() & head.rules.keys()):
        if base.rules[rule] != head.rules[rule]:
            yield f"rule `{rule}` decides otherwise: `policyengine rules impact` says whom that hits", "new"


def _settings(base: Gate, head: Gate) -> Iterator[Told]:
    old, new = base.settings, head.settings
    for rule in sorted(new.disabled.keys() - old.disabled.keys()):
        yield f"rule `{rule}` is disabled: {new.disabled[rule]}", "new"
    for rule in sorted(old.disabled.keys() - new.disabled.keys()):
        yield f"rule `{rule}` is not disabled any more", "better"
    for rule in sorted(old.severities.keys() | new.severities.keys()):
        was = old.severities.get(rule) or base.severities.get(rule)
        now = new.severities.get(rule) or head.severities.get(rule)
        if was != now and was in SEVERITIES and now in SEVERITIES:
            lower = SEVERITIES.index(now) < SEVERITIES.index(was)
            yield f"the severity of `{rule}` was {was}, is {now}", "new" if lower else "better"
    for rule in sorted(old.organization.keys() | new.organization.keys()):
        was_set, is_set = old.organization.get(rule), new.organization.get(rule)
        if was_set != is_set:
            yield f"parameters of `{rule}` were {show_value(was_set)}, are {show_value(is_set)}", "new"
    if list(old.scoped) != list(new.scoped):
        yield "parameters of accounts, OUs or tags are others", "new"
    if old.remediation != new.remediation:
        yield "what remediation may do is something else (`remediation` of the configuration)", "new"
    if old.withhold != new.withhold:
        yield "what evidence withholds is something else (`evidence.withhold` of the configuration)", "new"


def _accepted(old: Settings, new: Settings) -> Iterator[Told]:
    yield from _waivers(_by_id(old.waiving.waivers), _by_id(new.waiving.waivers))
    yield from _baseline(old.waiving.baseline, new.waiving.baseline)
    if old.waiving.maximum_days != new.waiving.maximum_days:
        yield f"waivers may last {new.waiving.maximum_days} days; it was {old.waiving.maximum_days}", "new"
    if old.waiving.approvers != new.waiving.approvers:
        yield "the approvers whose signatures count are others", "new"


def _waivers(old: Mapping[str, Waiver], new: Mapping[str, Waiver]) -> Iterator[Told]:
    for name in sorted(new.keys() - old.keys()):
        waiver = new[name]
        about = f"{', '.join(waiver.rules)} for {waiver.scope} until {waiver.expires}"
        yield (
            f"waiver `{name}` is new: {about}, owned by {waiver.owner}, approved by {waiver.approver}",
            "new",
        )
    for name in sorted(old.keys() - new.keys()):
        yield f"waiver `{name}` is gone", "better"
    for name in sorted(old.keys() & new.keys()):
        was, now = old[name], new[name]
        if was.signed() != now.signed():
            until = (
                f": it ended on {was.expires}, ends on {now.expires}" if was.expires != now.expires else ""
            )
            yield f"waiver `{name}` says something else{until}", "new"


def _baseline(old: Baseline | None, new: Baseline | None) -> Iterator[Told]:
    before = {entry.id for entry in old.entries} if old is not None else set()
    after = {entry.id for entry in new.entries} if new is not None else set()
    if after - before:
        yield f"the baseline takes {plural(len(after - before), 'failure')} more", "new"
    if before - after:
        yield f"the baseline is shorter by {plural(len(before - after), 'failure')}", "better"


def _by_id(waivers: Iterable[Waiver]) -> dict[str, Waiver]:
    return {waiver.id: waiver for waiver in waivers}
