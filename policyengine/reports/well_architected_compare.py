"""Two documents of the Well-Architected report against each other: what a milestone has changed.

Better is only what is known to be better: a rule that failed and now passes. One that was not asked again, that could
not be determined or that applies to nothing any more has not been fixed, and is told apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from policyengine.model.errors import InputError
from policyengine.model.formats import refused
from policyengine.model.reasons import FAIL, PASS, UNKNOWN
from policyengine.reports.well_architected import SCHEMA
from policyengine.reports.well_architected_risks import RISKS

COMPARISON_SCHEMA: Final = "policyengine/well-architected-comparison/v1"
COUNTS: Final = ("issues", "findings", "accepted", "unknown")

Change = Literal[
    "new", "more", "fewer", "resolved", "passes_where_looked", "accepted", "not_determined", "nothing_left", "not_asked",
    "same",
]  # fmt: skip
CHANGE_WORDS: Final[Mapping[Change, str]] = {
    "new": "fails now",
    "more": "fails on more",
    "fewer": "fails on fewer",
    "resolved": "passes now",
    "passes_where_looked": "passes wherever the later run looked, which was not everywhere",
    "accepted": "is accepted now, not fixed",
    "not_determined": "could not be determined, so it may still fail",
    "nothing_left": "applies to nothing any more, so nothing was shown to be fixed",
    "not_asked": "was not asked again",
    "same": "fails on as many",
}
"""What became of a rule's issue, in the order of reports."""


def checked(value: Any, name: str) -> dict[str, Any]:
    """Return a document as read from a file; raises InputError where it is none of this schema."""
    wrong = refused(value.get("schema") if isinstance(value, dict) else None, SCHEMA)
    if wrong is not None or not isinstance(value, dict):
        raise InputError(f"`{name}` is no Well-Architected document that can be read: {wrong}")
    try:
        for pillar in value["pillars"]:
            _counts(pillar)
        for rule in value["rules"]:
            _ = (
                str(rule["rule"]),
                int(rule["waived"]),
                [int(n) for n in rule["verdicts"].values()],
                rule["risk"],
            )
        _ = value["run"]["scope"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"`{name}` is damaged: it has not the shape of `{SCHEMA}`") from error
    return value


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what changed from one document to a later one (``policyengine/well-architected-comparison/v1``)."""
    changes = list(_changes(before, after))
    counts = Counter(change["change"] for change in changes)
    return {
        "schema": COMPARISON_SCHEMA,
        "before": before["run"],
        "after": after["run"],
        "caveats": list(_caveats(before, after)),
        "pillars": list(_pillars(before, after)),
        "changes": {name: counts[name] for name in CHANGE_WORDS},
        "rules": changes,
    }


def _caveats(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield why numbers may differ although nothing was changed."""
    old, new = before["run"], after["run"]
    for what in ("accounts", "regions", "targets"):
        gone, come = (
            sorted(set(_scope(a, what)) - set(_scope(b, what))) for a, b in ((old, new), (new, old))
        )
        if gone:
            yield f"{what} only in the earlier run: {', '.join(gone)}"
        if come:
            yield f"{what} only in the later run: {', '.join(come)}"
    for name, run in (("earlier", old), ("later", new)):
        if run.get("complete") is not True:
            yield f"the {name} run is incomplete"
    if old.get("rule_pack") != new.get("rule_pack"):
        yield "the rules are not the same"
    if old.get("engine_version") != new.get("engine_version"):
        yield "the versions of policyengine are not the same"


def _scope(run: Mapping[str, Any], what: str) -> Sequence[str]:
    scope = run.get("scope")
    found = scope.get(what) if isinstance(scope, dict) else None
    return [str(item) for item in found] if isinstance(found, list) else []


def _pillars(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    old = {pillar["pillar"]: pillar for pillar in before["pillars"]}
    new = {pillar["pillar"]: pillar for pillar in after["pillars"]}
    for name in dict.fromkeys([*new, *old]):
        first, then = old.get(name), new.get(name)
        yield {
            "pillar": name,
            "assessed": [_assessed(first), _assessed(then)],
            "risks": {
                risk: {key: _delta(_counts(first)[risk][key], _counts(then)[risk][key]) for key in COUNTS}
                for risk in RISKS
            },
        }


def _assessed(pillar: Mapping[str, Any] | None) -> str:
    return str(pillar["assessed"]) if pillar is not None else "not_assessed"


def _counts(pillar: Mapping[str, Any] | None) -> dict[str, dict[str, int]]:
    if pillar is None:
        return {risk: dict.fromkeys(COUNTS, 0) for risk in RISKS}
    return {risk: {key: int(pillar["risks"][risk][key]) for key in COUNTS} for risk in RISKS}


def _delta(before: int, after: int) -> dict[str, int]:
    return {"before": before, "after": after, "delta": after - before}


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    old = {rule["rule"]: rule for rule in before["rules"]}
    new = {rule["rule"]: rule for rule in after["rules"]}
    rows, everywhere = [], _everywhere(before["run"], after["run"])
    for name in sorted({*old, *new}):
        first, then = old.get(name), new.get(name)
        known = then if then is not None else first
        if known is None or not (_open(first) or _open(then)):
            continue
        change = change_of(first, then, everywhere=everywhere)
        rows.append(
            {
                "rule": name,
                "pillar": known["pillar"],
                "risk": known["risk"],
                "change": change,
                "findings": _delta(_open(first), _open(then)),
            }
        )
    order = list(CHANGE_WORDS)
    yield from sorted(rows, key=lambda r: (order.index(r["change"]), _rank(r["risk"]), r["rule"]))


def _rank(risk: str) -> int:
    return RISKS.index(risk) if risk in RISKS else len(RISKS)


def _open(rule: Mapping[str, Any] | None) -> int:
    return int(rule["verdicts"].get(FAIL, 0)) - int(rule["waived"]) if rule is not None else 0


def change_of(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, *, everywhere: bool
) -> Change:
    """Return what became of a rule that fails, without a waiver, in at least one of two documents.

    ``everywhere``: the later run is complete and looked at all places that the earlier one did.
    """
    first, then = _open(before), _open(after)
    if then:
        if not first:
            return "new"
        return "same" if then == first else "more" if then > first else "fewer"
    if after is None or not any(after["verdicts"].values()):
        return "not_asked"
    if after["verdicts"].get(UNKNOWN):
        return "not_determined"
    if after["waived"]:
        return "accepted"
    if not after["verdicts"].get(PASS):
        return "nothing_left"
    return "resolved" if everywhere else "passes_where_looked"


def _everywhere(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    places = ("accounts", "regions")
    seen = all(set(_scope(before, what)) <= set(_scope(after, what)) for what in places)
    return seen and after.get("complete") is True
