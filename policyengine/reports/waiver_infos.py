"""What a run made of its waivers and its baseline, for whoever shows or checks them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Final

from policyengine.config.waivers import Baseline, Waiver, Waiving
from policyengine.engine.accepted import CHANGED, EXPIRED, HELD, LAPSED, NOT_YET, OPEN, STATE_OF, Accepted
from policyengine.model.reasons import NOT_APPLICABLE, PASS, UNKNOWN
from policyengine.reports.extras import BaselineInfo, WaiverInfo, WaiverState
from policyengine.reports.text import plural

WARN_DAYS: Final = (7, 14, 30)
"""A waiver that expires within so many days is told."""
MOST_TOLD: Final = 8


def waiver_infos(waiving: Waiving, accepted: Accepted, as_of: str) -> list[WaiverInfo]:
    """Return what a run at ``as_of`` (RFC 3339) made of each waiver, in the order of their files."""
    today = as_of[:10]
    return [_info(waiver, accepted, today) for waiver in waiving.waivers]


def _info(waiver: Waiver, accepted: Accepted, today: str) -> WaiverInfo:
    held = accepted.waivers[waiver.id, HELD]
    state, why = _state(waiver, accepted, today)
    lapsed = accepted.waivers[waiver.id, LAPSED]
    warnings = list(_warnings(waiver, today))
    if held and lapsed:
        warnings.append(
            f"{lapsed:,} of {plural(held + lapsed, 'failure')} it is about are not accepted: {why}"
        )
    return WaiverInfo(
        waiver.id, ", ".join(waiver.rules), waiver.scope, waiver.owner, waiver.approver, waiver.reason, waiver.ticket,
        waiver.granted, waiver.expires, state, held, "" if held else why, tuple(warnings), _idle_places(waiver, accepted),
    )  # fmt: skip


def _idle_places(waiver: Waiver, accepted: Accepted) -> tuple[str, ...]:
    places = (p.location for p, number in accepted.places.items() if p.waiver == waiver.id and not number)
    return tuple(sorted(map(str, places)))


def _state(waiver: Waiver, accepted: Accepted, today: str) -> tuple[WaiverState, str]:
    if ended := waiver.ended(today):
        return STATE_OF[ended[0]], f"it {ended[1]}"
    why = accepted.why.get(waiver.id, "").removeprefix(f"waiver {waiver.id} ")
    if accepted.waivers[waiver.id, HELD]:
        return HELD, why
    return (LAPSED, why) if accepted.waivers[waiver.id, LAPSED] else ("unused", "")


def _warnings(waiver: Waiver, today: str) -> Iterator[str]:
    left = (date.fromisoformat(waiver.expires) - date.fromisoformat(today)).days
    for days in WARN_DAYS:
        if 0 < left <= days:
            yield f"expires within {days} days, on {waiver.expires}"
            break
    if waiver.in_place and not (
        waiver.resources or waiver.accounts or waiver.ous or waiver.tags or waiver.pins
    ):
        yield "over-broad: whoever writes code may refer to it, and nothing else narrows it or pins what it accepts"
    elif waiver.is_broad:
        yield "over-broad: nothing narrows it, so it accepts every failure of its rule"
    elif not (waiver.resources or waiver.accounts or waiver.tags or waiver.in_place):
        yield from (
            f"over-broad: {ou} is the root of the organisation" for ou in waiver.ous if ou.startswith("r-")
        )


def baseline_info(baseline: Baseline, accepted: Accepted) -> BaselineInfo:
    """Return what became of the entries of a baseline."""
    counts = Counter(accepted.entries.values())
    unseen = len(baseline.entries) - sum(counts.values())
    return BaselineInfo(
        baseline.name, baseline.written, counts[OPEN], counts[CHANGED], counts[PASS], counts[NOT_APPLICABLE],
        counts[UNKNOWN], unseen,
    )  # fmt: skip


def waiver_notes(
    infos: Sequence[WaiverInfo], accepted: Accepted, baseline: BaselineInfo | None, rules: Collection[str]
) -> list[str]:
    """Return what a reader of the run has to know; ``rules`` are those that ran: others leave a waiver unused."""
    return [*_ended(infos, accepted), *_soon(infos), *_idle(infos, rules), *_of_baseline(baseline)]


def _ended(infos: Sequence[WaiverInfo], accepted: Accepted) -> Iterator[str]:
    """Those that no longer accept what they were granted for, one line each while there are few."""
    left = 0
    told = 0
    for info in infos:
        number = sum(accepted.waivers[info.id, state] for state in (EXPIRED, LAPSED, NOT_YET))
        if not number:
            continue
        told += 1
        if told > MOST_TOLD:
            left += 1
            continue
        why = accepted.why.get(info.id) or f"waiver {info.id} does not hold"
        yield f"{why}: {plural(number, 'failure')} not accepted"
    if left:
        yield f"{plural(left, 'more waiver')} no longer accept what they are about: `policyengine waivers check` lists them"


def _soon(infos: Sequence[WaiverInfo]) -> Iterator[str]:
    soon = sorted(
        (info.expires, info.id, text)
        for info in infos
        for text in info.warnings
        if text.startswith("expires") and info.findings
    )
    for _, id_, text in soon[:MOST_TOLD]:
        yield f"waiver {id_} {text}"
    if len(soon) > MOST_TOLD:
        yield f"{plural(len(soon) - MOST_TOLD, 'more waiver')} in use expire within 30 days"


def _idle(infos: Sequence[WaiverInfo], rules: Collection[str]) -> Iterator[str]:
    unused = [i.id for i in infos if i.state == "unused" and any(r in rules for r in i.rule.split(", "))]
    if unused:
        yield f"{plural(len(unused), 'waiver')} about nothing that fails here: {_listed(unused)}"
    idle = [
        f"{place} ({i.id})"
        for i in infos
        if any(r in rules for r in i.rule.split(", "))
        for place in i.idle_places
    ]
    if idle:
        yield f"code refers to waivers where nothing fails that they accept: {_listed(idle)}"
    broad = [i.id for i in infos if any(text.startswith("over-broad") for text in i.warnings)]
    if broad:
        yield f"{plural(len(broad), 'waiver')} over-broad, narrowed by no scope: {_listed(broad)}"


def _of_baseline(info: BaselineInfo | None) -> Iterator[str]:
    if info is None:
        return
    if info.changed:
        yield f"{_findings(info.changed)} of the baseline not accepted any more: the values changed"
    done = info.fixed + info.not_applicable
    if done:
        kinds = [f"{info.fixed:,} fixed"] if info.fixed else []
        kinds += [f"{info.not_applicable:,} no longer applicable"] if info.not_applicable else []
        text = f"{plural(done, 'entry', 'entries')} of the baseline can be removed ({', '.join(kinds)})"
        yield f"{text}: `policyengine baseline write --prune`"


def _findings(number: int) -> str:
    return f"{number:,} finding is" if number == 1 else f"{number:,} findings are"


def _listed(ids: Sequence[str]) -> str:
    more = len(ids) - MOST_TOLD
    shown = ", ".join(ids[:MOST_TOLD])
    return f"{shown} and {more:,} more" if more > 0 else shown
