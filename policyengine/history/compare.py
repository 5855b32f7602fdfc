"""Two runs side by side: which failures are new, fixed or still open, and why.

The findings are read in the order runs are written in, so that memory does not grow with them; runs that are in
another order are sorted in memory first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final, Literal, NamedTuple

from policyengine.history.looked import Looked
from policyengine.model.pairing import paired
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, UNKNOWN
from policyengine.model.values import UNRESOLVED_REASONS
from policyengine.rules.recorded import deciding_text

Json = Mapping[str, Any]
Kind = Literal[
    "new", "fixed", "open", "gone", "not_asked", "not_looked_at", "not_determined", "determined", "not_applicable"
]  # fmt: skip
Key = tuple[str, ...]
Sides = tuple[Looked, Looked]
_NOT_USED: Final = "the rule is not used any more"
_NO_VERDICT: Final = "no verdict of the rule on it"
_NO_RULE: Final = (
    "is a report that does not say which rules it asked, and has no verdict of this one on anything"
)
NOT_AT_HAND: Final = "the resource changed, or what it is compared with: its values are not at hand"
"""Run directories keep no evidence of what passes: the resources that were judged have the values (``history.reasons``)."""


class Change(NamedTuple):
    """What became of one rule on one resource. ``finding`` is the later one, or the earlier where there is none.

    ``new``: FAIL that was none. ``fixed``: FAIL that passes. ``open``: FAIL in both. ``gone``: the resource is not
    in the later run. ``not_asked``: the rule is not. ``not_looked_at``: the resource is not, and nobody looked where
    it was. ``not_determined``: FAIL or PASS that is UNKNOWN, or of an account that the later run could not read whole.
    ``determined``: UNKNOWN that passes.
    ``not_applicable``: FAIL to which the rule no longer applies: something to look at.
    """

    kind: Kind
    finding: Json
    why: str
    before: Json | None = None
    """The earlier finding, where ``finding`` is the later one."""


def accepted(finding: Json | None) -> bool:
    """Whether a failure carries a waiver, or stands in the baseline."""
    return finding is not None and bool(finding.get("waiver"))


def acceptance_ended(change: Change) -> bool:
    """Whether a failure that was accepted is not any more: it did not change, and fails the build."""
    return change.kind == "open" and accepted(change.before) and not accepted(change.finding)


class Rules:
    """The rules of two runs; None where a run does not hold them. ``unread`` are (account, region) pairs of which the
    later run could not read everything; None stands for any. ``lost`` are (account, type) pairs of which it could not
    list all: the region of a failed call is where it was sent, not where the resources are."""

    def __init__(
        self,
        before: Iterable[Json] | None,
        after: Iterable[Json] | None,
        unread: Iterable[tuple[str | None, str | None]] = (),
        lost: Iterable[tuple[str | None, str]] = (),
    ) -> None:
        self._lost = frozenset(lost)
        self._unread = frozenset(unread)
        self._before = None if before is None else {rule["id"]: deciding_text(rule) for rule in before}
        self._after = None if after is None else {rule["id"]: deciding_text(rule) for rule in after}

    def was_unread(self, finding: Json) -> bool:
        """Whether the later run could not read everything where a finding was."""
        account, region = finding["resource"]["account"], finding["resource"]["region"]
        if not self._lost.isdisjoint((each, finding["resource"]["type"]) for each in (account, None)):
            return True
        places = {(account, region), (account, None), (None, None), (account, "global")}
        return not self._unread.isdisjoint(places)

    @property
    def known(self) -> tuple[bool, bool]:
        """Whether the earlier and the later run say which rules they asked."""
        return self._before is not None, self._after is not None

    def change_of(self, rule: str) -> str:
        """Say what happened to a rule, "" when nothing did or nobody knows."""
        if self._after is not None and rule not in self._after:
            return _NOT_USED
        if self._before is None or self._after is None:
            return ""
        if rule not in self._before:
            return "the rule is new"
        return "" if self._before[rule] == self._after[rule] else "the rule changed"


def compare(
    before: Iterable[Json], after: Iterable[Json], rules: Rules, looked: Sides | None = None
) -> Iterator[Change]:
    """Yield what changed or is still open, in the order of the runs, given in that order.

    ``looked`` is where the earlier and the later run looked: without it, both looked everywhere.
    """
    for _, group in groupby(paired(_keyed(before), _keyed(after)), _resource_of):
        pairs = list(group)
        had, has = any(old is not None for old, _ in pairs), any(new is not None for _, new in pairs)
        for old, new in pairs:
            if old is not None and new is not None:
                yield from _both(old, new, rules)
            elif old is not None and old["verdict"] == FAIL:
                yield _only_earlier(old, rules, looked, has=has)
            elif new is not None and new["verdict"] == FAIL:
                yield _only_later(new, rules, looked, had=had)


def _resource_of(pair: tuple[Json | None, Json | None]) -> Key:
    return key_of(pair[0] or pair[1] or {})[:-1]


def _keyed(findings: Iterable[Json]) -> Iterator[tuple[Key, Json]]:
    return ((key_of(finding), finding) for finding in findings)


def key_of(finding: Json) -> Key:
    """Return what a finding is of: the order of every run."""
    resource, place = finding["resource"], finding.get("location")
    if resource.get("account") and resource.get("region") and place is None:
        identity: Key = (resource["account"], resource["region"], resource["type"], resource["id"])
    elif place is not None:
        identity = ("", place["file"], "", resource["id"])
    else:
        identity = (
            resource.get("account") or "",
            resource.get("region") or "",
            resource["type"],
            resource["id"],
        )
    return (*identity, finding["rule"])


def in_order(findings: Iterable[Json]) -> bool:
    """Whether findings come in the order runs are written in."""
    last: Key = ()
    for finding in findings:
        key = key_of(finding)
        if key < last:
            return False
        last = key
    return True


def _only_earlier(finding: Json, rules: Rules, looked: Sides | None, *, has: bool) -> Change:
    """``has``: the later run has verdicts of other rules on the resource."""
    changed = rules.change_of(finding["rule"])
    if changed == _NOT_USED:
        return Change("not_asked", finding, changed)
    if rules.was_unread(finding):
        return Change(
            "not_determined", finding, "the data is missing: the later run could not read everything there"
        )
    missing = looked[1].why_not(finding, looked[0]) if looked is not None else ""
    if missing:
        return Change("not_looked_at", finding, f"the data is missing: the later run {missing}")
    if has:
        return Change("not_asked", finding, changed or f"the later run has the resource, and {_NO_VERDICT}")
    if not rules.known[1] and looked is not None and finding["rule"] not in looked[1].rules:
        # it was not asked, or there is nothing left that it applies to
        return Change("not_determined", finding, f"the data is missing: the later run {_NO_RULE}")
    return Change("gone", finding, changed or "the resource is not in the later run")


def _only_later(finding: Json, rules: Rules, looked: Sides | None, *, had: bool) -> Change:
    """``had``: the earlier run has verdicts of other rules on the resource."""
    missing = looked[0].why_not(finding, looked[1]) if looked is not None else ""
    was = f"the earlier run {missing}" if missing else "the resource is not in the earlier run"
    if had:
        was = f"the earlier run has the resource, and {_NO_VERDICT}"
    elif not missing and not rules.known[0] and looked is not None and finding["rule"] not in looked[0].rules:
        was = f"the earlier run {_NO_RULE}"
    return Change("new", finding, rules.change_of(finding["rule"]) or was)


def _both(old: Json, new: Json, rules: Rules) -> Iterator[Change]:
    was, now = old["verdict"], new["verdict"]
    kind = KINDS.get((was, now))
    if kind is not None:
        yield Change(kind, new, "" if kind == "open" and _same(old, new) else _why(old, new, rules), old)


KINDS: Final[Mapping[tuple[str, str], Kind]] = {
    (FAIL, FAIL): "open",
    (FAIL, PASS): "fixed",
    (FAIL, UNKNOWN): "not_determined",
    (FAIL, NOT_APPLICABLE): "not_applicable",
    (PASS, FAIL): "new",
    (PASS, UNKNOWN): "not_determined",
    (UNKNOWN, FAIL): "new",
    (UNKNOWN, PASS): "determined",
    (NOT_APPLICABLE, FAIL): "new",
}


def _same(old: Json, new: Json) -> bool:
    return bool(old["evidence"] == new["evidence"])


def _why(old: Json, new: Json, rules: Rules) -> str:
    """What is missing explains most, then the rule, then the values; time is what is left."""
    if new["verdict"] == UNKNOWN and new["reason"] in UNRESOLVED_REASONS:
        return f"the data is missing: {new['message'].removeprefix('not determined: ')}"
    if old["verdict"] == UNKNOWN and old["reason"] in UNRESOLVED_REASONS:
        return f"the data was missing before ({old['reason']})"
    changed = rules.change_of(new["rule"])
    if changed:
        return changed
    values = list(_values(old, new))
    if values:
        return "the resource changed: " + "; ".join(values[:3]) + ("; …" if len(values) > 3 else "")
    if not old["evidence"] or not new["evidence"]:
        return NOT_AT_HAND
    return "the same values: what they are compared with changed (the clock, parameters, other resources)"


def _values(old: Json, new: Json) -> Iterator[str]:
    before = {item["path"]: item["observed"] for item in old["evidence"]}
    after = {item["path"]: item["observed"] for item in new["evidence"]}
    for path in sorted(before.keys() | after.keys()):
        if path in before and path in after:
            if before[path] != after[path]:
                yield f"{path} was {short(before[path])}, is {short(after[path])}"
        elif path in after and before:
            yield f"{path} is {short(after[path])}"


def short(value: Any) -> str:
    """Return a value as a sentence shows it."""
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"
