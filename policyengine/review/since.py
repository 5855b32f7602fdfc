"""Since when a resource fails a rule, as far as what was recorded of it over time shows.

AWS Config writes an item when a resource changes, or once a day what has changed since, with the time at which
recording it began (https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationItem.html): the change
itself lies between that time and the time of the item before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import prepare
from policyengine.engine.world import World
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.review.joining import Identity


class Since(NamedTuple):
    """``first``: when the records begin that fail to the end, None where the newest does not; ``certain``: the record
    before did not fail, so that it is no earlier than that. ``met``: the last record of which is known that it did not
    fail, None where there is none. ``begins``: there is no record before ``first``."""

    first: str | None
    certain: bool = False
    met: str | None = None
    begins: bool = False


def since_of(verdicts: Sequence[tuple[str, str]]) -> Since:
    """Return since when a resource fails that does so now, of (time, verdict), the oldest first."""
    start = len(verdicts)
    while start and verdicts[start - 1][1] == FAIL:
        start -= 1
    met = next((time for time, verdict in reversed(verdicts) if verdict not in (FAIL, UNKNOWN)), None)
    if start == len(verdicts):
        return Since(None, met=met)
    certain = start > 0 and verdicts[start - 1][1] != UNKNOWN
    return Since(verdicts[start][0], certain, met, begins=start == 0)


class Recorded(NamedTuple):
    """One record of a resource. ``key`` is what the records of one resource have in common, ``order`` sorts them,
    ``time`` is in RFC 3339. ``state`` is None where the resource was not there, Unresolved where nothing was recorded."""

    key: tuple[str, ...]
    order: tuple[str, int, str]
    time: str | None
    state: Resource | Unresolved | None


class Records:
    """What was recorded of failing resources, each record judged as of its time, and by itself: what a rule asks of
    other resources is not known.

    ``failing`` is identity -> ids of rules that it fails; ``seen`` when it was seen failing: what was recorded later is
    left out. ``evaluator`` has these rules; it is not of use for anything else afterwards.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        failing: Mapping[Identity, Collection[str]],
        seen: Mapping[Identity, datetime],
    ) -> None:
        self._evaluator = evaluator
        self._failing = failing
        self._seen = seen
        self._owners: dict[tuple[str, ...], Identity] = {}
        self._judged: dict[Identity, list[tuple[Any, str, Mapping[str, str]]]] = defaultdict(list)
        self._without: dict[tuple[str, ...], list[tuple[Any, str, str]]] = defaultdict(list)

    def take(self, record: Recorded) -> None:
        """Take a record, in any order."""
        state, time = record.state, record.time or ""
        if not isinstance(state, Resource):
            verdict = NOT_APPLICABLE if state is None and time else UNKNOWN
            self._without[record.key].append((record.order, time, verdict))
        elif state.identity in self._failing:
            self._owners[record.key] = state.identity
            self._judged[state.identity].append((record.order, time, self._verdicts(state, record.time)))

    def _verdicts(self, resource: Resource, time: str | None) -> Mapping[str, str]:
        if time is None:
            return {}
        self._evaluator.judge_at(datetime.fromisoformat(time))
        prepare(resource)
        return {finding.rule: finding.verdict for finding in self._evaluator.findings(resource, World())}

    def since(self) -> dict[tuple[Identity, str], Since]:
        """Return for each failing (identity, rule) of which there are records since when it fails."""
        found: dict[tuple[Identity, str], Since] = {}
        every = {identity: list(records) for identity, records in self._judged.items()}
        for key, identity in self._owners.items():
            every[identity] += [
                (order, time, dict.fromkeys(self._failing[identity], verdict))
                for order, time, verdict in self._without[key]
            ]
        for identity, records in every.items():
            ordered = [each for each in sorted(records, key=_order) if not self._is_later(identity, each[1])]
            for rule in self._failing[identity] if ordered else ():
                verdicts = [(time, verdicts.get(rule, UNKNOWN)) for _, time, verdicts in ordered]
                found[identity, rule] = since_of(verdicts)
        return found

    def _is_later(self, identity: Identity, time: str) -> bool:
        seen = self._seen.get(identity)
        return seen is not None and time != "" and datetime.fromisoformat(time) > seen


def _order(record: tuple[Any, str, Any]) -> Any:
    return record[0]
