"""The first page: what was judged, and how much of it could be. Nothing here is green while anything is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from policyengine.model.reasons import REASONS
from policyengine.reports.base import Context, RunInfo
from policyengine.reports.extras import PlaceLooked
from policyengine.reports.html.counts import Counts
from policyengine.reports.html.data import OPEN, PASSED, UNDETERMINED, WAIVED
from policyengine.reports.remedies import remedy
from policyengine.reports.text import plural

MAX_PLACES: Final = 200
MAX_LISTED: Final = 200
MAX_NAMED: Final = 6


class Banner(NamedTuple):
    """The answer in one line. ``kind`` is bad, open (something is not known) or good."""

    kind: str
    head: str
    text: str


class Gap(NamedTuple):
    """Regions of one account that miss the same. ``missing``: (reason, types)."""

    account: str
    regions: Sequence[str]
    expected: int
    collected: int
    missing: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True)
class Scope:
    """Expected against collected. ``gaps`` are places where something is missing, the worst first."""

    places: int
    accounts: int
    regions: int
    expected: int
    collected: int
    gaps: Sequence[Gap]
    more: int
    whole: int
    """Places where nothing is missing."""

    @property
    def lacks(self) -> bool:
        """Tell whether anything that was expected is missing."""
        return self.whole < self.places


def _lacks(place: PlaceLooked) -> bool:
    return bool(place.missing) or place.collected < place.expected


def scope(context: Context) -> Scope | None:
    """Return the reconciliation, None where the report was not given what was expected."""
    looked = context.extras.looked
    if not looked:
        return None
    lacking = [place for place in looked if _lacks(place)]
    gaps = _gaps(lacking)
    return Scope(
        places=len(looked),
        accounts=len({place.account for place in looked}),
        regions=len({place.region for place in looked}),
        expected=sum(place.expected for place in looked),
        collected=sum(place.collected for place in looked),
        gaps=gaps[:MAX_PLACES],
        more=max(0, len(gaps) - MAX_PLACES),
        whole=len(looked) - len(lacking),
    )


def _gaps(lacking: Sequence[PlaceLooked]) -> list[Gap]:
    """Return what is missing, regions of an account that miss the same together; the widest gap first."""
    alike: dict[tuple[Any, ...], list[PlaceLooked]] = {}
    for place in lacking:
        key = (place.account, place.expected, place.collected, tuple(sorted(map(tuple, place.missing))))
        alike.setdefault(key, []).append(place)
    found = []
    for (account, expected, collected, missing), places in alike.items():
        reasons: dict[str, list[str]] = {}
        for kind, reason in missing:
            reasons.setdefault(reason, []).append(kind)
        regions = sorted(place.region for place in places)
        found.append(Gap(account, regions, expected, collected, sorted(reasons.items())))
    return sorted(found, key=lambda gap: (gap.collected - gap.expected, gap.account, list(gap.regions)))


def banner(run: RunInfo, counts: Counts, found: Scope | None) -> Banner:
    """Return the answer: bad when something fails, open while anything is not known, good only when all is known."""
    totals = counts.totals
    holes = _holes(run, totals, found)
    if totals[OPEN]:
        text = "Each is a resource that does not meet a rule and that nobody has accepted."
        debt = sum(counts.baseline.values())
        text += (
            f" {debt:,} of them are in the baseline: a debt from before the tool was adopted." if debt else ""
        )
        return Banner("bad", plural(totals[OPEN], "open violation"), " ".join([text, *holes]))
    if holes:
        head = "Nothing fails, but not everything is known" if totals[PASSED] else "Not everything is known"
        return Banner("open", head, " ".join(holes))
    if totals[WAIVED]:
        text = f"{plural(totals[WAIVED], 'failure')} still fail: somebody has accepted them until a date."
        return Banner("open", "Only accepted failures", text)
    if not totals[PASSED]:
        return Banner("open", "Nothing was checked", "No rule applied to anything that was looked at.")
    text = f"All {plural(totals[PASSED], 'check')} that apply passed, and nothing is missing from what was looked at."
    return Banner("good", "No violations", text)


def _holes(run: RunInfo, totals: Sequence[int], found: Scope | None) -> list[str]:
    """Return a sentence for each way in which the report does not know everything."""
    said = []
    if not run.complete:
        said.append(
            f"The run is incomplete ({plural(len(run.errors), 'error')}): it says nothing about the rest."
        )
    if totals[UNDETERMINED]:
        what = f"{plural(totals[UNDETERMINED], 'check')} could not be determined"
        said.append(f"{what}; a check that could not be determined is not a PASS.")
    if found is not None and found.lacks:
        where = f"{found.places - found.whole:,} of {plural(found.places, 'place')} (account and region)"
        said.append(f"Something expected was not collected in {where}.")
    if run.undecidable:
        said.append(f"{plural(len(run.undecidable), 'rule')} cannot be decided from this kind of source.")
    return said


def facts(run: RunInfo) -> list[tuple[str, str | Sequence[str], str]]:
    """Return (label, value, kind) of the cover; kind is ``time``, ``code``, ``list`` (names that are not broken across lines) or
    empty."""
    return [
        ("Targets", ", ".join(_listed(run.targets)), ""),
        ("Accounts", _listed(run.accounts), "list"),
        ("Regions", _listed(run.regions), "list"),
        ("Resources", "not counted" if run.resources is None else f"{run.resources:,}", ""),
        ("Rules asked", f"{run.rule_count:,}", ""),
        ("Judged as of", run.as_of, "time"),
        ("Started", run.started_at, "time"),
        ("Finished", run.finished_at, "time"),
        ("Run", run.id, "code"),
        ("Engine", f"policyengine {run.engine_version}", ""),
        ("Rule pack", run.rule_pack_digest, "code"),
    ]


def _listed(values: Sequence[str]) -> Sequence[str]:
    if not values:
        return ["none"]
    more = len(values) - MAX_NAMED
    return [*values[:MAX_NAMED], *([f"and {more:,} more"] if more > 0 else [])]


def completeness(run: RunInfo, counts: Counts, found: Scope | None) -> dict[str, Any]:
    """Return what section 1 shows."""
    unknown = counts.totals[UNDETERMINED]
    reasons = sorted(counts.reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    return {
        "complete": run.complete,
        "scope": found,
        "errors": run.errors[:MAX_LISTED],
        "more_errors": max(0, len(run.errors) - MAX_LISTED),
        "unknown": unknown,
        "reasons": [(number, REASONS[code][1], code, remedy(code) or "") for code, number in reasons],
        "unlisted": max(0, unknown - sum(counts.reasons.values())),
        "skipped": _ranked(run.skipped),
        "unknown_types": _ranked(run.unknown_types),
        "unknown_resources": sum(run.unknown_types.values()),
        "undecidable": sorted(run.undecidable),
        "notes": list(run.notes[:MAX_LISTED]),
        "more_notes": max(0, len(run.notes) - MAX_LISTED),
        "fed": counts.fed,
        "judged": sum(counts.totals),
    }


def _ranked(numbers: Any) -> list[tuple[str, int]]:
    return sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_LISTED]
